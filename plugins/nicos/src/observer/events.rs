//! From NICOS's events to the model's.

use bytes::Bytes;
use patchbay_sdk::model::{JobChange, LogLine, QueueBody};
use patchbay_sdk::{EventKind, Fault, RawJson};
use serde::Serialize;
use serde_json::json;

use super::{Observer, now};
use crate::event;
use crate::frame::EventFrame;
use crate::lane::{Held, Lane, Private};
use crate::prompts::Asked;
use crate::shape::{self, Id, Message};
use crate::translate::translate;

/// How NICOS numbers the states of an estimate.
const ESTIMATES: [&str; 4] = [PENDING, "running", "success", "failed"];
const PENDING: &str = "pending";

/// The body of a `job` event that tells of an estimate.
#[derive(Clone, PartialEq, Serialize)]
pub(super) struct Estimate {
    state: JobChange,
    /// How far the dry run behind it is: `running`, `success` or `failed`.
    simulation: &'static str,
    /// When the script will end, in Unix seconds.
    eta: Option<f64>,
}

impl Observer {
    /// `room` is what the event takes until it is told.
    pub(super) async fn event(&mut self, lane: &Lane, frame: EventFrame, room: Held) {
        match frame {
            EventFrame::Event {
                code,
                payload,
                blobs,
            } => {
                let name = event::name(code);
                if event::is_private(&name) {
                    let private = Private {
                        user: None,
                        session: None,
                        code,
                        payload,
                        room: Some(room),
                    };
                    return self.private(private).await;
                }
                if let Err(cause) = self.read(&name, payload, blobs).await {
                    self.teller.count("events_unreadable", 1);
                    tracing::warn!(event = &*name, %cause, "an event could not be read");
                }
            }
            EventFrame::Oversized { code } => self.oversized(lane, code).await,
        }
    }

    async fn oversized(&mut self, lane: &Lane, code: u16) {
        let name = event::name(code);
        self.teller.count("events_too_large", 1);
        tracing::warn!(
            event = &*name,
            "an event exceeded `frame_limit_bytes` and was left out"
        );
        if event::is_essential(&name) {
            self.resync(lane).await;
        }
    }

    async fn read(&mut self, name: &str, payload: Bytes, blobs: Vec<Bytes>) -> Result<(), Fault> {
        let (json, _) = self.daemon.decoder().decode(payload).await?;
        match name {
            "message" => self.log(shape::read(name, &json)?),
            "request" | "processing" | "blocked" | "updated" | "done" | "status" => {
                self.job(name, &json)?;
            }
            "prompt" => self.prompt(shape::read(name, &json)?),
            "promptdone" => {
                let (id,): (String,) = shape::read(name, &json)?;
                let settled = self.known.prompts().settled(&id);
                self.prompt_done(settled);
            }
            "rearranged" => self.order(shape::read(name, &json)?),
            "eta" => self.estimate(shape::read(name, &json)?),
            _ => self.teller.event(translate(name, &json, blobs)?),
        }
        Ok(())
    }

    fn job(&mut self, name: &str, json: &RawJson) -> Result<(), Fault> {
        let notices = match name {
            "request" => self.known.jobs().queued(&shape::read(name, json)?),
            "processing" => self.known.jobs().started(&shape::read(name, json)?, now()),
            "blocked" => {
                let ids: Vec<Id> = shape::read(name, json)?;
                let ids: Vec<String> = ids.into_iter().map(|id| id.0).collect();
                self.known.jobs().removed(&ids, now())
            }
            "updated" => self.known.jobs().edited(&shape::read(name, json)?),
            "done" => {
                let notices = self.known.jobs().done(&shape::read(name, json)?, now());
                self.settle_prompt();
                notices
            }
            _ => {
                let status: (i64, i64) = shape::read(name, json)?;
                let settled = self.known.prompts().status(status.0);
                self.prompt_done(settled);
                self.known.jobs().status(status)
            }
        };
        self.teller.tell(notices);
        Ok(())
    }

    fn log(&mut self, message: Message) {
        let mut line = LogLine::from(message);
        let job = line.job.take();
        self.teller.emit(EventKind::Log, job, &line);
    }

    // ---- prompts

    pub(super) fn prompt(&mut self, asked: Asked) {
        let job = self.running();
        let prompt = self.known.prompts().asked(asked, job.clone());
        if let Some(prompt) = prompt {
            self.teller.emit(EventKind::Prompt, job, &prompt);
        }
    }

    /// What a look has shown of prompts.
    pub(super) fn prompt_shown(&mut self, state: i64, asked: Option<Asked>) {
        if let Some(asked) = asked {
            self.prompt(asked);
        }
        let settled = self.known.prompts().status(state);
        self.prompt_done(settled);
    }

    /// A prompt without a script that runs has nobody who waits for the answer.
    pub(super) fn settle_prompt(&mut self) {
        if self.running().is_none() {
            let settled = self.known.prompts().close();
            self.prompt_done(settled);
        }
    }

    fn prompt_done(&mut self, id: Option<String>) {
        if let Some(id) = id {
            let job = self.running();
            let body = json!({ "prompt": id });
            self.teller.emit(EventKind::PromptDone, job, &body);
        }
    }

    fn running(&self) -> Option<String> {
        self.known.jobs().running().map(|job| job.id.clone())
    }

    // ---- what is worth telling only when it is new

    /// NICOS tells the order once for each job in it.
    fn order(&mut self, jobs: Vec<String>) {
        if self.order != jobs {
            let body = QueueBody { jobs };
            self.teller.emit(EventKind::Queue, None, &body);
            self.order = body.jobs;
        }
    }

    /// NICOS tells the estimate at the beginning of each block.
    fn estimate(&mut self, (state, time): (i64, f64)) {
        let position = usize::try_from(state - 1).ok();
        let simulation = position.and_then(|position| ESTIMATES.get(position));
        // `pending` is also what NICOS says when it is not set up to estimate anything.
        let Some(&simulation) = simulation.filter(|simulation| **simulation != PENDING) else {
            return;
        };
        let estimate = Estimate {
            state: JobChange::Progress,
            simulation,
            eta: Some(time).filter(|time| *time > 0.0),
        };
        let told = (self.running(), estimate);
        if self.estimate.as_ref() != Some(&told) {
            self.teller.emit(EventKind::Job, told.0.clone(), &told.1);
            self.estimate = Some(told);
        }
    }
}
