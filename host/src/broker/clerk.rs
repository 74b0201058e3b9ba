//! Reads and writes what is noted of requests that are carried out once; see [`super::once`].

use super::Broker;
use super::call::Call;
use super::once::{Item, Tray};
use super::pending::Once;
use super::verdict::{
    given_up, interrupted, not_known, not_noted, nothing_was_done, used_otherwise,
};
use crate::intents::{Change, Digest, Note, State as Noted, Store, Trouble};
use patchbay_abi::{Fault, Kind, Message, head};
use patchbay_sdk::model::find_op;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

/// So many items are written with one sync at most.
const BATCH: usize = 64;

/// A longer answer is not noted, in bytes; that of a submit is a job's id.
const LONGEST_ANSWER: usize = 4096;

type Answer = Result<Message, Fault>;

/// The one that reads and writes.
struct Clerk {
    broker: Weak<Broker>,
    store: Store,
    under_way: HashMap<Digest, UnderWay>,
    /// The last time that something was to be read or written, it could not be.
    troubled: bool,
}

/// A call that has no answer yet.
struct UnderWay {
    /// The digest of its arguments.
    body: [u8; 32],
    /// The numbers of the requests that wait for its answer too.
    waiters: Vec<u64>,
}

/// What is done once the changes of a batch are on the disk.
enum Then {
    /// Answers these requests.
    Answer(Vec<u64>, Answer),
    /// Answers the request that had that key, and all who wait for its answer.
    Settle(Digest, u64, Answer),
    /// Sends a request that stands in the table.
    Send(u64, Box<Call>, Once),
    /// Nothing.
    Done,
}

/// Starts the clerk on a thread of its own, which ends with the broker.
///
/// # Errors
/// If the system gives no thread.
pub(super) fn start(broker: &Arc<Broker>, store: Store, items: Tray) -> std::io::Result<()> {
    let clerk = Clerk {
        broker: Arc::downgrade(broker),
        store,
        under_way: HashMap::new(),
        troubled: false,
    };
    let thread = std::thread::Builder::new().name("intents".to_owned());
    thread.spawn(move || clerk.run(&items)).map(drop)
}

impl Clerk {
    fn run(mut self, items: &Tray) {
        // Now rather than at the first submit, so that operators learn of trouble at the start.
        if let (Err(trouble), Some(broker)) = (self.store.open(), self.broker.upgrade()) {
            self.in_trouble(&broker, &trouble);
        }
        while let Some(batch) = items.take(BATCH) {
            let Some(broker) = self.broker.upgrade() else {
                return;
            };
            self.work(&broker, batch);
        }
    }

    fn work(&mut self, broker: &Broker, batch: Vec<Item>) {
        let (mut changes, mut then) = (Vec::new(), Vec::new());
        for item in batch {
            let (change, step) = self.decide(broker, item);
            changes.extend(change);
            then.push(step);
        }
        let noted = self.write(broker, &changes);
        for step in then {
            self.carry_out(broker, step, noted.as_ref().err());
        }
    }

    fn write(&mut self, broker: &Broker, changes: &[Change]) -> Result<(), Trouble> {
        if changes.is_empty() {
            return Ok(());
        }
        if let Err(trouble) = self.store.apply(changes) {
            self.in_trouble(broker, &trouble);
            return Err(trouble);
        }
        if std::mem::take(&mut self.troubled) {
            tracing::info!("the state directory works again: submits are carried out");
        }
        Ok(())
    }

    fn decide(&mut self, broker: &Broker, item: Item) -> (Option<Change>, Then) {
        match item {
            Item::LookUp(id) => match broker.keyed(id) {
                Some((call, key)) => self.look_up(broker, id, call, key),
                None => (None, Then::Done),
            },
            Item::Answered(once, id, answer) => {
                let (change, answer) = self.judge(once, answer);
                (change, Then::Settle(once.key, id, answer))
            }
            Item::Abandoned(key) => {
                let waiters = self.end(key);
                (None, Then::Answer(waiters, Err(interrupted())))
            }
        }
    }

    fn look_up(
        &mut self,
        broker: &Broker,
        id: u64,
        call: Call,
        key: Digest,
    ) -> (Option<Change>, Then) {
        let answer = |answer| (None, Then::Answer(vec![id], answer));
        let body = Digest::of([&call.message.body]).0;
        match self.under_way.get_mut(&key) {
            Some(first) if first.body != body => return answer(Err(used_otherwise())),
            Some(first) => {
                first.waiters.push(id);
                return (None, Then::Done);
            }
            None => {}
        }
        let note = match self.store.get(key) {
            Ok(note) => note,
            Err(trouble) => {
                self.in_trouble(broker, &trouble);
                return answer(Err(not_known(&trouble)));
            }
        };
        match note {
            Some(note) if note.body != body => answer(Err(used_otherwise())),
            Some(Note {
                state: Noted::Done(reply),
                ..
            }) => {
                tracing::info!(request = id, "its key is known: answered as before");
                broker.count("requests_recalled");
                answer(Ok(as_reply(&reply)))
            }
            Some(note) => (None, self.find(broker, id, call, key, &note)),
            None => match broker.would_admit(&call) {
                Ok(who) => {
                    let note = Note {
                        at: now(),
                        body,
                        who,
                        state: Noted::Open,
                    };
                    let once = Once { key, finds: false };
                    (
                        Some(Change::Begin(key, note)),
                        self.send(id, call, body, once),
                    )
                }
                Err(fault) => answer(Err(fault)),
            },
        }
    }

