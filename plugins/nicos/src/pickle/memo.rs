//! The values that a payload may refer to again.

use std::collections::BTreeMap;

use super::node::Id;

/// Values by number. Picklers count from 0, so the numbers below the payload's length, which also bounds what that can cost,
/// are kept in a row; other numbers are legal, and kept apart.
pub(super) struct Memo {
    row: Vec<Option<Id>>,
    longest_row: usize,
    strays: BTreeMap<u64, Id>,
    len: usize,
}

impl Memo {
    /// An empty memo for a payload of so many bytes.
    pub(super) fn new(payload: usize) -> Self {
        Self {
            row: Vec::new(),
            longest_row: payload,
            strays: BTreeMap::new(),
            len: 0,
        }
    }

    /// How many values are stored, which is the number that MEMOIZE gives the next one.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: u64) -> Option<Id> {
        match self.place(key) {
            Some(place) => self.row.get(place).copied().flatten(),
            None => self.strays.get(&key).copied(),
        }
    }

    pub(super) fn insert(&mut self, key: u64, id: Id) {
        let before = match self.place(key) {
            Some(place) => {
                if self.row.len() <= place {
                    self.row.resize(place + 1, None);
                }
                self.row.get_mut(place).and_then(|slot| slot.replace(id))
            }
            None => self.strays.insert(key, id),
        };
        self.len += usize::from(before.is_none());
    }

    fn place(&self, key: u64) -> Option<usize> {
        usize::try_from(key)
            .ok()
            .filter(|&place| place < self.longest_row)
    }
}
