//! What was asked, and what came of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use patchbay_servers::Received;
use serde_json::Value;

/// After its connection has ended a client may still send for so long.
const NOTICE: Duration = Duration::from_secs(2);

/// The longest that an answer is kept for a client (`answer_expiry_s`).
const ANSWER: Duration = Duration::from_secs(60);

/// The longest that a script waits for its turn here: each takes a moment.
const QUEUE: Duration = Duration::from_secs(30);

/// Everything that was sent, by correlation id, and everything that was killed.
#[derive(Default)]
pub struct Ledger {
    book: Mutex<Book>,
}

#[derive(Default)]
pub struct Book {
    pub requests: HashMap<String, Request>,
    /// Clients whose connection has gone.
    pub lost: HashSet<String>,
    pub kills: Vec<(Server, Instant)>,
    /// Answers that nobody had asked for, or that came once more.
    pub unasked: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Broker,
    Daemon,
    Gateway,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    pub persistent: bool,
    /// The line that its script writes, if it is one.
    pub script: Option<String>,
    pub sent: Instant,
    pub answer: Option<Answer>,
}

/// Its answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub at: Instant,
    /// A success, or the sentence that says what is wrong.
    pub outcome: Result<Value, String>,
}

impl Ledger {
    pub fn sent(&self, correlation: &str, persistent: bool, script: Option<String>) {
        let request = Request {
            persistent,
            script,
            sent: Instant::now(),
            answer: None,
        };
        self.lock().requests.insert(correlation.to_owned(), request);
    }

    /// The client's library did not take it: the client knows.
    pub fn not_sent(&self, correlation: &str) {
        self.lock().requests.remove(correlation);
    }

    pub fn answered(&self, message: &Received) {
        let mut book = self.lock();
        let correlation = message.correlation.as_deref().unwrap_or_default();
        let fresh = book
            .requests
            .get_mut(correlation)
            .filter(|request| request.answer.is_none());
        match fresh {
            Some(request) => request.answer = Some(read(message.text.as_deref())),
            None => book.unasked += 1,
        }
    }

    pub fn outcome(&self, correlation: &str) -> Option<Result<Value, String>> {
        let book = self.lock();
        let answer = book.requests.get(correlation)?.answer.as_ref()?;
        Some(answer.outcome.clone())
    }

    pub fn lost_connection(&self, client: &str) {
        self.lock().lost.insert(client.to_owned());
    }

    /// Whether the client's connection has gone since it was last asked.
    pub fn take_lost(&self, client: &str) -> bool {
        self.lock().lost.remove(client)
    }

    pub fn killed(&self, server: Server) {
        self.lock().kills.push((server, Instant::now()));
    }

    pub fn wait_for_answers(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let due = |book: &Book| book.requests.values().any(|request| book.owes(request));
        while Instant::now() < end && due(&self.lock()) {
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// No answer has come, and the request was not inside a broker that was killed.
    pub fn owes(&self, request: &Request) -> bool {
        request.answer.is_none() && !(self.was_in_killed_broker(request))
    }

    /// A broker forgets messages that are not persistent, if it is killed while the request or its answer is with it. A
    /// client notices a little later than the kill that nobody is there.
    pub fn was_in_killed_broker(&self, request: &Request) -> bool {
        let from = request.sent.checked_sub(NOTICE).unwrap_or(request.sent);
        !request.persistent && self.killed_within(Server::Broker, from, request.sent + ANSWER)
    }

    /// A daemon that is killed forgets its queue.
    pub fn was_in_killed_daemon(&self, request: &Request, answered: Instant) -> bool {
        self.killed_within(Server::Daemon, request.sent, answered + QUEUE)
    }

    fn killed_within(&self, server: Server, from: Instant, to: Instant) -> bool {
        let fits = |(killed, at): &(Server, Instant)| *killed == server && (from..=to).contains(at);
        self.kills.iter().any(fits)
    }
}

fn read(text: Option<&str>) -> Answer {
    let value: Value = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let payload = value["payload"].clone();
    let outcome = match value["success"] == true {
        true => Ok(payload),
        false => Err(payload
            .as_str()
            .unwrap_or("an answer that is none")
            .to_owned()),
    };
    let at = Instant::now();
    Answer { at, outcome }
}
