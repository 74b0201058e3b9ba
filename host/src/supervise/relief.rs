//! How a life of an instance is relieved by another one, of the same settings or of others, of the same build or of
//! a newer one.
//!
//! A backend's next life begins beside the present one. When it says that it serves, and one of the clients has been
//! logged in there, it takes over: new requests go to
//! it, and sessions with them. The former one answers what it has, for as long as the deadline for shutting down says,
//! and ends. If the next one does not come to serve, nothing has changed. A frontend holds on to ports and queues that
//! cannot be held twice: it finishes, and then the next one begins.

use super::living::Living;
use super::{Charge, Ended, Ending, Supervisor, ordered};
use crate::broker::{Granted, Life, Phase, Wish};
use patchbay_abi::{Fault, FaultKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Between two looks whether a life has answered everything.
const LOOK: Duration = Duration::from_millis(20);

/// What a life gets to finish, when its deadline for answering has passed.
const LAST_WORD: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Whether what is wanted takes another life; otherwise the present one can go on with it.
    pub(super) fn needs_new_life(&self, wish: &Wish) -> bool {
        let Some(next) = &wish.charge else {
            return true;
        };
        let now = &self.charge;
        !Arc::ptr_eq(&next.plugin, &now.plugin)
            || (&next.config, next.home) != (&now.config, now.home)
    }

    /// From now on this is what it looks after.
    pub(super) fn adopt(&mut self, charge: Option<Box<Charge>>) {
        if let Some(charge) = charge {
            self.failures.follow(charge.restart.clone());
            self.charge = *charge;
        }
    }

    /// Does what is wanted of a life that is listened to; how that ended, if it did.
    pub(super) async fn grant(
        &mut self,
        wish: Wish,
        life: &mut Living,
        started: bool,
    ) -> Option<Ended> {
        if !self.needs_new_life(&wish) {
            if let Some(next) = wish.charge.as_ref() {
                life.log_at(self.seat().begins_to_log(next.level));
                life.pulse.follow(next.hang);
            }
            self.adopt(wish.charge);
            self.waiting = wish.answer;
            self.tell(Granted::Serves);
            return None;
        }
        if !started || self.seat().is_frontend() {
            return Some(self.end_for(wish, life).await);
        }
        self.relieve(wish, life).await
    }

    /// Ends the present life, so that the next one can begin.
    async fn end_for(&mut self, wish: Wish, life: &mut Living) -> Ended {
        self.seat().enters(Phase::Stopping, "");
        let instance = self.seat().id();
        tracing::info!(
            instance,
            "is stopped and started anew, as an operator wants"
        );
        if life.stop_within(self.charge.stop_deadline).await == Ending::CutOff {
            tracing::warn!(instance, "did not finish in time and was cut off");
        }
        self.adopt(wish.charge);
        self.waiting = wish.answer;
        Ended::ToRestart
    }

    /// Lets another life take over.
    async fn relieve(&mut self, wish: Wish, life: &mut Living) -> Option<Ended> {
        let changed = wish.charge.is_some();
        let charge = wish.charge.as_deref().unwrap_or(&self.charge).clone();
        let broker = self.broker.clone();
        let id = broker.seats()[charge.seat].id();
        let heir = match Living::begin(&broker, &charge, true) {
            Ok(mut heir) => {
                let served = self
                    .watch_both(life, &mut heir, charge.start_deadline)
                    .await;
                match served {
                    Ok(fault) => fault.map(|()| heir),
                    Err(ended) => return ended,
                }
            }
            Err(fault) => Err(fault),
        };
        self.waiting = wish.answer;
        match heir {
            Ok(heir) => {
                broker.take_over(charge.seat, heir.epoch);
                let former = std::mem::replace(life, heir);
                self.leaving.add(former, id, self.charge.stop_deadline);
                self.adopt(Some(Box::new(charge)));
                self.seat().is_of(&self.charge.plugin.manifest.name);
                self.seat().is_built(self.charge.plugin.build());
                self.seat().lives_in(life.process);
                self.seat().enters(Phase::Running, "");
                tracing::info!(instance = id, "another life of it has taken over");
                self.tell(Granted::Serves);
                None
            }
            // Perhaps it cannot be there twice; whoever says `restart` wants it ended in any case.
            Err(fault) if !changed && fault.kind != FaultKind::Invalid => {
                let wish = Wish {
                    charge: None,
                    answer: self.waiting.take(),
                };
                Some(self.end_for(wish, life).await)
            }
            Err(fault) => {
                let why = fault.message;
                tracing::error!(
                    instance = id,
                    fault = why.as_str(),
                    "could not be started anew; it goes on as it was"
                );
                self.tell(Granted::AsBefore(why));
                None
            }
        }
    }

    /// Waits until the next life serves, or why it does not; or how that came to an end before.
    async fn watch_both(
        &mut self,
        present: &mut Living,
        heir: &mut Living,
        within: Duration,
    ) -> Result<Result<(), Fault>, Option<Ended>> {
        let serves = serves(heir, present.epoch, within);
        tokio::pin!(serves);
        loop {
            tokio::select! {
                biased;
                // It is still the present one: what ends it is dealt with as ever.
                _ = ordered(&mut self.stop) => return Err(None),
                Some(event) = present.told.recv() => match event {
                    Life::Answers(ping) => present.pulse.answered(ping),
                    event => return Err(self.lost_meanwhile(event)),
                },
                served = &mut serves => return Ok(served),
            }
        }
    }

    fn lost_meanwhile(&self, event: Life) -> Option<Ended> {
        match event {
            Life::Ready | Life::Answers(_) => None,
            Life::Failed(fault) => Some(Ended::Failed(fault)),
            Life::Stopped => Some(Ended::Failed(Fault::new(
                FaultKind::Internal,
                "it stopped by itself",
            ))),
        }
    }
}

