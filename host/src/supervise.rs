//! The lives of an instance: started, listened to, started anew when it fails, stopped.
//!
//! Whatever an instance does or leaves undone, its supervisor goes on: each wait has an end. A life that hangs, in
//! its start, in its work (`pulse`) or in its end, is given up; what it leaves behind is counted (`remains`). How soon a
//! new one begins, and when none does any more, `failures` says.

mod failures;
mod pulse;
mod remains;

use crate::broker::{Broker, Life, Phase};
use crate::config::Restart;
use crate::plugin::Plugin;
use failures::Failures;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use pulse::Pulse;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

/// What a life may tell before it is listened to.
const LIFE_QUEUE: usize = 16;

/// An instance to look after.
pub struct Charge {
    /// Its position in the broker.
    pub seat: usize,
    /// What it is an instance of.
    pub plugin: Arc<Plugin>,
    /// Its configuration, as JSON.
    pub config: String,
    /// What it logs.
    pub level: &'static str,
    /// How long a start may take.
    pub start_deadline: Duration,
    /// How long it may not answer before it counts as hanging; for ever if `None`.
    pub hang: Option<Duration>,
    /// How long it may take to finish when it is restarted.
    pub stop_deadline: Duration,
    /// What happens when it fails.
    pub restart: Restart,
}

/// When to stop: nothing yet, or how long stopping may take.
pub type StopOrder = watch::Receiver<Option<Duration>>;

/// Dropped when the instance serves for the first time.
pub type ReadyLatch = mpsc::Sender<()>;

/// How the last life of an instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It finished what it had.
    Clean,
    /// It did not finish in time.
    CutOff,
}

enum Ended {
    Asked(Ending),
    Failed(Fault),
    /// An operator wants it started anew.
    ToRestart,
}

/// Keeps an instance alive until it is to stop.
pub async fn supervise(
    broker: Arc<Broker>,
    charge: Charge,
    mut stop: StopOrder,
    ready: ReadyLatch,
) -> Ending {
    let mut failures = Failures::new(charge.restart.clone());
    let mut ready = Some(ready);
    let mut epoch = 0;
    let seat = &broker.seats()[charge.seat];
    seat.is_of(&charge.plugin.manifest.name);
    loop {
        seat.enters(Phase::Starting, "");
        epoch = new_epoch().max(epoch + 1);
        let ended = live(&broker, &charge, epoch, &mut stop, &mut ready).await;
        let fault = match ended {
            Ended::Asked(ending) => {
                seat.enters(Phase::Stopped, "");
                return ending;
            }
            Ended::ToRestart => continue,
            Ended::Failed(fault) => fault,
        };
        let id = seat.id();
        broker.metrics().add(id, "failures", 1);
        let pause = match fault.kind {
            // The same configuration is as wrong the next time.
            FaultKind::Invalid => None,
            // Threads that hang must not pile up.
            _ if seat.life().abandoned >= charge.restart.max_abandoned => None,
            _ => failures.next_pause(),
        };
        // What it says may be a peer's words: as a field it is escaped.
        let fault_said = fault.message.as_str();
        match pause {
            Some(pause) => {
                seat.waits(pause, fault_said);
                let pause_ms = pause.as_millis();
                tracing::error!(
                    instance = id,
                    fault = fault_said,
                    "failed; starts anew in {pause_ms} ms"
                );
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = seat.restart_asked() => {}
                    _ = ordered(&mut stop) => return Ending::Clean,
                }
            }
            None => {
                tracing::error!(
                    instance = id,
                    fault = fault_said,
                    "failed and is quarantined: its configuration is wrong, it failed too often (restart_max, \
                     restart_window_s), or too many of its threads hang (max_abandoned); mend the cause, then \
                     `patchbay restart` it"
                );
                seat.enters(Phase::Quarantined, fault_said);
                tokio::select! {
                    () = seat.restart_asked() => failures.forgive(),
                    _ = ordered(&mut stop) => return Ending::Clean,
                }
            }
        }
    }
}