    /// Nothing is known of an answer: an earlier life of this gateway was interrupted, or the
    /// backend was. Whether the job is there is asked of the backend; it is never sent again.
    fn find(&mut self, broker: &Broker, id: u64, call: Call, key: Digest, note: &Note) -> Then {
        broker.count("requests_interrupted");
        let Some(find) = find_op("find") else {
            return Then::Answer(vec![id], Err(interrupted()));
        };
        let question = Call {
            session: call.asker,
            op: find,
            message: question(&call.message, note.at),
            ..call
        };
        match broker.would_admit(&question) {
            Ok(_) => self.send(id, question, note.body, Once { key, finds: true }),
            Err(_) => Then::Answer(vec![id], Err(interrupted())),
        }
    }

    fn send(&mut self, id: u64, call: Call, body: [u8; 32], once: Once) -> Then {
        let waiters = Vec::new();
        self.under_way.insert(once.key, UnderWay { body, waiters });
        let call = Call {
            once: Some(once),
            ..call
        };
        Then::Send(id, Box::new(call), once)
    }

    /// What is noted of an answer, and what is answered.
    fn judge(&mut self, once: Once, answer: Answer) -> (Option<Change>, Answer) {
        match answer {
            Ok(reply) if once.finds => match self.found(&reply) {
                Some(job) => {
                    let reply = as_reply(&job);
                    (Some(Change::Done(once.key, job)), Ok(reply))
                }
                None => (None, Err(interrupted())),
            },
            Err(_) if once.finds => (None, Err(interrupted())),
            Ok(reply) => (noted(once.key, &reply), Ok(reply)),
            Err(fault) if nothing_was_done(&fault) => (Some(Change::Forget(once.key)), Err(fault)),
            Err(fault) => (None, Err(fault)),
        }
    }

    /// The answer that a submit would have had: its job is the only one that was found and that is not
    /// the job of another submit. Of several, nobody knows which.
    fn found(&mut self, reply: &Message) -> Option<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Found {
            jobs: Vec<String>,
        }
        let found: Found = serde_json::from_slice(&reply.body).ok()?;
        let mut candidates = found.jobs.iter().filter_map(|job| {
            let answer = to_raw_value(&serde_json::json!({ "job": job })).ok()?;
            matches!(self.store.is_answer(&answer), Ok(false)).then_some(answer)
        });
        let only = candidates.next();
        only.filter(|_| candidates.next().is_none())
    }

    fn carry_out(&mut self, broker: &Broker, step: Then, trouble: Option<&Trouble>) {
        match (step, trouble) {
            (Then::Done, _) => {}
            (Then::Answer(ids, answer), _) => tell(broker, ids, &answer),
            (Then::Settle(key, id, answer), _) => {
                broker.answer_keyed(id, answer.clone());
                self.settle(broker, key, &answer);
            }
            (Then::Send(id, _, once), Some(trouble)) if !once.finds => {
                let refused = Err(not_noted(trouble));
                broker.answer_keyed(id, refused.clone());
                self.settle(broker, once.key, &refused);
            }
            (Then::Send(id, call, once), _) => {
                let (origin, trip) = (call.origin, call.trip);
                match broker.send_on(id, *call) {
                    Some(Ok(())) => {}
                    Some(Err(fault)) => {
                        broker.count("requests_refused");
                        let fault = self.not_sent(broker, once, fault);
                        broker.turned_away(origin, trip, &fault);
                        broker.refuse(origin, fault);
                    }
                    None => _ = self.not_sent(broker, once, given_up()),
                }
            }
        }
    }

    /// It was noted that a request might be sent, and it was not; or that could not be asked what
    /// became of one that may have been. What to say of it.
    fn not_sent(&mut self, broker: &Broker, once: Once, fault: Fault) -> Fault {
        let fault = match once.finds {
            true => interrupted(),
            false => {
                // Where this fails the request counts as interrupted, which is only less than is known.
                let _ = self.write(broker, &[Change::Forget(once.key)]);
                fault
            }
        };
        self.settle(broker, once.key, &Err(fault.clone()));
        fault
    }

    fn settle(&mut self, broker: &Broker, key: Digest, answer: &Answer) {
        let waiters = self.end(key);
        tell(broker, waiters, answer);
    }

    /// A call is under way no more; who waited for its answer.
    fn end(&mut self, key: Digest) -> Vec<u64> {
        let ended = self.under_way.remove(&key);
        ended.map_or(Vec::new(), |ended| ended.waiters)
    }

    fn in_trouble(&mut self, broker: &Broker, trouble: &Trouble) {
        broker.count("intents_failed");
        if !std::mem::replace(&mut self.troubled, true) {
            let cause = trouble.0.as_str();
            tracing::error!(
                cause,
                "the state directory cannot be used: submits are refused until this is mended"
            );
        }
    }
}

fn tell(broker: &Broker, requests: Vec<u64>, answer: &Answer) {
    for id in requests {
        broker.answer_keyed(id, answer.clone());
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}

fn as_reply(body: &RawValue) -> Message {
    Message::new(Kind::REPLY, 0, &head::Reply::default()).body(body.get().to_owned())
}

/// Asks for the job of a submit.
fn question(submit: &Message, since: f64) -> Message {
    let args = submit.body.as_str().unwrap_or("null");
    let body = format!(r#"{{"submit":{args},"since":{since}}}"#);
    Message::bare(Kind::CALL, 0).body(body)
}

fn noted(key: Digest, reply: &Message) -> Option<Change> {
    let text = reply
        .body
        .as_str()
        .ok()
        .filter(|text| text.len() <= LONGEST_ANSWER)?;
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    // Written anew, so that the same answer is always the same text.
    Some(Change::Done(key, to_raw_value(&value).ok()?))
}
