//! The way of a request that is carried out once at the most, whatever is restarted meanwhile.
//!
//! A frontend gives such a request its client's key. It is looked up first of all, also before anybody asks
//! whether its client is logged in:
//!
//! ```text
//!                 ┌ answered before ──────────────────────────► the same answer
//!                 ├ under way ────────────────────────────────► waits for that one's answer
//! key ── noted? ──┼ interrupted (nothing known of an answer) ─► `find` at the backend ─► its job, or unknown
//!                 ├ noted for another body ───────────────────► refused
//!                 └ no ─ may it be done? ─ noted on disk ─► sent ─► answer noted on disk ─► answered
//! ```
//!
//! Disks are slow, and may hang: one thread reads and writes the notes ([`super::clerk`]), many
//! requests at a time. What waits for it stands in the pending table, with a deadline like any other
//! request, so that the clerk's inbox is never longer than that table may be.

use super::call::Call;
use super::pending::{Once, Request, What, reference_of};
use super::record::Asked;
use super::trip::End;
use super::{Broker, Place};
use crate::intents::Digest;
use patchbay_abi::{Fault, Kind, Message, head};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// The life of a backend that is asked for nothing yet.
const NOWHERE: u64 = 0;

/// Where work for the clerk is put.
pub(super) struct Desk {
    items: Sender<Item>,
    waiting: Arc<AtomicUsize>,
}

/// Where the clerk takes it from.
pub(super) struct Tray {
    items: Receiver<Item>,
    waiting: Arc<AtomicUsize>,
}

impl Tray {
    /// What comes next, and what is there already, `most` at the most; `None` when the desk is gone.
    pub(super) fn take(&self, most: usize) -> Option<Vec<Item>> {
        let first = self.items.recv().ok()?;
        let more = self.items.try_iter().take(most.saturating_sub(1));
        let batch: Vec<Item> = std::iter::once(first).chain(more).collect();
        self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        Some(batch)
    }
}

/// What the clerk is told.
pub(super) enum Item {
    /// The request of that number wants to be looked up.
    LookUp(u64),
    /// A call that was noted has its answer, which the request of that number waits for.
    Answered(Once, u64, Result<Message, Fault>),
    /// Nobody waits for a call that was noted; it may have been carried out.
    Abandoned(Digest),
}

impl Desk {
    pub(super) fn new() -> (Desk, Tray) {
        let (desk, items) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let tray = Tray {
            items,
            waiting: waiting.clone(),
        };
        (
            Desk {
                items: desk,
                waiting,
            },
            tray,
        )
    }

    /// How much waits for the clerk.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Fails only when the clerk has gone, who stays as long as the broker does.
    fn put(&self, item: Item) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.items.send(item);
    }
}

impl Broker {
    /// Lets the clerk look a request up.
    pub(super) fn look_up(&self, key: Option<&str>, call: Call) -> Result<(), Fault> {
        let frontend = &self.seats[call.origin.at.seat];
        let backend = Place {
            seat: frontend.backend_now().unwrap_or(call.origin.at.seat),
            epoch: NOWHERE,
        };
        // One without a key is noted too, so that its job is not taken for that of another one.
        let key = match key {
            Some(key) => Digest::of([frontend.id().as_bytes(), b"key", key.as_bytes()]),
            None => Digest::of([b"", b"none", &fastrand::u128(..).to_be_bytes()]),
        };
        let mut state = self.lock();
        self.check_room_in_all(&state, call.origin.at.seat)?;
        let id = state.pending.enter(Request {
            origin: Some(call.origin),
            backend,
            session: call.session,
            what: What::Keyed {
                asker: call.asker,
                op: call.op,
                key,
                message: call.message,
            },
            deadline: Instant::now() + self.limits().request,
            trip: call.trip,
        });
        drop(state);
        self.intents.put(Item::LookUp(id));
        Ok(())
    }

    /// The answer to a call that was noted: it is noted before it is passed on.
    /// If the disk hangs it is passed on all the same, when it has waited for long enough.
    pub(super) fn note_answer(
        &self,
        once: Once,
        request: &Request,
        answer: Result<Message, Fault>,
    ) {
        let id = self.lock().pending.enter(Request {
            what: What::Noting(answer.clone()),
            deadline: Instant::now() + self.limits().request,
            ..*request
        });
        self.intents.put(Item::Answered(once, id, answer));
    }

    /// Nobody waits any more for a call that was noted.
    pub(super) fn abandon(&self, once: Once) {
        self.intents.put(Item::Abandoned(once.key));
    }

    /// The request of that number, as long as somebody waits for it.
    pub(super) fn keyed(&self, id: u64) -> Option<(Call, Digest)> {
        let state = self.lock();
        let request = state.pending.get(id)?;
        let What::Keyed {
            asker,
            op,
            key,
            message,
        } = &request.what
        else {
            return None;
        };
        let call = Call {
            origin: request.origin?,
            session: request.session,
            asker: *asker,
            op,
            message: message.clone(),
            once: None,
            reference: reference_of(message),
            trip: request.trip,
            look: None,
        };
        Some((call, *key))
    }

    /// As whose the request would be let in now.
    pub(super) fn would_admit(&self, call: &Call) -> Result<String, Fault> {
        let mut state = self.lock();
        self.admit(&mut state, call)?;
        let session = state.sessions.get_mut(call.session);
        Ok(session.map_or(String::new(), |session| session.user.clone()))
    }

    /// Sends what was looked up, in place of its entry in the table; `None` if nobody waits for it
    /// any more, and then nothing was sent.
    ///
    /// # Errors
    /// Why it may not be sent; that was not told yet.
    pub(super) fn send_on(&self, id: u64, call: Call) -> Option<Result<(), Fault>> {
        self.take(id)?;
        let (origin, session, op) = (call.origin, call.session, Some(call.op));
        let refused = |fault: &Fault| self.record_refused(origin, &Asked { session, op }, fault);
        Some(self.enter_call(call).inspect_err(refused))
    }

    /// Answers a request that was looked up.
    pub(super) fn answer_keyed(&self, id: u64, answer: Result<Message, Fault>) {
        if let Some(request) = self.take(id) {
            self.record_answer(id, &request, &answer);
            self.answer(&request, answer);
        }
    }

    /// Hands an answer to the frontend that waits for it, if any does.
    pub(super) fn answer(&self, request: &Request, answer: Result<Message, Fault>) {
        let Some(origin) = request.origin else { return };
        let end = End::of(&answer);
        self.show_answer(request, &answer);
        let number = request.trip.number;
        match answer {
            Ok(reply) => {
                let head = head::Reply {
                    request: number,
                    ..head::Reply::default()
                };
                self.reply(
                    origin,
                    Message {
                        head: Message::new(Kind::REPLY, 0, &head).head,
                        ..reply
                    },
                );
            }
            Err(fault) => self.refuse_numbered(origin, number, fault),
        }
        self.ended(request, end);
    }
}
