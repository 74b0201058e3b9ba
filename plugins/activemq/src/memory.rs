//! What has been done already: a request that the broker delivers again is answered from here and not done again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Which request: who asked, and the broker's message id. Never the correlation id, which is not unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The `reply-to` header.
    pub reply_to: String,
    /// The `message-id` header.
    pub message_id: String,
}

/// All the answers kept may not be longer than this together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Bounded by number and bytes; the oldest answers go first. Requests that are still under way stay.
#[derive(Debug)]
pub struct Memory<W> {
    entries: HashMap<Key, Entry<W>>,
    done: VecDeque<Key>,
    bytes: usize,
    limit: usize,
}

#[derive(Debug)]
enum Entry<W> {
    Running(Option<W>),
    Done(Arc<str>),
}

/// What is known of a request.
#[derive(Debug)]
pub enum Known<W> {
    /// Nothing; the waiter comes back.
    New(W),
    /// It is under way; the waiter is kept and comes out of [`Memory::finish`].
    Running,
    /// It was answered like this; the waiter comes back.
    Done(Arc<str>, W),
}

impl<W> Memory<W> {
    /// Remembers up to `limit` answers.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            done: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// Looks a request up. Of several waiters for one that is under way the latest is kept: the delivery before it was
    /// on a connection that is gone.
    pub fn look_up(&mut self, key: &Key, waiter: W) -> Known<W> {
        match self.entries.get_mut(key) {
            None => Known::New(waiter),
            Some(Entry::Running(slot)) => {
                *slot = Some(waiter);
                Known::Running
            }
            Some(Entry::Done(answer)) => Known::Done(answer.clone(), waiter),
        }
    }

    /// The request is being done from now on.
    pub fn begin(&mut self, key: Key) {
        self.entries.insert(key, Entry::Running(None));
    }

    /// The request was answered; whoever waited for that comes out.
    pub fn finish(&mut self, key: &Key, answer: Arc<str>) -> Option<W> {
        let before = self.entries.remove(key)?;
        self.bytes += answer.len();
        self.entries.insert(key.clone(), Entry::Done(answer));
        self.done.push_back(key.clone());
        self.forget_oldest();
        match before {
            Entry::Running(waiter) => waiter,
            Entry::Done(_) => None,
        }
    }

    fn forget_oldest(&mut self) {
        while self.done.len() > self.limit || self.bytes > MAX_BYTES {
            let Some(oldest) = self.done.pop_front() else {
                return;
            };
            if let Some(Entry::Done(answer)) = self.entries.remove(&oldest) {
                self.bytes -= answer.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Key {
        Key {
            reply_to: "/queue/a".into(),
            message_id: n.to_string(),
        }
    }

    #[test]
    fn a_request_is_new_then_under_way_then_done() {
        let mut memory = Memory::new(2);
        assert!(matches!(memory.look_up(&key(1), "w"), Known::New("w")));
        memory.begin(key(1));
        assert!(matches!(memory.look_up(&key(1), "first"), Known::Running));
        assert!(matches!(memory.look_up(&key(1), "second"), Known::Running));
        assert_eq!(memory.finish(&key(1), "answer".into()), Some("second"));
        assert!(
            matches!(memory.look_up(&key(1), "w"), Known::Done(answer, "w") if &*answer == "answer")
        );
        let other = Key {
            reply_to: "/queue/b".into(),
            ..key(1)
        };
        assert!(matches!(memory.look_up(&other, "w"), Known::New("w")));
    }

    #[test]
    fn only_so_many_answers_are_kept_but_all_that_is_under_way() {
        let mut memory = Memory::new(2);
        for n in 0..10 {
            memory.begin(key(n));
        }
        for n in 0..5 {
            memory.finish(&key(n), "x".into());
        }
        let kept = (0..10)
            .filter(|n| !matches!(memory.look_up(&key(*n), ()), Known::New(())))
            .count();
        assert_eq!(kept, 2 + 5);
    }

    #[test]
    fn long_answers_are_forgotten_sooner() {
        let mut memory = Memory::<()>::new(1_000);
        for n in 0..40 {
            memory.begin(key(n));
            memory.finish(&key(n), "x".repeat(1 << 20).into());
        }
        assert!(memory.bytes <= MAX_BYTES && memory.done.len() == 16);
    }
}
