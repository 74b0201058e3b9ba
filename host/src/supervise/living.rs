//! One life of an instance, from its opening to the settling of its debts.

use super::pulse::Pulse;
use super::{Charge, Ending, remains};
use crate::broker::{Broker, Life};
use crate::plugin::Instance;
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
    /// `None` when it is over.
    pub(super) port: Option<Port>,
    /// The number of its own process, if it has one.
    pub(super) process: Option<u32>,
    pub(super) told: mpsc::Receiver<Life>,
    pub(super) pulse: Pulse,
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
        let opened = charge.plugin.open_at(charge.home, id, host);
        let Instance { port, process } = opened.map_err(internal)?;
        match beside {
            true => broker.prepare(seat, epoch, port.clone()),
            false => broker.connect(seat, epoch, port.clone()),
        }
        let life = Living {
            broker: broker.clone(),
            seat,
            epoch,
            port: Some(port),
            process,
            told,
            pulse: Pulse::new(charge.hang),
        };
        let head = head::Start {
            instance: id.to_owned(),
            level: broker.seats()[seat].begins_to_log(charge.level).to_owned(),
        };
        let start = Message::new(Kind::START, 0, &head).body(charge.config.clone());
        match life.say(start) {
            Some(Delivery::Taken) => Ok(life),
            _ => Err(internal("it does not take its start".to_owned())),
        }
    }

    fn say(&self, message: Message) -> Option<Delivery> {
        self.port.as_ref().map(|port| port.deliver(message))
    }

    /// From now on it logs this.
    pub(super) fn log_at(&self, level: &str) {
        let level = level.to_owned();
        let head = head::Level { level };
        self.say(Message::new(Kind::LEVEL, 0, &head));
    }

    /// Logs one of the clients of a former life in.
    pub(super) fn meet_a_client_of(&self, former: u64) {
        self.broker.introduce(self.seat, former, self.epoch);
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
        self.say(Message::new(Kind::STOP, 0, &head));
        let stopped = async {
            loop {
                match self.told.recv().await {
                    Some(Life::Ready | Life::Answers(_)) => {}
                    // It has ended, but not by finishing what it had.
                    Some(Life::Failed(_)) => return Ending::CutOff,
                    Some(Life::Stopped) | None => return Ending::Clean,
                }
            }
        };
        let stopped = tokio::time::timeout(deadline, stopped).await;
        stopped.unwrap_or(Ending::CutOff)
    }

    /// Ends it, and waits until nothing is left of it, but not for ever.
    pub(super) async fn see_off(mut self) {
        let told = self.part();
        remains::see_off(self.broker.clone(), self.seat, told).await;
    }

    /// What it owes is settled before its port is dropped: the plugin's own tasks end with that, and their word on what
    /// they leave undone is worth less than the broker's.
    fn part(&mut self) -> mpsc::Receiver<Life> {
        self.broker.disconnect(self.seat, self.epoch);
        self.port = None;
        std::mem::replace(&mut self.told, mpsc::channel(1).1)
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let told = self.part();
        let seen_off = remains::see_off(self.broker.clone(), self.seat, told);
        // Without a runtime the process is ending.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(seen_off);
        }
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
