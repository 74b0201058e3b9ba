//! Goes through all that an instance has said in a life, for what must never be said.

use super::life::{Birth, Role};
use super::stage::Stage;
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What the host takes by default: of a body (`max_body_bytes`), of a head, of events and log lines in one of the suite's
/// lives. A host takes more of the last in a second; nothing that the suite asks for needs as many.
const LARGEST_BODY: usize = 16 << 20;
const LARGEST_HEAD: usize = 64 << 10;
const MOST_LINES: usize = 20_000;

/// The last kind that this testkit knows; newer plugins may say more.
const LAST_KIND: u16 = Kind::PONG.0;

/// What either kind of plugin may say, and what only one of them.
const OF_BOTH: [Kind; 7] = [
    Kind::READY,
    Kind::FAILED,
    Kind::STOPPED,
    Kind::LOG,
    Kind::METRIC,
    Kind::HEALTH,
    Kind::PONG,
];
const OF_BACKENDS: [Kind; 2] = [Kind::REPLY, Kind::EVENT];
const OF_FRONTENDS: [Kind; 6] = [
    Kind::LOGIN,
    Kind::LOGOUT,
    Kind::CALL,
    Kind::CANCEL,
    Kind::SUBSCRIBE,
    Kind::CREDIT,
];

/// What the host has asked of an instance in a life, and when it told it to stop.
#[derive(Default)]
pub(super) struct Asked(Mutex<Requests>);

#[derive(Default)]
struct Requests {
    of: HashMap<u64, Request>,
    stop: Option<usize>,
}

#[derive(Default)]
struct Request {
    what: String,
    /// How much had been said when it was certain that a cancelled request had been dropped.
    dropped: Option<usize>,
    replies: usize,
}

impl Asked {
    /// The host asks, by that number.
    pub(super) fn ask(&self, id: u64, what: &str) {
        let request = Request {
            what: what.to_owned(),
            ..Request::default()
        };
        self.lock().of.insert(id, request);
    }

    /// From here on, a reply to it is one too many.
    pub(super) fn is_dropped(&self, id: u64, said: usize) {
        if let Some(request) = self.lock().of.get_mut(&id) {
            request.dropped = Some(said);
        }
    }

    /// The host tells it to stop when so much has been said, unless it has told it already: when that was, and whether it is
    /// the first time.
    pub(super) fn stop(&self, said: usize) -> (usize, bool) {
        let mut requests = self.lock();
        let is_first = requests.stop.is_none();
        (*requests.stop.get_or_insert(said), is_first)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes whatever was said that must not be.
pub(super) fn audit(stage: &Stage, asked: &Asked, birth: &Birth) {
    let said = stage.said();
    let mut auditor = Auditor {
        birth,
        asked: &mut asked.lock(),
        stopped: None,
        ready: 0,
        lines: 0,
    };
    for (place, message) in said.iter().enumerate() {
        auditor.look_at(place, message);
    }
    let lines = auditor.lines + stage.unkept();
    if lines > MOST_LINES {
        let why =
            format!("it said {lines} things unasked in one life; the host drops what is too much");
        birth.notes.note("A14", why);
    }
}

struct Auditor<'a> {
    birth: &'a Birth,
    asked: &'a mut Requests,
    stopped: Option<usize>,
    ready: usize,
    lines: usize,
}

impl Auditor<'_> {
    fn look_at(&mut self, place: usize, message: &Message) {
        self.order(place, message);
        self.is_its_to_say(message);
        self.size(message);
        self.secrets(message);
        if let Err(why) = form(message) {
            self.note("A9", format!("{}: {why}", shown(message)));
        }
        match message.kind {
            Kind::REPLY if self.birth.role == Role::Backend => self.reply(place, message),
            _ => self.lines += 1,
        }
    }

