//! How the lives of an instance are spoken to: the present one, and those beside it that are about to take over, or
//! finish what they have.

use patchbay_abi::{Port, head::Health};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The lines to all lives of an instance that have not ended.
#[derive(Default)]
pub(super) struct Lines(RwLock<All>);

#[derive(Default)]
struct All {
    now: Option<Line>,
    beside: Vec<Line>,
}

struct Line {
    epoch: u64,
    port: Port,
    /// How it said it is before it was its turn.
    said: Option<Health>,
}

impl Lines {
    /// From now on the instance is spoken to by this one.
    pub(super) fn connect(&self, epoch: u64, port: Port) {
        self.write().now = Some(Line::new(epoch, port));
    }

    /// A life begins that shall take over.
    pub(super) fn prepare(&self, epoch: u64, port: Port) {
        self.write().beside.push(Line::new(epoch, port));
    }

    /// It takes over; what it has said of its health. `None` if there is no such life.
    pub(super) fn take_over(&self, epoch: u64) -> Option<Option<Health>> {
        let mut all = self.write();
        let position = all.beside.iter().position(|line| line.epoch == epoch)?;
        let mut heir = all.beside.remove(position);
        let said = heir.said.take();
        let before = all.now.replace(heir);
        all.beside.extend(before);
        Some(said)
    }

    /// That life is spoken to no more.
    pub(super) fn disconnect(&self, epoch: u64) -> Option<Port> {
        let mut all = self.write();
        let now = all.now.take_if(|line| line.epoch == epoch);
        let line = now.or_else(|| {
            let position = all.beside.iter().position(|line| line.epoch == epoch)?;
            Some(all.beside.remove(position))
        });
        line.map(|line| line.port)
    }

    /// The present life, and how to speak to it.
    pub(super) fn now(&self) -> Option<(u64, Port)> {
        let all = self.read();
        let now = all.now.as_ref();
        now.map(|line| (line.epoch, line.port.clone()))
    }

    /// How to speak to that life.
    pub(super) fn of(&self, epoch: u64) -> Option<Port> {
        let all = self.read();
        let mut lines = all.now.iter().chain(&all.beside);
        let line = lines.find(|line| line.epoch == epoch);
        line.map(|line| line.port.clone())
    }

    /// A life says how it is. Whether it is the present one; of another one it is kept for its turn.
    pub(super) fn heard(&self, epoch: u64, health: &Health) -> bool {
        let mut all = self.write();
        if all.now.as_ref().is_some_and(|line| line.epoch == epoch) {
            return true;
        }
        let mut beside = all.beside.iter_mut();
        if let Some(line) = beside.find(|line| line.epoch == epoch) {
            line.said = Some(health.clone());
        }
        false
    }

    fn read(&self) -> RwLockReadGuard<'_, All> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, All> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(epoch: u64, port: Port) -> Self {
        let said = None;
        Line { epoch, port, said }
    }
}
