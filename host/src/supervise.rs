//! The lives of an instance: started, listened to, started anew when it fails, relieved by another one or stopped.
//!
//! Whatever an instance does or leaves undone, its supervisor goes on: each wait has an end. A life that hangs, in
//! its start, in its work (`pulse`) or in its end, is given up; what it leaves behind is counted (`remains`). How soon a
//! new one begins, and when none does any more, `failures` says.

mod failures;
mod living;
mod pulse;
mod relief;
mod remains;

use crate::broker::{Broker, Granted, Life, Phase, Seat};
use crate::config::Restart;
use crate::plugin::{Home, Plugin};
use failures::Failures;
use living::Living;
use patchbay_abi::{Fault, FaultKind};
use relief::Leaving;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// An instance to look after.
#[derive(Clone)]
pub struct Charge {
    /// Its position in the broker.
    pub seat: usize,
    /// What it is an instance of.
    pub plugin: Arc<Plugin>,
    /// Where its code runs.
    pub home: Home,
    /// Its configuration, as JSON.
    pub config: String,
    /// What it logs.
    pub level: &'static str,
    /// How long a start may take.
    pub start_deadline: Duration,
    /// How long it may not answer before it counts as hanging; for ever if `None`.
    pub hang: Option<Duration>,
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
            self.seat().is_built(self.charge.plugin.build());
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
            // Threads that hang must not pile up.
            _ if self.seat().life().abandoned >= self.charge.restart.max_abandoned => None,
            _ => self.failures.next_pause(),
        };
        match pause {
            Some(pause) => {
                self.seat().waits(pause, fault_said);
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
                self.broker.metrics().add(instance, "quarantines", 1);
                tracing::error!(
                    instance,
                    fault = fault_said,
                    "failed and is quarantined: its configuration is wrong, it failed too often (restart_max, \
                     restart_window_s), or too many of its threads hang (max_abandoned); mend the cause, then \
                     `patchbay restart` it"
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
        let mut life = match Living::begin(&self.broker, &self.charge, false) {
            Ok(life) => life,
            Err(fault) => return Ended::Failed(fault),
        };
        self.seat().lives_in(life.process);
        let ended = self.listen(&mut life).await;
        match &ended {
            Ended::Asked(_) => return ended,
            Ended::Failed(fault) => self.seat().enters(Phase::Stopping, &fault.message),
            Ended::ToRestart => {}
        }
        self.seat().lives_in(None);
        // A new life shall find what this one held: a port, a file.
        let seen_off = life.see_off();
        tokio::pin!(seen_off);
        tokio::select! {
            () = &mut seen_off => ended,
            within = ordered(&mut self.stop) => {
                let gone = tokio::time::timeout(within, seen_off).await;
                Ended::Asked(gone.map_or(Ending::CutOff, |()| Ending::Clean))
            }
        }
    }

    async fn listen(&mut self, life: &mut Living) -> Ended {
        let late = tokio::time::sleep(self.charge.start_deadline);
        tokio::pin!(late);
        let mut started = false;
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
                    Some(Life::Answers(ping)) => life.pulse.answered(ping),
                    Some(Life::Failed(fault)) => return Ended::Failed(fault),
                    Some(Life::Stopped) | None => {
                        return Ended::Failed(Fault::new(FaultKind::Internal, "it stopped by itself"));
                    }
                },
                () = &mut late, if !started => {
                    return Ended::Failed(hangs(format!(
                        "it did not start within {} s (start_deadline_s)",
                        self.charge.start_deadline.as_secs()
                    )));
                }
                patience = life.pulse.lost(life.port.as_ref()), if started => {
                    return Ended::Failed(hangs(format!(
                        "it hangs: its thread has been blocked for {} s (hang_s)",
                        patience.as_secs()
                    )));
                }
            }
        }
    }
}

fn hangs(why: String) -> Fault {
    Fault::new(FaultKind::Timeout, why)
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
