//! One life of an instance, from its opening to the settling of its debts.

use super::{Charge, Ending};
use crate::broker::{Broker, Life};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// What a life may tell before it is listened to.
const LIFE_QUEUE: usize = 16;

/// Ends when it is dropped, with or without having been stopped.
pub(super) struct Living {
    broker: Arc<Broker>,
    seat: usize,
    pub(super) epoch: u64,
    port: Port,
    pub(super) told: mpsc::Receiver<Life>,
}

impl Living {
    /// Opens and starts an instance. `beside` the present life it is spoken to when it takes over,
    /// otherwise at once.
    pub(super) fn begin(
        broker: &Arc<Broker>,
        charge: &Charge,
        beside: bool,
    ) -> Result<Living, Fault> {
        let (seat, epoch) = (charge.seat, new_epoch());
        let (tell, told) = mpsc::channel(LIFE_QUEUE);
        let host = broker.side(seat, epoch, tell);
        let id = broker.seats()[seat].id();
        let internal = |why: String| Fault::new(FaultKind::Internal, why);
        let port = charge.plugin.open(id, host).map_err(internal)?;
        match beside {
            true => broker.prepare(seat, epoch, port.clone()),
            false => broker.connect(seat, epoch, port.clone()),
        }
        let life = Living {
            broker: broker.clone(),
            seat,
            epoch,
            port,
            told,
        };
        let head = head::Start {
            instance: id.to_owned(),
            level: charge.level.to_owned(),
        };
        let start = Message::new(Kind::START, 0, &head).body(charge.config.clone());
        match life.port.deliver(start) {
            Delivery::Taken => Ok(life),
            _ => Err(internal("it does not take its start".to_owned())),
        }
    }

    /// From now on it logs this.
    pub(super) fn log_at(&self, level: &str) {
        let level = level.to_owned();
        let head = head::Level { level };
        self.port.deliver(Message::new(Kind::LEVEL, 0, &head));
    }

    /// Whether it has answers to give.
    pub(super) fn owes(&self) -> bool {
        self.broker.owes(self.seat, self.epoch)
    }

    /// Asks it to finish, and waits for that.
    pub(super) async fn stop_within(&mut self, deadline: Duration) -> Ending {
        let head = head::Stop {
            deadline_ms: deadline.as_millis() as u64,
        };
        self.port.deliver(Message::new(Kind::STOP, 0, &head));
        let stopped = async {
            while let Some(event) = self.told.recv().await {
                if !matches!(event, Life::Ready) {
                    return;
                }
            }
        };
        match tokio::time::timeout(deadline, stopped).await {
            Ok(()) => Ending::Clean,
            Err(_) => Ending::CutOff,
        }
    }
}

impl Drop for Living {
    /// Before the port is dropped: the plugin's own tasks end with it, and their word on what they
    /// leave undone is worth less than the broker's.
    fn drop(&mut self) {
        self.broker.disconnect(self.seat, self.epoch);
    }
}

/// Milliseconds since 1970, or one more than the last one: no life of this or an earlier process had
/// the same.
fn new_epoch() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(1, |since| since.as_millis() as u64);
    let next = |last: u64| now.max(last + 1);
    let last = LAST.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
    next(last.unwrap_or_default())
}
