//! What is wanted of the supervisor of an instance that runs.

use crate::supervise::Charge;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Notify, oneshot};

/// That the instance is started anew, or becomes another one.
pub struct Wish {
    /// What it shall be from now on; as it is if `None`.
    pub charge: Option<Box<Charge>>,
    /// Who wants to know what came of it.
    pub answer: Option<oneshot::Sender<Granted>>,
}

/// What came of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// The instance is what was wanted, and serves.
    Serves,
    /// It is what was wanted, and does not serve: why.
    Fails(String),
    /// It is as it was: why.
    AsBefore(String),
}

impl Wish {
    /// To be started anew as it is.
    pub fn restart() -> Self {
        Wish {
            charge: None,
            answer: None,
        }
    }

    /// Adds somebody who wants to know what came of it. They hear nothing if a later wish takes its
    /// place, or the instance ends.
    pub fn answered(mut self) -> (Self, oneshot::Receiver<Granted>) {
        let (answer, told) = oneshot::channel();
        self.answer = Some(answer);
        (self, told)
    }
}

/// The last wish that has not been taken up.
#[derive(Default)]
pub(super) struct Wishes {
    last: Mutex<Option<Wish>>,
    bell: Notify,
}

impl Wishes {
    pub(super) fn put(&self, wish: Wish) {
        let before = self.lock().replace(wish);
        drop(before);
        self.bell.notify_one();
    }

    pub(super) async fn next(&self) -> Wish {
        loop {
            let last = self.lock().take();
            match last {
                Some(wish) => return wish,
                None => self.bell.notified().await,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Wish>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
