//! Gives the worker one job after the other, keeps a worker alive, and makes changes to the queue: on disk first, then on
//! the board. All changes go through here, one after the other, so that disk and board never differ.
//!
//! ```text
//! queue ─► marked as started on disk ─► on the board ─► sent to the worker ─► its word ─► ended on disk ─► on the board
//! ```
//!
//! What must not wait for a disk, pause and stop, goes from the client to the worker directly.

mod hands;
mod heard;
mod jobs;
mod orders;

use std::sync::Arc;

use patchbay_sdk::{Fault, FaultKind, Health, Stop};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::board::Board;
use crate::config::Settings;
use crate::store::Store;
use crate::worker::Done;
use hands::Hands;
pub use orders::Order;

/// Orders that wait for the disk.
const WAITING: usize = 256;

/// The way to the foreman. Clones lead to the same.
#[derive(Clone)]
pub struct Desk {
    orders: mpsc::Sender<(Order, oneshot::Sender<Result<(), Fault>>)>,
}

/// What the foreman knows beside what stands on the board.
pub struct Foreman {
    settings: Arc<Settings>,
    board: Arc<Board>,
    store: Store,
    orders: mpsc::Receiver<(Order, oneshot::Sender<Result<(), Fault>>)>,
    hands: Hands,
    /// When the job that runs has run for too long.
    overdue: Option<Instant>,
    ending: Option<Ending>,
    /// Outputs on which the end of what belongs to the job was seen.
    marks: u8,
    /// The last job could not be marked on disk as started.
    disk_refuses: bool,
}

/// A job that has ended, and what other programs have printed for it is still being read.
struct Ending {
    done: Done,
    until: Instant,
}

impl Desk {
    /// Orders something, and waits until it is done; it is done also if nobody waits.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn order(&self, order: Order) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        let sent = self.orders.try_send((order, answer));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::new(
                FaultKind::Busy,
                "the disk with the queue is too slow for all that is asked of it",
            ),
            mpsc::error::TrySendError::Closed(_) => ending(),
        })?;
        answered.await.unwrap_or_else(|_| Err(ending()))
    }
}

fn ending() -> Fault {
    Fault::new(FaultKind::ShuttingDown, "the backend is ending")
}

impl Foreman {
    /// Begins with what is on disk.
    #[must_use]
    pub fn new(settings: Arc<Settings>, board: Arc<Board>, store: Store) -> (Desk, Self) {
        let (orders, receiver) = mpsc::channel(WAITING);
        let foreman = Self {
            settings,
            board,
            store,
            orders: receiver,
            hands: Hands::none(Instant::now()),
            overdue: None,
            ending: None,
            marks: 0,
            disk_refuses: false,
        };
        (Desk { orders }, foreman)
    }

    /// Works until the instance ends; then the job that runs ends, too.
    pub async fn work(mut self, stop: Stop) {
        while !stop.is_stopping() {
            self.begin_next().await;
            let due = self.due();
            tokio::select! {
                heard = self.hands.hears() => self.heard(heard).await,
                Some((order, answer)) = self.orders.recv() => {
                    let done = self.carry_out(order).await;
                    let _ = answer.send(done);
                }
                () = self.board.woken() => {}
                () = sleep_until(due) => self.on_time().await,
                () = stop.wait() => {}
            }
        }
        self.farewell().await;
    }

    /// When something is due at the latest.
    fn due(&self) -> Instant {
        let ending = self.ending.as_ref().map(|ending| ending.until);
        let dues = [self.hands.due(), self.overdue, ending];
        let far = Instant::now() + std::time::Duration::from_secs(3600);
        dues.into_iter().flatten().min().unwrap_or(far)
    }

    async fn on_time(&mut self) {
        let now = Instant::now();
        if self
            .ending
            .as_ref()
            .is_some_and(|ending| ending.until <= now)
        {
            self.finish_ending().await;
        }
        if self.overdue.is_some_and(|overdue| overdue <= now) {
            self.overdue = None;
            self.abort_overdue();
        }
        if self.hands.due().is_some_and(|due| due <= now) {
            self.see_to_worker().await;
        }
    }

    fn disk(&mut self, refuses: bool) {
        if self.disk_refuses != refuses {
            self.disk_refuses = refuses;
            self.board.health(match refuses {
                true => Health::Degraded("the queue on disk cannot be written; see the log".into()),
                false => Health::Up,
            });
        }
    }
}
