//! What a plugin under test tells, in its order.

use crate::PATIENCE;
use patchbay_abi::{Kind, Message};
use std::collections::VecDeque;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// How much of what was left out is shown when something was waited for in vain.
const SHOWN: usize = 12;

/// Longest part of a message that is shown, in bytes.
const LONGEST: usize = 300;

/// The messages of a plugin that are no replies.
pub(crate) struct Told(Mutex<Inbox>);

struct Inbox {
    messages: mpsc::UnboundedReceiver<Message>,
    left_out: VecDeque<String>,
}

impl Told {
    pub(crate) fn new(messages: mpsc::UnboundedReceiver<Message>) -> Self {
        let left_out = VecDeque::new();
        Told(Mutex::new(Inbox { messages, left_out }))
    }

    /// The next message of one of these kinds; others are left out.
    pub(crate) async fn next_of(&self, kinds: &[Kind]) -> Message {
        let mut inbox = self.0.lock().await;
        match timeout(PATIENCE, inbox.next_of(kinds)).await {
            Ok(Some(message)) => message,
            Ok(None) => panic!("the plugin is gone"),
            Err(_) => {
                let said = inbox.left_out.make_contiguous().join("\n  ");
                panic!("the plugin does not say it; what it said last:\n  {said}")
            }
        }
    }
}

impl Inbox {
    async fn next_of(&mut self, kinds: &[Kind]) -> Option<Message> {
        loop {
            let message = self.messages.recv().await?;
            self.left_out.truncate(SHOWN - 1);
            self.left_out.push_front(shown(&message));
            if kinds.contains(&message.kind) {
                return Some(message);
            }
        }
    }
}

fn shown(message: &Message) -> String {
    let text = |bytes: &[u8]| {
        let short = &bytes[..bytes.len().min(LONGEST)];
        String::from_utf8_lossy(short).into_owned()
    };
    format!("{} {}", text(&message.head), text(&message.body))
}
