//! Clients that have reason to complain.

use crate::support::lines::{Lines, Reader};
use patchbay_testkit::conformance::{Client, Protocol, Told};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The rogue door speaks no protocol.
pub struct Nobody;

impl Protocol for Nobody {
    type Client = Guest;

    async fn connect(&self) -> Result<Guest, String> {
        Err("nobody listens".to_owned())
    }
}

/// The way to a frontend that does not let everybody come back.
pub struct Picky {
    pub lines: Lines,
    /// Once somebody has babbled nobody comes in any more, until all are gone.
    pub is_fragile: bool,
    /// Nobody comes in while so many others are there.
    pub most: usize,
    babbled: Arc<AtomicBool>,
    there: Arc<AtomicUsize>,
}

impl Picky {
    pub fn fragile(lines: Lines) -> Picky {
        Picky::new(lines, true, usize::MAX)
    }

    pub fn crowded(lines: Lines, most: usize) -> Picky {
        Picky::new(lines, false, most)
    }

    fn new(lines: Lines, is_fragile: bool, most: usize) -> Picky {
        Picky {
            lines,
            is_fragile,
            most,
            babbled: Arc::default(),
            there: Arc::default(),
        }
    }
}

impl Protocol for Picky {
    type Client = Guest;

    async fn connect(&self) -> Result<Guest, String> {
        let there = self.there.load(Ordering::Relaxed);
        let is_hurt = self.babbled.load(Ordering::Relaxed) && there > 0;
        if (self.is_fragile && is_hurt) || there >= self.most {
            return Err("the door is closed".to_owned());
        }
        self.babbled.store(is_hurt, Ordering::Relaxed);
        let reader = self.lines.connect().await?;
        self.there.fetch_add(1, Ordering::Relaxed);
        let (babbled, there) = (self.babbled.clone(), self.there.clone());
        Ok(Guest {
            reader,
            babbled,
            there,
        })
    }
}

/// One that came in.
pub struct Guest {
    reader: Reader,
    babbled: Arc<AtomicBool>,
    there: Arc<AtomicUsize>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.there.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client for Guest {
    async fn login(&mut self, user: &str, password: &str) -> Result<Told, String> {
        self.reader.login(user, password).await
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        self.reader.send(tag, op, args).await
    }

    async fn answer(&mut self) -> Result<(u64, Told), String> {
        self.reader.answer().await
    }

    async fn subscribe(&mut self) -> Result<bool, String> {
        self.reader.subscribe().await
    }

    async fn event(&mut self) -> Result<Value, String> {
        self.reader.event().await
    }

    async fn babble(&mut self) -> Result<bool, String> {
        self.babbled.store(true, Ordering::Relaxed);
        self.reader.babble().await
    }
}
