//! What a plugin under test tells, in its order.

use crate::PATIENCE;
use patchbay_abi::{Kind, Message};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// The messages of a plugin that are no replies.
pub(crate) struct Told(Mutex<mpsc::UnboundedReceiver<Message>>);

impl Told {
    pub(crate) fn new(messages: mpsc::UnboundedReceiver<Message>) -> Self {
        Told(Mutex::new(messages))
    }

    /// The next message of one of these kinds; others are left out.
    pub(crate) async fn next_of(&self, kinds: &[Kind]) -> Message {
        let wait = async {
            let mut messages = self.0.lock().await;
            while let Some(message) = messages.recv().await {
                if kinds.contains(&message.kind) {
                    return message;
                }
            }
            panic!("the plugin is gone")
        };
        timeout(PATIENCE, wait)
            .await
            .expect("the plugin says something within the time")
    }
}
