//! The requests that wait for an answer.

use super::Place;
use super::record::Asker;
use super::snapshot::{Look, Variant};
use super::stock::ByBackend;
use super::trip::Trip;
use crate::intents::Digest;
use patchbay_abi::{Fault, Kind, Message, head};
use patchbay_sdk::model::Op;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Who asked: a frontend in one of its lives, under a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(super) at: Place,
    pub(super) id: u64,
}

/// A request on its way.
pub(crate) struct Request {
    /// Who waits; `None` for a login that the host does by itself.
    pub(super) origin: Option<Origin>,
    /// Who owes the answer.
    pub(super) backend: Place,
    pub(super) session: u64,
    pub(super) what: What,
    pub(super) deadline: Instant,
    pub(super) trip: Trip,
}

/// What was asked.
pub(crate) enum What {
    Login,
    /// A login that the host's own list of users is asked for.
    Check,
    /// With the message itself while it waits for its session to be logged in again.
    Call {
        op: &'static Op,
        parked: Option<Message>,
        once: Option<Once>,
        asker: Asker,
        /// If its answer is to be kept.
        look: Option<Look>,
    },
    /// Waits for the answer to another one like it; not sent.
    Look {
        op: &'static Op,
        variant: Variant,
        message: Message,
    },
    /// Asked by the host itself.
    Refresh(Look),
    /// Is looked up in the intents, by its key; or waits for another one with the same key.
    Keyed {
        /// In which session the backend is asked what became of it.
        asker: u64,
        op: &'static Op,
        key: Digest,
        message: Message,
    },
    /// Was answered; the answer is being noted before it is passed on.
    Noting(Result<Message, Fault>),
}

impl What {
    /// The operation that a client is charged for.
    pub(super) fn op(&self) -> Option<&'static Op> {
        match self {
            What::Call { op, .. } | What::Look { op, .. } => Some(op),
            _ => None,
        }
    }

    /// Whether somebody may be let in by it, by a backend or by the host's own list.
    fn lets_in(&self) -> bool {
        matches!(self, What::Login | What::Check)
    }

    /// The question that a snapshot may answer.
    pub(super) fn variant(&self) -> Option<&Variant> {
        match self {
            What::Call { look, .. } => look.as_ref().map(Look::variant),
            What::Look { variant, .. } => Some(variant),
            What::Refresh(look) => Some(look.variant()),
            What::Login | What::Check | What::Keyed { .. } | What::Noting(_) => None,
        }
    }
}

/// What makes a call one that is carried out once at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Once {
    /// Under which it is noted.
    pub(super) key: Digest,
    /// Not the request itself, but the question what became of it in an earlier life.
    pub(super) finds: bool,
}

/// The table of all requests, by the host's number, by origin and by deadline.
#[derive(Default)]
pub(crate) struct Pending {
    last_id: u64,
    requests: HashMap<u64, Request>,
    by_origin: HashMap<Origin, u64>,
    by_deadline: BTreeSet<(Instant, u64)>,
    logins: usize,
    of_seat: HashMap<usize, Load>,
}

/// What one frontend has under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Logins included.
    pub(super) requests: usize,
    pub(super) logins: usize,
}

