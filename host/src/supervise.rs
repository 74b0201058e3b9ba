//! The lives of an instance: started, listened to, started anew when it fails, stopped.

use crate::broker::{Broker, Life, Phase};
use crate::config::Restart;
use crate::plugin::Plugin;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
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
    /// How long a start may take before the log says so.
    pub start_deadline: Duration,
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
    let seat = &broker.seats()[charge.seat];
    seat.is_of(&charge.plugin.manifest.name);
    seat.is_built(charge.plugin.build());
    loop {
        seat.enters(Phase::Starting, "");
        let epoch = new_epoch();
        let ended = live(&broker, &charge, epoch, &mut stop, &mut ready).await;
        let fault = match ended {
            Ended::Asked(ending) => {
                seat.enters(Phase::Stopped, "");
                return ending;
            }
            Ended::ToRestart => continue,
            Ended::Failed(fault) => fault,
        };
        let id = broker.seats()[charge.seat].id();
        broker.metrics().add(id, "failures", 1);
        // What it says may be a peer's words: as a field it is escaped.
        let fault_said = fault.message.as_str();
        let pause = match fault.kind {
            // The same configuration is as wrong the next time.
            FaultKind::Invalid => None,
            _ => failures.next_pause(),
        };
        match pause {
            Some(pause) => {
                seat.enters(Phase::Waiting, fault_said);
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
                broker.metrics().add(id, "quarantines", 1);
                tracing::error!(
                    instance = id,
                    fault = fault_said,
                    "failed and is quarantined: its configuration is wrong, or it failed too often \
                     (restart_max, restart_window_s); mend the cause, then `patchbay restart` it"
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
        level: broker.seats()[charge.seat]
            .begins_to_log(charge.level)
            .to_owned(),
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
    broker.disconnect(charge.seat, epoch);
    ended
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
    let (mut started, mut warned) = (false, false);
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
                Some(Life::Failed(fault)) => return Ended::Failed(fault),
                Some(Life::Stopped) | None => {
                    return Ended::Failed(Fault::new(FaultKind::Internal, "it stopped by itself"));
                }
            },
            () = &mut late, if !started && !warned => {
                warned = true;
                let limit_s = charge.start_deadline.as_secs();
                tracing::warn!(instance = id, "has not started within {limit_s} s; waiting on");
            }
        }
    }
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
        while let Some(event) = told.recv().await {
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

/// Milliseconds since 1970: no life of this or an earlier process had the same.
fn new_epoch() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.as_millis() as u64)
}

/// How often an instance has failed lately.
struct Failures {
    policy: Restart,
    recent: VecDeque<Instant>,
}

impl Failures {
    fn new(policy: Restart) -> Self {
        Failures {
            policy,
            recent: VecDeque::new(),
        }
    }

    /// An operator says that the cause is mended.
    fn forgive(&mut self) {
        self.recent.clear();
    }

    /// Notes a failure. How long to wait before the next start: twice as long for each recent
    /// failure, with jitter; `None` if there shall be none.
    fn next_pause(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.recent
            .retain(|failure| now.duration_since(*failure) <= self.policy.window);
        if self.recent.len() >= self.policy.max as usize {
            return None;
        }
        let doubled = self
            .policy
            .backoff_min
            .saturating_mul(1 << self.recent.len().min(16));
        self.recent.push_back(now);
        Some(
            doubled
                .min(self.policy.backoff_max)
                .mul_f64(0.75 + 0.25 * fastrand::f64()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(max: u32, window: Duration) -> Failures {
        Failures::new(Restart {
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_millis(300),
            max,
            window,
        })
    }

    #[test]
    fn pauses_grow_to_a_limit_and_then_comes_quarantine() {
        let mut failures = failures(4, Duration::from_secs(600));
        let pauses: Vec<u128> = (0..4)
            .map_while(|_| failures.next_pause())
            .map(|p| p.as_millis())
            .collect();
        let within = [(75, 100), (150, 200), (225, 300), (225, 300)];
        for (pause, (least, most)) in pauses.iter().zip(within) {
            assert!((least..=most).contains(pause), "{pauses:?}");
        }
        assert_eq!((pauses.len(), failures.next_pause()), (4, None));
    }

    #[test]
    fn old_failures_are_forgiven() {
        let mut failures = failures(1, Duration::ZERO);
        assert!(failures.next_pause().is_some());
        std::thread::sleep(Duration::from_millis(2));
        assert!(failures.next_pause().is_some());
    }
}
