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

    /// Waits until as many were counted since this was asked last; other messages are left out. How many it were.
    pub(crate) async fn counted(&self, counter: &str, many: u64) -> u64 {
        let mut inbox = self.0.lock().await;
        let counted = async {
            while inbox.counts.get(counter).is_none_or(|count| *count < many) {
                if inbox.next_of(&[Kind::METRIC]).await.is_none() {
                    panic!("the plugin is gone");
                }
            }
            inbox.counts.remove(counter).unwrap_or_default()
        };
        match timeout(PATIENCE, counted).await {
            Ok(count) => count,
            Err(_) => inbox.miss(&format!("that it has counted {many} `{counter}`")),
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
