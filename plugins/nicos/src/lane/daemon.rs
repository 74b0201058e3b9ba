//! The daemon, as an instance reaches it.

use std::sync::Arc;

use patchbay_sdk::{Fault, RawJson};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connect::greet;
use super::decode::Decoder;
use super::fault::closing;
use super::link::{Account, Link};
use super::pacer::{Haste, Pacer};
use crate::banner::Banner;
use crate::config::Settings;
use crate::health::Board;

/// What all connections of an instance have in common: how the daemon is reached, when the next one may begin, how
/// much of what comes is decoded at a time, and that all of them end.
#[derive(Debug)]
pub struct Daemon {
    settings: Arc<Settings>,
    board: Arc<Board>,
    pacer: Pacer,
    decoder: Decoder,
    /// Everything that holds a connection.
    pub(super) tasks: TaskTracker,
    pub(super) closing: CancellationToken,
}

impl Daemon {
    /// The daemon that these settings are of; how it is stands on the board.
    #[must_use]
    pub fn new(settings: Arc<Settings>, board: Arc<Board>) -> Arc<Self> {
        Arc::new(Self {
            pacer: Pacer::new(settings.login_pace),
            decoder: Decoder::new(settings.limits.clone(), settings.decoders),
            settings,
            board,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        })
    }

    /// How it is set up.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Where it stands how the daemon is.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Reads what the daemon sends.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Logs in when it is this one's turn.
    ///
    /// # Errors
    /// As [`Link::open`]; `Busy` if the turn does not come within `connect_deadline_s`, `ShuttingDown` if meanwhile
    /// everything is closed.
    pub async fn open(
        &self,
        account: &Account,
        reads_events: bool,
        haste: Haste,
    ) -> Result<Link, Fault> {
        let opening = async {
            let limit = self.settings.connect_deadline;
            self.pacer.turn(haste, limit).await?;
            Link::open(&self.settings, account, reads_events).await
        };
        // One that is broken off has no event connection yet, and the daemon bears that.
        let opened = self.closing.run_until_cancelled(opening).await;
        opened.unwrap_or_else(|| Err(closing()))
    }

    /// Connects and reads the banner, without logging in: whether a daemon is there, and which.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn greet(&self) -> Result<(Banner, RawJson), Fault> {
        let limit = self.settings.connect_deadline;
        self.pacer.turn(Haste::None, limit).await?;
        greet(&self.settings).await
    }

    /// Says farewell for a link that is not needed, in the background.
    pub fn dismiss(&self, link: Link) {
        self.tasks.spawn(link.close());
    }

    /// Closes every connection properly and waits for that, which takes up to three seconds. None can be opened any
    /// more.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