impl Pending {
    /// Enters a request; the number under which the backend will answer it.
    pub(super) fn enter(&mut self, mut request: Request) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        // One that was answered and is only being noted keeps the number that the backend knows.
        if !matches!(request.what, What::Noting(_)) {
            request.trip.number = id;
        }
        self.by_deadline.insert((request.deadline, id));
        let login = usize::from(matches!(request.what, What::Login));
        if let Some(origin) = request.origin {
            self.by_origin.insert(origin, id);
            let load = self.of_seat.entry(origin.at.seat).or_default();
            load.requests += 1;
            load.logins += usize::from(request.what.lets_in());
        }
        self.logins += login;
        self.requests.insert(id, request);
        id
    }

    /// Takes a request out: whoever does so answers it, and nobody else.
    pub(super) fn take(&mut self, id: u64) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        self.by_deadline.remove(&(request.deadline, id));
        let login = usize::from(matches!(request.what, What::Login));
        if let Some(origin) = request.origin {
            self.by_origin.remove(&origin);
            if let Some(load) = self.of_seat.get_mut(&origin.at.seat) {
                load.requests -= 1;
                load.logins -= usize::from(request.what.lets_in());
            }
        }
        self.logins -= login;
        Some(request)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Request> {
        self.requests.get(&id)
    }

    /// Keeps the message of a request until its session is logged in again.
    pub(super) fn park(&mut self, id: u64, message: Message) {
        if let Some(Request {
            what: What::Call { parked, .. },
            ..
        }) = self.requests.get_mut(&id)
        {
            *parked = Some(message);
        }
    }

    /// Takes out the message of a request that was parked, and notes to whom it goes now.
    pub(super) fn unpark(&mut self, id: u64, backend: Place) -> Option<(&'static Op, Message)> {
        let request = self.requests.get_mut(&id)?;
        request.backend = backend;
        request.trip = request.trip.sent();
        match &mut request.what {
            What::Call { op, parked, .. } => {
                let asked = parked.take()?;
                let left = request.deadline.saturating_duration_since(Instant::now());
                let reference = reference_of(&asked);
                let call = call_message(id, request.session, op, left, asked, reference);
                Some((*op, call))
            }
            _ => None,
        }
    }

    /// Notes that a request goes to the backend now.
    pub(super) fn sent(&mut self, id: u64) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.trip = request.trip.sent();
        }
    }

    /// Nobody waits for the request any more, but it goes on; who waited.
    pub(super) fn orphan(&mut self, id: u64) -> Option<Origin> {
        let origin = self.requests.get_mut(&id)?.origin.take()?;
        self.by_origin.remove(&origin);
        if let Some(load) = self.of_seat.get_mut(&origin.at.seat) {
            load.requests = load.requests.saturating_sub(1);
        }
        Some(origin)
    }

    pub(super) fn id_of(&self, origin: Origin) -> Option<u64> {
        self.by_origin.get(&origin).copied()
    }

    /// The emergency stop of a session that has waited for its answer for longest.
    pub(super) fn oldest_emergency_of(&self, session: u64) -> Option<u64> {
        let is_one = |request: &Request| match request.what {
            What::Call { op, .. } => request.session == session && op.is_emergency(),
            _ => false,
        };
        let all = self.requests.iter().filter(|(_, request)| is_one(request));
        all.map(|(id, _)| *id).min()
    }

    /// The requests that an instance owes in one of its lives. What it has answered, and is only being noted, it does not
    /// owe.
    pub(super) fn owed_by(&self, backend: Place) -> Vec<u64> {
        let mut owed: Vec<u64> = self
            .requests
            .iter()
            .filter(|(_, request)| request.backend == backend)
            .filter(|(_, request)| !matches!(request.what, What::Noting(_)))
            .map(|(id, _)| *id)
            .collect();
        owed.sort_unstable();
        owed
    }

    /// Whether there are such requests.
    pub(super) fn owes(&self, backend: Place) -> bool {
        let mut requests = self.requests.values();
        requests
            .any(|request| request.backend == backend && !matches!(request.what, What::Noting(_)))
    }

    /// How many requests of a frontend's clients there are.
    pub(super) fn count_of(&self, frontend: usize) -> usize {
        let origins = self.by_origin.keys();
        origins.filter(|origin| origin.at.seat == frontend).count()
    }

    /// The requests whose deadline has passed.
    pub(super) fn expired(&self, now: Instant) -> Vec<u64> {
        self.by_deadline
            .range(..=(now, u64::MAX))
            .map(|(_, id)| *id)
            .collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// How many requests wait, by the seat of the backend that they wait for.
    pub(super) fn by_backend(&self) -> ByBackend {
        let mut counts = ByBackend::new();
        for request in self.requests.values() {
            *counts.entry(request.backend.seat).or_default() += 1;
        }
        counts
    }

    /// How many logins the host's own list is still to decide.
    pub(super) fn checks(&self) -> usize {
        let requests = self.requests.values();
        requests
            .filter(|request| matches!(request.what, What::Check))
            .count()
    }

    pub(super) fn logins(&self) -> usize {
        self.logins
    }

    pub(super) fn load_of(&self, frontend: usize) -> Load {
        self.of_seat.get(&frontend).copied().unwrap_or_default()
    }
}

/// A longer name of a client's for its request is not passed on, in bytes.
const LONGEST_REFERENCE: usize = 256;

/// What the client calls its request.
pub(super) fn reference_of(asked: &Message) -> Option<String> {
    let head: head::Call = asked.read_head().ok()?;
    head.reference.and_then(short_reference)
}

/// One that is not too long.
pub(super) fn short_reference(reference: String) -> Option<String> {
    (reference.len() <= LONGEST_REFERENCE).then_some(reference)
}

/// What the backend is sent for a client's `CALL`.
pub(super) fn call_message(
    id: u64,
    session: u64,
    op: &Op,
    left: Duration,
    asked: Message,
    reference: Option<String>,
) -> Message {
    let head = head::Call {
        session,
        op: op.name.to_owned(),
        deadline_ms: left.as_millis() as u64,
        urgent: op.urgent,
        key: None,
        asker: None,
        reference,
    };
    let Message { body, blobs, .. } = asked;
    Message {
        body,
        blobs,
        ..Message::new(Kind::CALL, id, &head)
    }
}
