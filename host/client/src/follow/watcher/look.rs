//! Looking where the script is, at first and after events were missed.

use std::time::{Duration, Instant};

use patchbay_sdk::model::{JobRecord, JobState, Log};
use serde_json::{Value, json};

use super::Watcher;
use crate::complaint::Result;
use crate::model::Status;
use crate::wire::Failure;

/// Messages that are looked through.
const LOOKED: u32 = 1000;
/// How often a script that nobody knows is looked for: after a restart of the gateway it may take a moment.
const LOOKS: u32 = 5;

impl Watcher<'_> {
    /// How far the script is, or how many go before it; shown only, so that it does no harm if it cannot be said.
    pub(super) fn locate(&mut self) {
        if self.screen.is_json() {
            return;
        }
        self.draw();
        let Some(status) = self.try_read::<Status>("status", &Value::Null) else {
            return;
        };
        if let Some(at) = status
            .queue
            .iter()
            .position(|job| job.id == self.script.job)
        {
            self.ahead = at + usize::from(status.job.is_some());
            self.draw();
        }
    }

    pub(super) fn look_if_due(&mut self) -> Result<()> {
        let Some((due, looks, mut outage)) = self.look.take() else {
            return Ok(());
        };
        if Instant::now() < due {
            self.look = Some((due, looks, outage));
            return Ok(());
        }
        match self.look() {
            Ok(true) => Ok(()),
            Ok(false) if looks + 1 >= LOOKS => {
                self.watch.found(JobState::Unknown);
                Ok(())
            }
            Ok(false) => {
                self.look = Some((Instant::now() + Duration::from_secs(1), looks + 1, outage));
                Ok(())
            }
            // The connection, if it is that, is mended elsewhere.
            Err(Failure::Refused(refusal)) => {
                match outage.wait(self.forsaken(&refusal.message)) {
                    Ok(()) => self.look = Some((Instant::now(), looks, outage)),
                    // Some of its lines are missing, but how it ended was told.
                    Err(_) if self.watch.stage.ended().is_some() => {}
                    Err(complaint) => return Err(complaint),
                }
                Ok(())
            }
            Err(Failure::Interrupted) => {
                self.pressed = true;
                self.look = Some((due, looks, outage));
                Ok(())
            }
            Err(Failure::Broken(_)) => Ok(()),
        }
    }

    /// Looks for the script and for what it said; whether it is known. First the state: what it said is complete then.
    pub(super) fn look(&mut self) -> Result<bool, Failure> {
        // What was missed may be what tells that an older answer does not hold any more.
        let status: Status = read(self.session.ask("status", &json!({"fresh": true}))?);
        let ours = Some(&self.script.job);
        let is_waiting = status.queue.iter().any(|job| Some(&job.id) == ours);
        let running = status.job.as_ref().filter(|job| job.id.as_ref() == ours);
        let state = match self.session.ask("job", &json!({"job": self.script.job})) {
            Ok(job) => Some(read::<JobRecord>(job).state),
            Err(Failure::Refused(refusal)) if refusal.kind == "not-found" => {
                let waits = is_waiting.then_some(JobState::Queued);
                waits.or(running.map(|_| JobState::Running))
            }
            Err(failure) => return Err(failure),
        };
        let log: Log = match self
            .session
            .ask("log", &json!({"last": LOOKED, "fresh": true}))
        {
            Err(Failure::Refused(refusal)) if refusal.kind == "too-large" => {
                read(self.session.ask("log", &json!({"fresh": true}))?)
            }
            log => read(log?),
        };
        let mine = log.messages.into_iter();
        let mine = mine.filter(|line| line.job.as_ref() == ours).collect();
        for line in self.watch.seen.looked(mine) {
            // A screen that cannot be written will be noticed with the next line.
            let _ = self.show(&line);
        }
        self.watch.line = running.and_then(|job| job.line).unwrap_or(self.watch.line);
        if let Some(state) = state {
            self.watch.found(state);
            self.draw();
        }
        Ok(state.is_some())
    }

    pub(super) fn try_read<T: serde::de::DeserializeOwned + Default>(
        &mut self,
        op: &str,
        args: &Value,
    ) -> Option<T> {
        match self.session.ask(op, args) {
            Ok(answer) => Some(read(answer)),
            Err(Failure::Interrupted) => {
                self.pressed = true;
                None
            }
            Err(_) => None,
        }
    }
}

/// What is not understood is as good as nothing here.
fn read<T: serde::de::DeserializeOwned + Default>(answer: Value) -> T {
    serde_json::from_value(answer).unwrap_or_default()
}
