//! The lives of an instance: started, listened to, started anew when it fails, relieved by another one or stopped.

mod living;
mod relief;

use crate::broker::{Broker, Granted, Life, Phase, Seat};
use crate::config::Restart;
use crate::plugin::Plugin;
use living::Living;
use patchbay_abi::{Fault, FaultKind};
use relief::Leaving;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// An instance to look after.
#[derive(Clone)]
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
    /// How long it may take to finish when it is restarted, or relieved.
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
    /// It has ended so that it can be started anew.
    ToRestart,
}

/// Who waits for a life to serve.
type Waiting = Option<oneshot::Sender<Granted>>;

/// Keeps an instance alive until it is to stop.
pub async fn supervise(
    broker: Arc<Broker>,
    charge: Charge,
    stop: StopOrder,
    ready: ReadyLatch,
) -> Ending {
    let supervisor = Supervisor {
        failures: Failures::new(charge.restart.clone()),
        leaving: Leaving::default(),
        waiting: None,
        ready: Some(ready),
        broker,
        charge,
        stop,
    };
    supervisor.work().await
}

struct Supervisor {
    broker: Arc<Broker>,
    charge: Charge,
    stop: StopOrder,
    ready: Option<ReadyLatch>,
    /// Who waits for the present life to serve.
    waiting: Waiting,
    /// Former lives that finish what they have.
    leaving: Leaving,
    failures: Failures,
}

impl Supervisor {
    fn seat(&self) -> &Seat {
        &self.broker.seats()[self.charge.seat]
    }

    async fn work(mut self) -> Ending {
        loop {
            self.seat().is_of(&self.charge.plugin.manifest.name);
            self.seat().enters(Phase::Starting, "");
            let fault = match self.live().await {
                Ended::Asked(ending) => return self.end(ending),
                Ended::ToRestart => continue,
                Ended::Failed(fault) => fault,
            };
            self.tell(Granted::Fails(fault.message.clone()));
            if self.wait_after(&fault).await == Pause::ToStop {
                return self.end(Ending::Clean);
            }
        }
    }

    fn end(self, ending: Ending) -> Ending {
        self.seat().enters(Phase::Stopped, "");
        ending
    }

    /// Tells whoever waits for the present life what came of it.
    fn tell(&mut self, outcome: Granted) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(outcome);
        }
    }

    /// It has failed: waits until it may be started anew.
    async fn wait_after(&mut self, fault: &Fault) -> Pause {
        let id = self.seat().id().to_owned();
        let instance = id.as_str();
        self.broker.metrics().add(instance, "failures", 1);
        // What it says may be a peer's words: as a field it is escaped.
        let fault_said = fault.message.as_str();
        let pause = match fault.kind {
            // The same configuration is as wrong the next time.
            FaultKind::Invalid => None,
            _ => self.failures.next_pause(),
        };
        match pause {
            Some(pause) => {
                self.seat().enters(Phase::Waiting, fault_said);
                let pause_ms = pause.as_millis();
                tracing::error!(
                    instance,
                    fault = fault_said,
                    "failed; starts anew in {pause_ms} ms"
                );
                tokio::select! {
                    () = tokio::time::sleep(pause) => Pause::Over,
                    paused = self.roused() => paused,
                }
            }
            None => {
                tracing::error!(
                    instance,
                    fault = fault_said,
                    "failed and is quarantined: its configuration is wrong, or it failed too often \
                     (restart_max, restart_window_s); mend the cause, then `patchbay restart` it"
                );
                self.seat().enters(Phase::Quarantined, fault_said);
                self.roused().await
            }
        }
    }

    /// Returns when it is to stop, or when somebody wants it started anew.
    async fn roused(&mut self) -> Pause {
        loop {
            let seat = &self.broker.seats()[self.charge.seat];
            let wish = tokio::select! {
                biased;
                _ = ordered(&mut self.stop) => return Pause::ToStop,
                wish = seat.wished() => wish,
            };
            let anew = self.needs_new_life(&wish);
            self.adopt(wish.charge);
            self.waiting = wish.answer;
            if anew {
                self.failures.forgive();
                return Pause::Over;
            }
            self.tell(Granted::Serves);
        }
    }

    /// One life after the other, as long as each is relieved by the next.
    async fn live(&mut self) -> Ended {
        match Living::begin(&self.broker, &self.charge, false) {
            Ok(mut life) => self.listen(&mut life).await,
            Err(fault) => Ended::Failed(fault),
        }
    }

    async fn listen(&mut self, life: &mut Living) -> Ended {
        let late = tokio::time::sleep(self.charge.start_deadline);
        tokio::pin!(late);
        let (mut started, mut warned) = (false, false);
        loop {
            let seat = &self.broker.seats()[self.charge.seat];
            let id = seat.id();
            tokio::select! {
                biased;
                within = ordered(&mut self.stop) => {
                    seat.enters(Phase::Stopping, "");
                    let (present, former) =
                        tokio::join!(life.stop_within(within), self.leaving.end(within));
                    return Ended::Asked(present.and(former));
                }
                wish = seat.wished() => {
                    if let Some(ended) = self.grant(wish, life, started).await {
                        return ended;
                    }
                }
                event = life.told.recv() => match event {
                    Some(Life::Ready) => {
                        self.ready.take();
                        if !std::mem::replace(&mut started, true) {
                            seat.enters(Phase::Running, "");
                            tracing::info!(instance = id, plugin = self.charge.plugin.manifest.name, "started");
                            self.tell(Granted::Serves);
                        }
                    }
                    Some(Life::Failed(fault)) => return Ended::Failed(fault),
                    Some(Life::Stopped) | None => {
                        return Ended::Failed(Fault::new(FaultKind::Internal, "it stopped by itself"));
                    }
                },
                () = &mut late, if !started && !warned => {
                    warned = true;
                    let limit_s = self.charge.start_deadline.as_secs();
                    tracing::warn!(instance = id, "has not started within {limit_s} s; waiting on");
                }
            }
        }
    }
}

/// How a pause after a failure ends.
#[derive(PartialEq, Eq)]
enum Pause {
    Over,
    ToStop,
}

impl Ending {
    fn and(self, other: Ending) -> Ending {
        match self {
            Ending::Clean => other,
            Ending::CutOff => self,
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

    /// From now on this holds of failures.
    fn follow(&mut self, policy: Restart) {
        self.policy = policy;
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