    /// Its own life: ready once, ended once, nothing after that.
    fn order(&mut self, place: usize, message: &Message) {
        if self.stopped.is_some() && message.kind != Kind::LOG {
            self.note("A5", format!("after STOPPED it said {}", shown(message)));
        }
        let was_asked = self.asked.stop.is_some_and(|stop| place >= stop);
        match message.kind {
            Kind::READY => {
                self.ready += 1;
                if self.ready == 2 {
                    self.note("A2", "it said READY more than once".to_owned());
                }
            }
            Kind::FAILED if self.ready > 0 && !was_asked => {
                self.note(
                    "A12",
                    format!("it gave up while it served: {}", fault(message)),
                );
            }
            Kind::STOPPED => {
                if !was_asked {
                    self.note(
                        "A12",
                        "it said STOPPED without having been told to stop".to_owned(),
                    );
                }
                self.stopped = Some(place);
            }
            _ => {}
        }
    }

    fn is_its_to_say(&self, message: &Message) {
        let own: &[Kind] = match self.birth.role {
            Role::Backend => &OF_BACKENDS,
            Role::Frontend => &OF_FRONTENDS,
        };
        let may = OF_BOTH.contains(&message.kind) || own.contains(&message.kind);
        if !may && message.kind.0 <= LAST_KIND {
            self.note(
                "A10",
                format!("it said {}, which is not for it to say", shown(message)),
            );
        }
    }

    fn size(&self, message: &Message) {
        let (head, body) = (message.head.len(), message.body.len());
        if head > LARGEST_HEAD || body > LARGEST_BODY {
            let why = format!(
                "{} has a head of {head} and a body of {body} bytes; by default the host takes {LARGEST_HEAD} and {LARGEST_BODY}",
                name(message.kind)
            );
            self.note("A14", why);
        }
    }

    fn secrets(&self, message: &Message) {
        let parts = [&message.head, &message.body];
        let blobs = message.blobs.iter();
        let mut parts = parts.into_iter().chain(blobs);
        let is_in = |bytes: &[u8], secret: &str| {
            let secret = secret.as_bytes();
            bytes.windows(secret.len()).any(|part| part == secret)
        };
        let tells = |part: &patchbay_abi::Buffer| {
            self.birth.secrets.iter().any(|secret| is_in(part, secret))
        };
        if parts.any(tells) {
            let kind = name(message.kind);
            self.note(
                "A11",
                format!("a password that a client logged in with stands in a {kind}"),
            );
        }
    }

    /// Each request has one reply, none after it was dropped, and there is none to nobody.
    fn reply(&mut self, place: usize, message: &Message) {
        let Some(request) = self.asked.of.get_mut(&message.id) else {
            let why = format!("it answered request {}, which nobody has asked", message.id);
            return self.note("B5", why);
        };
        request.replies += 1;
        let (replies, what) = (request.replies, request.what.clone());
        let is_late = request.dropped.is_some_and(|dropped| place >= dropped);
        if replies == 2 {
            self.note(
                "B5",
                format!("it answered {what} (request {}) more than once", message.id),
            );
        }
        if is_late {
            self.note(
                "B9",
                format!(
                    "it answered {what} (request {}) after that had been cancelled",
                    message.id
                ),
            );
        }
        if let Ok(head::Reply {
            fault: Some(fault), ..
        }) = message.read_head()
        {
            self.fault(&what, &fault);
        }
    }

    fn fault(&self, what: &str, fault: &Fault) {
        if fault.kind == FaultKind::Internal {
            self.note(
                "B15",
                format!("{what} ended as a bug (`internal`): {fault}"),
            );
        }
        if fault.message.trim().is_empty() {
            self.note(
                "B15",
                format!("{what} was refused as {:?}, without a word why", fault.kind),
            );
        }
        let may_be_done = matches!(fault.kind, FaultKind::UnknownOutcome | FaultKind::Timeout);
        if may_be_done && fault.retry {
            let why = format!(
                "{what} may have been carried out ({:?}), and yet it says that asking again does no harm",
                fault.kind
            );
            self.note("B15", why);
        }
    }

