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

/// The texts of all the settled answers kept may not be longer than this together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Bounded by number and bytes; the oldest go first. What is under way, or answered but not yet acknowledged to the
/// broker, stays: the broker may deliver it again. That much is bounded by the messages taken.
#[derive(Debug)]
pub struct Memory<W> {
    entries: HashMap<Key, Entry<W>>,
    /// Acknowledged or given up, oldest first.
    settled: VecDeque<Key>,
    /// So many of the oldest of them have lost their texts.
    shortened: usize,
    /// The length of the texts that the others have.
    bytes: usize,
    limit: usize,
}

#[derive(Debug)]
enum Entry<W> {
    Running(Vec<W>),
    /// `None`: the text was too long to keep.
    Done(Option<Arc<str>>),
}

/// What is known of a request.
#[derive(Debug)]
pub enum Known<W> {
    /// Nothing; the waiter comes back.
    New(W),
    /// It is under way; the waiter is kept and comes out of [`Memory::finish`].
    Running,
    /// It was answered like this (`None`: at a length that is not kept); the waiter comes back.
    Done(Option<Arc<str>>, W),
}

impl<W> Memory<W> {
    /// Remembers up to `limit` settled answers.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            settled: VecDeque::new(),
            shortened: 0,
            bytes: 0,
            limit,
        }
    }

    /// Looks a request up. All waiters for one that is under way are kept: the delivery before may have been on a
    /// connection that is gone, but a message id can be forged, and then it may be on this one.
    pub fn look_up(&mut self, key: &Key, waiter: W) -> Known<W> {
        match self.entries.get_mut(key) {
            None => Known::New(waiter),
            Some(Entry::Running(waiters)) => {
                waiters.push(waiter);
                Known::Running
            }
            Some(Entry::Done(answer)) => Known::Done(answer.clone(), waiter),
        }
    }

    /// The request is being done from now on.
    pub fn begin(&mut self, key: Key) {
        self.entries.insert(key, Entry::Running(Vec::new()));
    }

    /// The request was answered; whoever waited for that comes out.
    pub fn finish(&mut self, key: &Key, answer: Arc<str>) -> Vec<W> {
        let Some(entry) = self.entries.get_mut(key) else {
            return Vec::new();
        };
        match std::mem::replace(entry, Entry::Done(Some(answer))) {
            Entry::Running(waiters) => waiters,
            Entry::Done(_) => Vec::new(),
        }
    }

    /// The answer is with the broker and the request acknowledged, or both were given up. Once for each `finish`.
    pub fn settle(&mut self, key: Key) {
        let Some(Entry::Done(Some(answer))) = self.entries.get(&key) else {
            return;
        };
        self.bytes += answer.len();
        self.settled.push_back(key);
        self.shorten_oldest();
        self.forget_oldest();
    }

    fn shorten_oldest(&mut self) {
        while self.bytes > MAX_BYTES {
            let Some(oldest) = self.settled.get(self.shortened) else {
                return;
            };
            if let Some(Entry::Done(answer)) = self.entries.get_mut(oldest) {
                self.bytes -= answer.take().map_or(0, |answer| answer.len());
            }
            self.shortened += 1;
        }
    }

    fn forget_oldest(&mut self) {
        while self.settled.len() > self.limit {
            let Some(oldest) = self.settled.pop_front() else {
                return;
            };
            self.shortened = self.shortened.saturating_sub(1);
            if let Some(Entry::Done(Some(answer))) = self.entries.remove(&oldest) {
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
        assert_eq!(memory.finish(&key(1), "answer".into()), ["first", "second"]);
        assert!(
            matches!(memory.look_up(&key(1), "w"), Known::Done(Some(answer), "w") if &*answer == "answer")
        );
        let other = Key {
            reply_to: "/queue/b".into(),
            ..key(1)
        };
        assert!(matches!(memory.look_up(&other, "w"), Known::New("w")));
    }

    fn known(memory: &mut Memory<()>, keys: std::ops::Range<usize>) -> usize {
        keys.filter(|n| !matches!(memory.look_up(&key(*n), ()), Known::New(())))
            .count()
    }

    #[test]
    fn only_so_many_settled_answers_are_kept_but_all_that_may_be_delivered_again() {
        let mut memory = Memory::new(2);
        for n in 0..15 {
            memory.begin(key(n));
        }
        for n in 0..10 {
            memory.finish(&key(n), "x".into());
        }
        assert_eq!(known(&mut memory, 0..15), 15);
        for n in 0..5 {
            memory.settle(key(n));
        }
        assert_eq!(known(&mut memory, 0..5), 2);
        assert_eq!(known(&mut memory, 5..15), 10);
    }

    #[test]
    fn of_long_answers_only_the_text_is_forgotten() {
        let mut memory = Memory::<()>::new(1_000);
        for n in 0..40 {
            memory.begin(key(n));
            memory.finish(&key(n), "x".repeat(1 << 20).into());
            memory.settle(key(n));
        }
        assert!(memory.bytes <= MAX_BYTES && memory.shortened == 24);
        assert!(matches!(memory.look_up(&key(0), ()), Known::Done(None, ())));
        assert!(matches!(
            memory.look_up(&key(39), ()),
            Known::Done(Some(_), ())
        ));
    }
}
