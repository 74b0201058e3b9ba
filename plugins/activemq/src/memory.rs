//! What has been done already: a request that the broker delivers again is answered from here and not done again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::key::Key;

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
    /// Delivered last on the connection of that number; if that is not the first one, somebody waits there.
    Running(u64, Option<W>),
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
    /// It is under way for another message with the same key on the same connection; the waiter comes back.
    Copy(W),
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

    /// Looks up a request that came on the connection of that number. One waits for what is under way, who came last: the
    /// connections of those before are gone, and nobody can acknowledge on them. The broker delivers nothing twice on one
    /// connection, so that what comes so is a forgery, and must not wait: it would keep others from being delivered.
    pub fn look_up(&mut self, key: &Key, connection: u64, waiter: W) -> Known<W> {
        match self.entries.get_mut(key) {
            None => Known::New(waiter),
            Some(Entry::Running(last, _)) if *last == connection => Known::Copy(waiter),
            Some(running @ Entry::Running(..)) => {
                *running = Entry::Running(connection, Some(waiter));
                Known::Running
            }
            Some(Entry::Done(answer)) => Known::Done(answer.clone(), waiter),
        }
    }

    /// The request, which was looked up, is being done from now on. What is known already stays known.
    pub fn begin(&mut self, key: Key, connection: u64) {
        let entry = self.entries.entry(key);
        entry.or_insert(Entry::Running(connection, None));
    }

    /// The request is not done after all; before anybody could wait for it.
    pub fn forget(&mut self, key: &Key) {
        if matches!(self.entries.get(key), Some(Entry::Running(_, None))) {
            self.entries.remove(key);
        }
    }

    /// The request was answered; whoever waited for that comes out.
    pub fn finish(&mut self, key: &Key, answer: Arc<str>) -> Option<W> {
        let entry = self.entries.get_mut(key)?;
        match std::mem::replace(entry, Entry::Done(Some(answer))) {
            Entry::Running(_, waiter) => waiter,
            Entry::Done(_) => None,
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
            digest: [0; 32],
        }
    }

    #[test]
    fn a_request_is_new_then_under_way_then_done() {
        let mut memory = Memory::new(2);
        assert!(matches!(memory.look_up(&key(1), 1, "w"), Known::New("w")));
        memory.begin(key(1), 1);
        assert!(matches!(memory.look_up(&key(1), 2, "w"), Known::Running));
        memory.begin(key(1), 2);
        assert_eq!(memory.finish(&key(1), "answer".into()), Some("w"));
        assert!(
            matches!(memory.look_up(&key(1), 3, "w"), Known::Done(Some(answer), "w") if &*answer == "answer")
        );
        let others = [
            Key {
                reply_to: "/queue/b".into(),
                ..key(1)
            },
            Key {
                digest: [1; 32],
                ..key(1)
            },
        ];
        for other in others {
            assert!(matches!(memory.look_up(&other, 1, "w"), Known::New("w")));
        }
    }

    #[test]
    fn one_waits_for_each_request_on_the_connection_that_there_is() {
        let mut memory = Memory::new(2);
        memory.begin(key(1), 1);
        for (connection, waiter) in [(1, "copy"), (2, "first"), (3, "second"), (3, "copy")] {
            match memory.look_up(&key(1), connection, waiter) {
                Known::Copy(back) => assert_eq!((waiter, back), ("copy", "copy")),
                Known::Running => assert_ne!(waiter, "copy"),
                other => panic!("{other:?}"),
            }
        }
        memory.forget(&key(1));
        assert_eq!(memory.finish(&key(1), "answer".into()), Some("second"));
        memory.begin(key(2), 1);
        memory.forget(&key(2));
        assert!(matches!(memory.look_up(&key(2), 1, "w"), Known::New("w")));
    }

    fn known(memory: &mut Memory<()>, keys: std::ops::Range<usize>) -> usize {
        keys.filter(|n| !matches!(memory.look_up(&key(*n), 1, ()), Known::New(())))
            .count()
    }

    #[test]
    fn only_so_many_settled_answers_are_kept_but_all_that_may_be_delivered_again() {
        let mut memory = Memory::new(2);
        for n in 0..15 {
            memory.begin(key(n), 1);
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
            memory.begin(key(n), 1);
            memory.finish(&key(n), "x".repeat(1 << 20).into());
            memory.settle(key(n));
        }
        assert!(memory.bytes <= MAX_BYTES && memory.shortened == 24);
        assert!(matches!(
            memory.look_up(&key(0), 1, ()),
            Known::Done(None, ())
        ));
        assert!(matches!(
            memory.look_up(&key(39), 1, ()),
            Known::Done(Some(_), ())
        ));
    }
}