    fn note(&self, id: &'static str, why: String) {
        self.birth.notes.note(id, why);
    }
}

/// Whether a message has the form that its kind demands.
fn form(message: &Message) -> Result<(), String> {
    let head = |error: serde_json::Error| format!("its head is none: {error}");
    match message.kind {
        Kind::REPLY => {
            let reply: head::Reply = message.read_head().map_err(head)?;
            let may_be_empty = reply.fault.is_some() || reply.session.is_some();
            match message.body.is_empty() && may_be_empty {
                true => Ok(()),
                false => json(message),
            }
        }
        Kind::EVENT => {
            let event: head::Event = message.read_head().map_err(head)?;
            json(message)?;
            let is_object = message.body.starts_with(b"{");
            match event.kind.is_empty() || !is_object {
                true => Err("an event has a kind, and an object as its body".to_owned()),
                false => Ok(()),
            }
        }
        Kind::CALL => message
            .read_head::<head::Call>()
            .map_err(head)
            .and_then(|_| json(message)),
        Kind::LOGIN => message.read_head::<head::Login>().map(drop).map_err(head),
        Kind::LOGOUT => message.read_head::<head::Logout>().map(drop).map_err(head),
        Kind::SUBSCRIBE => message
            .read_head::<head::Subscribe>()
            .map(drop)
            .map_err(head),
        Kind::CREDIT => message.read_head::<head::Credit>().map(drop).map_err(head),
        Kind::FAILED => message.read_head::<Fault>().map(drop).map_err(head),
        Kind::LOG => log(&message.read_head().map_err(head)?),
        Kind::METRIC => metric(&message.read_head().map_err(head)?),
        Kind::HEALTH => health(&message.read_head().map_err(head)?),
        _ => Ok(()),
    }
}

fn json(message: &Message) -> Result<(), String> {
    if message.body.contains(&b'\n') {
        return Err("its body has a raw newline".to_owned());
    }
    serde_json::from_slice::<&RawValue>(&message.body)
        .map(drop)
        .map_err(|error| format!("its body is no JSON: {error}"))
}

fn log(line: &head::Log) -> Result<(), String> {
    match ["error", "warn", "info", "debug", "trace"].contains(&line.level.as_str()) {
        true => Ok(()),
        false => Err(format!("there is no level {:?}", line.level)),
    }
}

fn metric(metric: &head::Metric) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match !metric.counter.is_empty() && metric.counter.bytes().all(plain) {
        true => Ok(()),
        false => Err(format!("{:?} is no name in snake_case", metric.counter)),
    }
}

fn health(health: &head::Health) -> Result<(), String> {
    match health.state.as_str() {
        "up" => Ok(()),
        "degraded" | "down" if health.reason.is_empty() => Err("it does not say why".to_owned()),
        "degraded" | "down" => Ok(()),
        other => Err(format!("there is no health {other:?}")),
    }
}

/// What a `FAILED` says.
pub(super) fn fault(message: &Message) -> Fault {
    let broken = |error| {
        Fault::new(
            FaultKind::Protocol,
            format!("a fault that cannot be read: {error}"),
        )
    };
    message.read_head().unwrap_or_else(broken)
}

pub(super) fn name(kind: Kind) -> String {
    kind.name()
        .map_or_else(|| format!("kind {}", kind.0), str::to_owned)
}

/// A message, for people.
fn shown(message: &Message) -> String {
    let text = |bytes: &[u8]| {
        let short = bytes.get(..200).unwrap_or(bytes);
        String::from_utf8_lossy(short).into_owned()
    };
    let (head, body) = (text(&message.head), text(&message.body));
    format!("{} {} {head} {body}", name(message.kind), message.id)
        .trim_end()
        .to_owned()
}

/// The body of a message, as far as it is JSON.
pub(super) fn value(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap_or(Value::Null)
}
