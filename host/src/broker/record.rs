//! What goes to the audit log of what clients ask: every refusal, and everything that may have changed something.

use super::call::Call;
use super::pending::{Once, Origin, Request, What};
use super::session::{Session, Who};
use super::{Broker, Place};
use crate::audit::{Audit, Line};
use patchbay_abi::{Fault, FaultKind, Message};
use patchbay_sdk::Role;
use patchbay_sdk::model::Op;
use serde::Deserialize;
use std::sync::Arc;

/// A longer answer is not looked into for a job, in bytes.
const LONGEST_ANSWER: usize = 4096;

/// Who asked for something, as it was then: the session may be over when it is answered.
#[derive(Clone)]
pub(crate) struct Asker {
    who: Arc<Who>,
    role: Role,
}

impl Asker {
    pub(super) fn user(&self) -> &str {
        &self.who.user
    }

    pub(super) fn of(session: &Session) -> Self {
        Asker {
            who: session.who.clone(),
            role: session.role,
        }
    }
}

/// What is known of a request that is refused before anything else is.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) session: u64,
    pub(super) op: Option<&'static Op>,
}

impl Broker {
    /// From now on it is noted there who does what.
    pub fn audit_by(&self, audit: Audit) {
        // The first one stays.
        let _ = self.audit.set(audit);
    }

    /// Notes an operator's order.
    pub fn record_order(&self, line: Line) {
        self.note(|| line);
    }

    fn note(&self, line: impl FnOnce() -> Line) {
        if let Some(audit) = self.audit.get() {
            audit.note(line());
        }
    }

    /// A request got no further than here.
    pub(super) fn record_refused(&self, origin: Origin, asked: &Asked, fault: &Fault) {
        self.note(|| {
            let asker = {
                let mut state = self.lock();
                let session = state.sessions.of(origin.at, asked.session);
                session.map(|session| Asker::of(session))
            };
            let op = asked.op.map_or("unknown", |op| op.name);
            Line {
                session: (asked.session != 0).then_some(asked.session),
                ..self.line(op, fault_name(&fault.kind), origin.at, asker.as_ref())
            }
        });
    }

    /// A client has taken control, or given it back.
    pub(super) fn record_control(&self, call: &Call, asker: &Asker, backend: usize) {
        self.note(|| Line {
            session: Some(call.session),
            backend: Some(self.seats[backend].id().to_owned()),
            ..self.line(call.op.name, "done", call.origin.at, Some(asker))
        });
    }

    /// A request has its answer.
    pub(super) fn record_answer(
        &self,
        id: u64,
        request: &Request,
        answer: &Result<Message, Fault>,
    ) {
        let Some(origin) = request.origin else {
            return;
        };
        match &request.what {
            What::Call {
                op, once, asker, ..
            } if op.changes || answer.as_ref().is_err_and(is_refusal) => self.note(|| Line {
                session: Some(request.session),
                backend: Some(self.seats[request.backend.seat].id().to_owned()),
                request: Some(id),
                key: once.as_ref().map(key_of),
                job: answer.as_ref().ok().and_then(|reply| job_in(op, reply)),
                ..self.line(op.name, outcome(answer, "done"), origin.at, Some(asker))
            }),
            // It was answered from the notes, or refused before it was sent.
            What::Keyed { op, key, .. } => self.note(|| {
                let asker = self.lock().sessions.get(request.session).map(Asker::of);
                Line {
                    session: (request.session != 0).then_some(request.session),
                    request: Some(id),
                    key: Some(key.short()),
                    job: answer.as_ref().ok().and_then(|reply| job_in(op, reply)),
                    ..self.line(
                        op.name,
                        outcome(answer, "recalled"),
                        origin.at,
                        asker.as_ref(),
                    )
                }
            }),
            _ => {}
        }
    }

    /// Somebody was let in.
    pub(super) fn record_login(&self, session: u64, backend: usize) {
        self.note(|| {
            let known = self
                .lock()
                .sessions
                .get(session)
                .map(|session| (session.frontend, Asker::of(session)));
            let Some((frontend, asker)) = known else {
                return Line::new("login", "done");
            };
            Line {
                session: Some(session),
                backend: Some(self.seats[backend].id().to_owned()),
                ..self.line("login", "done", frontend, Some(&asker))
            }
        });
    }

    /// Somebody was not let in.
    pub(super) fn record_no_login(&self, origin: Origin, user: &str, client: &str, fault: &Fault) {
        self.note(|| Line {
            user: Some(user.to_owned()),
            client: Some(client.to_owned()),
            ..self.line("login", fault_name(&fault.kind), origin.at, None)
        });
    }

    fn line(&self, op: &str, outcome: &str, frontend: Place, asker: Option<&Asker>) -> Line {
        Line {
            user: asker.map(|asker| asker.who.user.clone()),
            client: asker.map(|asker| asker.who.client.clone()),
            role: asker.map(|asker| asker.role.as_str().to_owned()),
            frontend: Some(self.seats[frontend.seat].id().to_owned()),
            ..Line::new(op, outcome)
        }
    }
}

fn outcome(answer: &Result<Message, Fault>, done: &'static str) -> &'static str {
    match answer {
        Ok(_) => done,
        Err(fault) => fault_name(&fault.kind),
    }
}

/// What a fault is of a client, or of somebody who may not do this; not that a server is down.
fn is_refusal(fault: &Fault) -> bool {
    use FaultKind::*;
    matches!(
        fault.kind,
        Invalid | Unsupported | Unauthorized | Forbidden | TooLarge | Busy
    )
}

fn key_of(once: &Once) -> String {
    once.key.short()
}

fn job_in(op: &Op, reply: &Message) -> Option<String> {
    #[derive(Deserialize)]
    struct Made {
        job: String,
    }
    let text = &reply.body;
    let looked_at = op.once && text.len() <= LONGEST_ANSWER;
    let made = looked_at.then(|| serde_json::from_slice::<Made>(text).ok());
    made.flatten().map(|made| made.job)
}

/// As in JSON.
fn fault_name(kind: &FaultKind) -> &'static str {
    use FaultKind::*;
    match kind {
        Invalid => "invalid",
        Unsupported => "unsupported",
        Unauthorized => "unauthorized",
        Forbidden => "forbidden",
        NotFound => "not-found",
        Conflict => "conflict",
        Busy => "busy",
        TooLarge => "too-large",
        Timeout => "timeout",
        UnknownOutcome => "unknown-outcome",
        Unavailable => "unavailable",
        ShuttingDown => "shutting-down",
        Cancelled => "cancelled",
        Protocol => "protocol",
        Internal => "internal",
        Other(_) => "other",
    }
}