/// One life, from its start to the settling of its debts.
async fn live(
    broker: &Arc<Broker>,
    charge: &Charge,
    epoch: u64,
    stop: &mut StopOrder,
    ready: &mut Option<ReadyLatch>,
) -> Ended {
    let (tell, mut told) = mpsc::channel(LIFE_QUEUE);
    let host = broker.side(charge.seat, epoch, tell);
    let id = broker.seats()[charge.seat].id();
    let port = match charge.plugin.open(id, host) {
        Ok(port) => port,
        Err(why) => return Ended::Failed(Fault::new(FaultKind::Internal, why)),
    };
    broker.connect(charge.seat, epoch, port.clone());
    let head = head::Start {
        instance: id.to_owned(),
        level: charge.level.to_owned(),
    };
    let start = Message::new(Kind::START, 0, &head).body(charge.config.clone());
    let ended = match port.deliver(start) {
        Delivery::Taken => listen(broker, charge, &port, stop, ready, &mut told).await,
        _ => Ended::Failed(Fault::new(
            FaultKind::Internal,
            "it does not take its start",
        )),
    };
    // Before the port is dropped: the plugin's own tasks end with it, and their word on what they
    // leave undone is worth less than the broker's.
    if let Ended::Failed(fault) = &ended {
        broker.seats()[charge.seat].enters(Phase::Stopping, &fault.message);
    }
    broker.disconnect(charge.seat, epoch);
    drop(port);
    if let Ended::Asked(_) = ended {
        return ended;
    }
    // A new life shall find what this one held: a port, a file.
    let seen_off = remains::see_off(broker, charge.seat, told);
    tokio::pin!(seen_off);
    tokio::select! {
        () = &mut seen_off => ended,
        within = ordered(stop) => Ended::Asked(match tokio::time::timeout(within, seen_off).await {
            Ok(()) => Ending::Clean,
            Err(_) => Ending::CutOff,
        }),
    }
}

async fn listen(
    broker: &Broker,
    charge: &Charge,
    port: &Port,
    stop: &mut StopOrder,
    ready: &mut Option<ReadyLatch>,
    told: &mut mpsc::Receiver<Life>,
) -> Ended {
    let late = tokio::time::sleep(charge.start_deadline);
    tokio::pin!(late);
    let seat = &broker.seats()[charge.seat];
    let id = seat.id();
    let mut started = false;
    let mut pulse = Pulse::new(charge.hang);
    loop {
        tokio::select! {
            biased;
            within = ordered(stop) => {
                seat.enters(Phase::Stopping, "");
                return Ended::Asked(stop_within(port, within, told).await);
            }
            () = seat.restart_asked() => {
                seat.enters(Phase::Stopping, "");
                tracing::info!(instance = id, "is restarted, as an operator wants");
                if stop_within(port, charge.stop_deadline, told).await == Ending::CutOff {
                    tracing::warn!(instance = id, "did not finish in time and was cut off");
                }
                return Ended::ToRestart;
            }
            event = told.recv() => match event {
                Some(Life::Ready) => {
                    ready.take();
                    if !std::mem::replace(&mut started, true) {
                        seat.enters(Phase::Running, "");
                        tracing::info!(instance = id, plugin = charge.plugin.manifest.name, "started");
                    }
                }
                Some(Life::Answers(ping)) => pulse.answered(ping),
                Some(Life::Failed(fault)) => return Ended::Failed(fault),
                Some(Life::Stopped) | None => {
                    return Ended::Failed(Fault::new(FaultKind::Internal, "it stopped by itself"));
                }
            },
            () = &mut late, if !started => {
                let limit_s = charge.start_deadline.as_secs();
                return hangs(format!(
                    "it did not start within {limit_s} s (start_deadline_s)"
                ));
            }
            patience = pulse.lost(port), if started => {
                let limit_s = patience.as_secs();
                return hangs(format!(
                    "it hangs: its thread has been blocked for {limit_s} s (hang_s)"
                ));
            }
        }
    }
}

fn hangs(why: String) -> Ended {
    Ended::Failed(Fault::new(FaultKind::Timeout, why))
}

/// Waits for the order to stop. If there is nobody left to give it, it counts as given.
async fn ordered(stop: &mut StopOrder) -> Duration {
    match stop.wait_for(Option::is_some).await {
        Ok(within) => within.unwrap_or_default(),
        Err(_) => Duration::ZERO,
    }
}

async fn stop_within(port: &Port, deadline: Duration, told: &mut mpsc::Receiver<Life>) -> Ending {
    let head = head::Stop {
        deadline_ms: deadline.as_millis() as u64,
    };
    port.deliver(Message::new(Kind::STOP, 0, &head));
    let stopped = async {
        loop {
            match told.recv().await {
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

/// Milliseconds since 1970: no life of an earlier process had the same.
fn new_epoch() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.as_millis() as u64)
}