/// Returns when a life that has been started serves, or why it does not.
async fn serves(life: &mut Living, former: u64, within: Duration) -> Result<(), Fault> {
    let fault = |text: &str| Fault::new(FaultKind::Internal, text);
    let ready = async {
        loop {
            match life.told.recv().await {
                Some(Life::Answers(_)) => {}
                Some(Life::Ready) => return Ok(()),
                Some(Life::Failed(fault)) => return Err(fault),
                Some(Life::Stopped) | None => return Err(fault("it stopped by itself")),
            }
        }
    };
    match tokio::time::timeout(within, ready).await {
        Ok(Ok(())) => {
            life.meet_a_client_of(former);
            // It has the deadline of a login for that.
            while life.owes() {
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        }
        Ok(Err(fault)) => Err(fault),
        Err(_) => {
            let text = format!("it did not start within {} s", within.as_secs());
            Err(fault(&text))
        }
    }
}

/// Former lives that finish what they have.
#[derive(Default)]
pub(super) struct Leaving(JoinSet<Ending>);

impl Leaving {
    fn add(&mut self, life: Living, id: &str, deadline: Duration) {
        // Those that are done are not kept.
        while self.0.try_join_next().is_some() {}
        self.0.spawn(leave(life, id.to_owned(), deadline));
    }

    /// Returns when all of them have ended, by themselves or cut off.
    pub(super) async fn end(&mut self, within: Duration) -> Ending {
        let all = async {
            let mut ending = Ending::Clean;
            while let Some(ended) = self.0.join_next().await {
                ending = ending.and(ended.unwrap_or(Ending::CutOff));
            }
            ending
        };
        let ended = tokio::time::timeout(within, all).await;
        ended.unwrap_or(Ending::CutOff)
    }
}

/// Waits until a life has answered everything, and ends it.
async fn leave(mut life: Living, id: String, deadline: Duration) -> Ending {
    let end = Instant::now() + deadline;
    while life.owes() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
    }
    let cut_off = life.owes();
    let left = end.saturating_duration_since(Instant::now());
    let ending = life.stop_within(left.max(LAST_WORD)).await;
    if cut_off || ending == Ending::CutOff {
        tracing::warn!(
            instance = id,
            "its former life did not finish in time and was cut off"
        );
        return Ending::CutOff;
    }
    tracing::info!(instance = id, "its former life has finished");
    ending
}
