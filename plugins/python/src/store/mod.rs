//! Queue and history on disk: an SQLite database, on a thread of its own, since disks are slow and may hang.
//!
//! Each change is synced before it is said to be done. The database is locked for as long as it is open, so that no two
//! instances can share a folder.

mod rows;

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use patchbay_sdk::{Fault, FaultKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

pub use rows::{Found, Loaded};

/// Changes that wait for the disk.
const WAITING: usize = 256;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the database. Clones lead to the same.
#[derive(Clone)]
pub struct Store {
    work: SyncSender<Work>,
}

impl Store {
    /// Opens the database in that folder, or makes it.
    ///
    /// # Errors
    /// A sentence that names the file and says what is wrong with it.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let file = folder.join("jobs.sqlite");
        let wrong = |error: &dyn std::fmt::Display| {
            let text = format!("cannot use {}: {error}", file.display());
            Fault::new(FaultKind::Internal, text)
        };
        // Scripts, and who has sent them, are nobody else's business.
        let mut make = std::fs::DirBuilder::new();
        make.recursive(true).mode(0o700);
        make.create(folder).map_err(|error| wrong(&error))?;
        let mut connection =
            rows::open(&file).map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy) => {
                    wrong(
                        &"it is in use, by the present life of this instance, whose new settings need a restart of \
                          the gateway, or by another instance, which needs a `folder` of its own",
                    )
                }
                _ => wrong(&error),
            })?;
        let (work, todo) = sync_channel::<Work>(WAITING);
        let thread = std::thread::Builder::new().name("python-store".into());
        thread
            .spawn(move || work_off(&mut connection, &todo))
            .map_err(|error| wrong(&error))?;
        Ok(Self { work })
    }

    /// Does something with the database. What was begun is finished, also if nobody waits for it any more.
    ///
    /// # Errors
    /// `Unavailable` if the disk refuses, `Busy` if too much waits for it.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let _ = answer.send(work(connection));
        });
        self.work.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => Fault::new(
                FaultKind::Busy,
                "the disk with the queue is too slow for all that is asked of it",
            ),
            TrySendError::Disconnected(_) => gone(),
        })?;
        match answered.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(gone()),
        }
    }
}

fn work_off(connection: &mut Connection, todo: &Receiver<Work>) {
    while let Ok(work) = todo.recv() {
        work(connection);
    }
}

fn refused(error: &rusqlite::Error) -> Fault {
    let text = format!("the queue on disk refuses: {error}; nothing was changed");
    Fault::new(FaultKind::Unavailable, text)
}

fn gone() -> Fault {
    Fault::new(
        FaultKind::Internal,
        "the thread that keeps the queue on disk has ended",
    )
}
