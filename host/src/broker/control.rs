//! The control lock: who may change the run of a backend, if somebody has said so.
//!
//! It is the host's, one for each backend, whatever that can do by itself: `take_control` and `release_control`
//! are answered here. While a session has it, nobody else may do what the table of operations marks as steering;
//! looking, submitting and emergency stop stay free. It ends with the session that has it, or when that
//! session's frontend is led to another backend, and does not mind restarts of its backend. Each change is an
//! event of that backend.

use super::Broker;
use super::call::{Call, check_role, no_session};
use super::record::Asker;
use patchbay_abi::{Fault, FaultKind, Message};
use patchbay_sdk::Role;
use patchbay_sdk::model::Op;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Who has control of which backend, by its seat.
#[derive(Default)]
pub(super) struct Controls {
    /// Held while something is changed and told, so that events tell of changes in their order. Taken before every
    /// other lock of the broker: readers are handed events meanwhile.
    order: Mutex<()>,
    /// Locked for a moment only, and last.
    held: Mutex<HashMap<usize, Holder>>,
}

/// Who has control of a backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// Who it is.
    pub user: String,
    /// In which session.
    pub session: u64,
    /// Since when, in seconds since 1970.
    pub since: f64,
}

/// The arguments of `take_control` and `release_control`.
#[derive(Default, Deserialize)]
struct Args {
    #[serde(default)]
    force: bool,
}

impl Controls {
    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Holder>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker {
    /// Who has control of the backend at that seat.
    pub(super) fn holder(&self, backend: usize) -> Option<Holder> {
        self.controls.lock().get(&backend).cloned()
    }

    /// Whether a session may ask a backend for that, as far as control goes.
    pub(super) fn check_control(&self, backend: usize, session: u64, op: &Op) -> Result<(), Fault> {
        if !op.steers {
            return Ok(());
        }
        match self.controls.lock().get(&backend) {
            Some(holder) if holder.session != session => Err(held(op.name, holder)),
            _ => Ok(()),
        }
    }

    /// A client takes control, or gives it back.
    pub(super) fn control(&self, call: &Call) -> Result<(), Fault> {
        let args = read_args(&call.message)?;
        let backend = self.seats[call.origin.at.seat]
            .backend_now()
            .ok_or_else(no_session)?;
        let _order = self.controls.one_at_a_time();
        let (asker, before) = self.change_control(call, backend, args.force)?;
        self.record_control(call, &asker, backend);
        let now = self.holder(backend);
        if now != before {
            let forced = before.is_some_and(|before| before.session != call.session);
            self.tell_of_control(backend, now.as_ref(), asker.user(), forced);
        }
        let answer = now.map_or(json!(null), |holder| json!(holder));
        let asking = call.asking(backend);
        self.answer_unasked(&asking, answer.to_string().into_bytes());
        Ok(())
    }

    /// Who asked for the change, and who had control before.
    fn change_control(
        &self,
        call: &Call,
        backend: usize,
        force: bool,
    ) -> Result<(Asker, Option<Holder>), Fault> {
        let mut state = self.lock();
        let session = state
            .sessions
            .of(call.origin.at, call.session)
            .ok_or_else(no_session)?;
        check_role(session.role, call.op)?;
        // Changed while the session is known to be there: whoever ends it comes after us, and ends this too.
        let mut held = self.controls.lock();
        let before = held.get(&backend).cloned();
        let mine = |holder: &Holder| holder.session == call.session;
        if let Some(holder) = before.as_ref().filter(|holder| !mine(holder)) {
            if !force {
                return Err(self::held(call.op.name, holder));
            }
            if session.role < Role::Admin {
                return Err(no_force(call.op.name, session.role));
            }
        }
        if call.op.name == "release_control" {
            held.remove(&backend);
        } else if !before.as_ref().is_some_and(mine) {
            let holder = Holder {
                user: session.user.clone(),
                session: call.session,
                since: now(),
            };
            held.insert(backend, holder);
        }
        Ok((Asker::of(session), before))
    }

    /// A session is over, or has left a backend: it has control of it no more.
    pub(super) fn end_control(&self, ends: impl Fn(usize, &Holder) -> bool) {
        let _order = self.controls.one_at_a_time();
        let ended = self
            .controls
            .lock()
            .extract_if(|backend, holder| ends(*backend, holder))
            .collect::<Vec<_>>();
        for (backend, holder) in ended {
            self.tell_of_control(backend, None, &holder.user, false);
        }
    }

    /// A new life of a backend has begun, whose readers know nothing: they are told who has control.
    pub(super) fn repeat_control(&self, backend: usize) {
        let _order = self.controls.one_at_a_time();
        if let Some(holder) = self.holder(backend) {
            self.tell_of_control(backend, Some(&holder), &holder.user, false);
        }
    }

    fn tell_of_control(&self, backend: usize, holder: Option<&Holder>, by: &str, forced: bool) {
        let seat = &self.seats[backend];
        let has_it = holder.map_or("nobody", |holder| holder.user.as_str());
        tracing::info!(backend = seat.id(), has_it, by, forced, "control");
        let body = json!({ "holder": holder, "by": by, "forced": forced });
        if let Some(journal) = seat.journal() {
            self.telling(backend, |telling| {
                journal.tell("control", body.to_string(), telling);
            });
        }
    }
}

fn read_args(message: &Message) -> Result<Args, Fault> {
    let text = message.body.as_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(Args::default());
    }
    serde_json::from_str::<Option<Args>>(text)
        .map(Option::unwrap_or_default)
        .map_err(|error| {
            let text = format!("the arguments must be {{\"force\"?: true or false}}: {error}");
            Fault::new(FaultKind::Invalid, text)
        })
}

fn held(op: &str, holder: &Holder) -> Fault {
    let user = &holder.user;
    let span = span((now() - holder.since).max(0.0) as u64);
    let text = format!(
        "`{op}` is only for who has control: {user} (session {}) has had it for {span}; ask them to release it, or an \
         admin to take it by force",
        holder.session
    );
    Fault::new(FaultKind::Forbidden, text)
}

fn no_force(op: &str, role: Role) -> Fault {
    let text = format!("`{op}` by force needs the role admin, you have {role}");
    Fault::new(FaultKind::Forbidden, text)
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}
