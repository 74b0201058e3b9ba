//! What a plugin under test tells, in its order.

use crate::PATIENCE;
use patchbay_abi::{Kind, Message, head};
use std::collections::{HashMap, VecDeque};
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
    /// What was counted and nobody has waited for; those are told when it suits the plugin, between anything.
    counts: HashMap<String, u64>,
}

impl Told {
    pub(crate) fn new(messages: mpsc::UnboundedReceiver<Message>) -> Self {
        Told(Mutex::new(Inbox {
            messages,
            left_out: VecDeque::new(),
            counts: HashMap::new(),
        }))
    }

    /// The next message of one of these kinds; others are left out.
    pub(crate) async fn next_of(&self, kinds: &[Kind]) -> Message {
        let mut inbox = self.0.lock().await;
        match timeout(PATIENCE, inbox.next_of(kinds)).await {
            Ok(Some(message)) => message,
            Ok(None) => panic!("the plugin is gone"),
            Err(_) => inbox.miss("it"),
        }
    }

    /// Waits until so many were counted beside those that were waited for before; other messages are left out.
    pub(crate) async fn counted(&self, counter: &str, many: u64) {
        let mut inbox = self.0.lock().await;
        let counted = async {
            while !inbox.takes(counter, many) {
                if inbox.next_of(&[Kind::METRIC]).await.is_none() {
                    panic!("the plugin is gone");
                }
            }
        };
        if timeout(PATIENCE, counted).await.is_err() {
            inbox.miss(&format!("that it has counted {many} `{counter}`"));
        }
    }
}

impl Inbox {
    async fn next_of(&mut self, kinds: &[Kind]) -> Option<Message> {
        loop {
            let message = self.messages.recv().await?;
            self.left_out.truncate(SHOWN - 1);
            self.left_out.push_front(shown(&message));
            self.note_count(&message);
            if kinds.contains(&message.kind) {
                return Some(message);
            }
        }
    }
}

impl Inbox {
    fn note_count(&mut self, message: &Message) {
        if message.kind == Kind::METRIC
            && let Ok(told) = message.read_head::<head::Metric>()
        {
            *self.counts.entry(told.counter).or_default() += told.add;
        }
    }

    fn takes(&mut self, counter: &str, many: u64) -> bool {
        let count = self.counts.get_mut(counter);
        let Some(count) = count.filter(|count| **count >= many) else {
            return false;
        };
        *count -= many;
        true
    }

    fn miss(&mut self, what: &str) -> ! {
        let said = self.left_out.make_contiguous().join("\n  ");
        panic!("the plugin does not say {what}; what it said last:\n  {said}")
    }
}

fn shown(message: &Message) -> String {
    let text = |bytes: &[u8]| {
        let short = &bytes[..bytes.len().min(LONGEST)];
        String::from_utf8_lossy(short).into_owned()
    };
    format!("{} {}", text(&message.head), text(&message.body))
}
