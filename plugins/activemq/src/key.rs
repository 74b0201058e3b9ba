//! Which message it is.

use patchbay_sdk::by_size;
use sha2::{Digest, Sha256};

use crate::stomp::{Body, MessageFrame};

/// Who asked, the broker's message id, and what was asked. Never the correlation id, which is not unique.
///
/// Clients can forge both of the former, and guess the id of somebody's next message. Therefore the body is a part: a forged
/// message that says something else is another message, and nothing that becomes of it is taken for what became of the
/// genuine one; neither here nor in the host's notes, which would otherwise refuse the genuine one as a conflict. A forged
/// message that says the same in the same session has done what the genuine one would.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The `reply-to` header.
    pub reply_to: String,
    /// The `message-id` header.
    pub message_id: String,
    /// Of the body, SHA-256.
    pub digest: [u8; 32],
}

impl Key {
    /// That of a message; `None` without a message id.
    pub async fn of(reply_to: &str, message: &MessageFrame) -> Option<Self> {
        let message_id = message.header("message-id")?.to_owned();
        let body = match &message.body {
            Body::Text(bytes) | Body::Counted(bytes) => bytes.clone(),
            Body::TooLong(_) => return None,
        };
        let digest = by_size(body.len(), move || Sha256::digest(&body).into()).await;
        Some(Self {
            reply_to: reply_to.to_owned(),
            message_id,
            digest: digest.ok()?,
        })
    }

    /// As one text. A reply-to that we take has no spaces and the digest has none, so that no two keys share a text.
    pub fn text(&self) -> String {
        let digest: String = self.digest.map(|byte| format!("{byte:02x}")).concat();
        format!("message {} {digest} {}", self.reply_to, self.message_id)
    }
}
