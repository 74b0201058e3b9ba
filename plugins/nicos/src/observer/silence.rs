//! Noticing that the event connection says nothing although something happens: its bytes may be lost on their way while
//! the connection for commands is well.

use tokio::time::Instant;

use super::Observer;
use super::look::Looker;
use crate::lane::Lane;

/// What is watched.
pub(super) struct Watch {
    /// How many events have come.
    heard: u64,
    /// When the daemon is looked at next; while there is no link, never.
    next: Option<Instant>,
    /// The daemon shows something that no event has told.
    suspicion: Option<Suspicion>,
}

struct Suspicion {
    /// How many events had come by then.
    heard: u64,
    /// Until when one may come.
    due: Instant,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            heard: 0,
            next: None,
            suspicion: None,
        }
    }

    /// An event has come.
    pub(super) fn hear(&mut self) {
        self.heard += 1;
    }

    /// When something is to be done.
    pub(super) fn due(&self) -> Option<Instant> {
        self.suspicion.as_ref().map(|it| it.due).or(self.next)
    }

    /// There is no link.
    pub(super) fn rest(&mut self) {
        self.next = None;
        self.suspicion = None;
    }
}

impl Observer {
    /// Another link: it is not to blame for what the one before has missed.
    pub(super) fn watch_anew(&mut self) {
        self.watch.suspicion = None;
        self.watch.next = Some(Instant::now() + self.settings.look);
    }

    /// Does what is due: looks at the daemon, or gives up a link by which nothing has come although something should.
    pub(super) async fn watch(&mut self, lane: &Lane) {
        if self.watch.due().is_none_or(|due| due > Instant::now()) {
            return;
        }
        match self.watch.suspicion.take() {
            Some(suspicion) if suspicion.heard == self.watch.heard => lane.give_up(self.epoch),
            Some(_) => {}
            // It is being looked at anyway.
            None if self.pending.is_some() => self.watch_anew(),
            None => {
                self.watch_anew();
                self.suspect(lane).await;
            }
        }
    }

    async fn suspect(&mut self, lane: &Lane) {
        let looker = Looker {
            settings: &self.settings,
            lane,
            decoder: self.daemon.decoder(),
        };
        let Ok(status) = looker.status().await else {
            return;
        };
        if self.known.jobs().is_news(&status) {
            // It may be on its way.
            self.watch.suspicion = Some(Suspicion {
                heard: self.watch.heard,
                due: Instant::now() + self.settings.silence,
            });
        }
    }
}
