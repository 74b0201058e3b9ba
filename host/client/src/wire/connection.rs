//! One connection: requests and their answers, and the events between them.
//!
//! A thread reads lines; whoever waits for something takes them from a channel, in steps between which Ctrl-C is
//! noticed. Events that come while an answer is waited for are kept for later.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Event;
use super::line;
use super::message::{Hello, Message, Refusal};
use super::stream::Stream;
use crate::address::Address;
use crate::complaint::{Complaint, Result};
use crate::interrupt;

/// The version of the protocol that this client speaks.
const PROTOCOL: u64 = 1;
/// A gateway greets at once; something else waits for us to begin.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// Longer than any gateway waits by default before it says that there was no answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// For operations that take as long as the user's own code; Ctrl-C ends them earlier.
const LONG_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// How soon Ctrl-C is noticed.
const STEP: Duration = Duration::from_millis(50);
/// A gateway that says nothing for so long is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(30);
/// And is given up if there is none.
const DEATH: Duration = Duration::from_secs(90);
/// Lines that are read ahead.
const AHEAD: usize = 1024;
/// Events that are kept while an answer is waited for.
const KEPT: usize = 10_000;

/// Sees events before anybody else does, on the reader's thread; what it takes goes no further.
pub(crate) type Tap = Arc<dyn Fn(&Event) -> bool + Send + Sync>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The gateway says why.
    Refused(Refusal),
    /// The connection is of no use any more.
    Broken(String),
    /// Ctrl-C.
    Interrupted,
}

/// A connection that has greeted.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    heard: Receiver<Heard>,
    events: VecDeque<Event>,
    last_id: u64,
    last_heard: Instant,
    /// A sign of life was asked for since.
    pinged: bool,
}

#[derive(Debug)]
enum Heard {
    Message(Message),
    /// Nothing more comes; why.
    End(String),
}

impl Connection {
    /// Connects and reads the greeting.
    ///
    /// # Errors
    /// When nobody listens there, or something that is no gateway of this protocol.
    pub(crate) fn open(address: &Address, tap: Option<Tap>) -> Result<Self> {
        let unreachable = |error| {
            Complaint::connect(format!("no gateway can be reached at {address}: {error}"))
                .advice("is it running? `--connect` or PATCHBAY_CONNECT says where it is")
        };
        let stream = Stream::connect(address).map_err(unreachable)?;
        let input = stream.try_clone().map_err(unreachable)?;
        let (tell, heard) = sync_channel(AHEAD);
        thread::spawn(move || listen(input, &tell, tap));
        let connection = Self {
            stream,
            heard,
            events: VecDeque::new(),
            last_id: 0,
            last_heard: Instant::now(),
            pinged: false,
        };
        connection.greeted(address).map(|()| connection)
    }

    fn greeted(&self, address: &Address) -> Result<()> {
        let other = |what: &str| {
            let message =
                format!("what listens at {address} does not speak as a Patchbay gateway: {what}");
            Complaint::connect(message).advice(
                "`--connect` must name the address of a frontend with `plugin = \"socket\"`",
            )
        };
        match self.heard.recv_timeout(HELLO_LIMIT) {
            Ok(Heard::Message(Message::Hello(hello))) => check(&hello, address),
            Ok(Heard::Message(Message::Bye(Refusal { message, .. }))) => {
                let message = format!("the gateway at {address} does not let us in: {message}");
                Err(Complaint::connect(message))
            }
            Ok(Heard::End(why)) => Err(other(&why)),
            Ok(_) => Err(other("it does not greet as one")),
            Err(_) => Err(other("it says nothing")),
        }
    }

    /// Asks, and waits for the answer. A `submit` with a `key` may be asked for again.
    ///
    /// # Errors
    /// When it is refused, when the connection breaks or nothing is heard for too long, and after Ctrl-C.
    pub(crate) fn ask(
        &mut self,
        op: &str,
        args: &Value,
        key: Option<&str>,
    ) -> Result<Value, Failure> {
        let id = self.send(op, args, key)?;
        self.answer(op, id)
    }

    /// Waits for the answer to a request that was sent; it may be waited for again after Ctrl-C.
    ///
    /// # Errors
    /// As of [`Connection::ask`].
    pub(crate) fn answer(&mut self, op: &str, id: u64) -> Result<Value, Failure> {
        let is_long = patchbay_sdk::model::find_op(op).is_some_and(|op| op.long);
        let limit = if is_long { LONG_LIMIT } else { ANSWER_LIMIT };
        let end = Instant::now() + limit;
        while Instant::now() < end {
            match self.hear(STEP)? {
                Some(Message::Answer(Some(of), answer)) if of == id => {
                    return answer.map_err(Failure::Refused);
                }
                Some(Message::Event(event)) => self.keep(event),
                _ if interrupt::taken() => return Err(Failure::Interrupted),
                _ => {}
            }
        }
        let limit = limit.as_secs();
        let message = format!("the gateway has not answered `{op}` for {limit} s");
        Err(Failure::Broken(message))
    }

    /// Sends a request without waiting for its answer, which will be skipped; its number.
    pub(crate) fn send(
        &mut self,
        op: &str,
        args: &Value,
        key: Option<&str>,
    ) -> Result<u64, Failure> {
        self.last_id += 1;
        let mut request = json!({"id": self.last_id, "op": op});
        if !args.is_null() {
            request["args"] = args.clone();
        }
        if let Some(key) = key {
            request["key"] = key.into();
        }
        // It may be a login.
        let line = Zeroizing::new(format!("{request}\n"));
        match self.stream.write_all(line.as_bytes()) {
            Ok(()) => Ok(self.last_id),
            Err(error) => Err(self.parting(&error.to_string())),
        }
    }

    /// The next event; `None` if none comes within `limit`.
    ///
    /// # Errors
    /// `Broken` when the connection is, or when nothing was heard for too long.
    pub(crate) fn next_event(&mut self, limit: Duration) -> Result<Option<Event>, Failure> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        match self.hear(limit)? {
            Some(Message::Event(event)) => Ok(Some(event)),
            _ => self.check_life().map(|()| None),
        }
    }

    fn check_life(&mut self) -> Result<(), Failure> {
        let silence = self.last_heard.elapsed();
        if silence > DEATH {
            let seconds = silence.as_secs();
            return Err(broken(&format!("nothing was heard for {seconds} s")));
        }
        if silence > SILENCE && !self.pinged {
            self.pinged = true;
            self.send("ping", &Value::Null, None)?;
        }
        Ok(())
    }

    fn hear(&mut self, limit: Duration) -> Result<Option<Message>, Failure> {
        let heard = match self.heard.recv_timeout(limit) {
            Ok(heard) => heard,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(broken("it has ended")),
        };
        (self.last_heard, self.pinged) = (Instant::now(), false);
        match heard {
            Heard::Message(Message::Bye(Refusal { message, .. })) => {
                let message = format!("the gateway has closed the connection: {message}");
                Err(Failure::Broken(message))
            }
            Heard::Message(message) => Ok(Some(message)),
            Heard::End(why) => Err(broken(&why)),
        }
    }

    /// What is kept is bounded; whoever finds a gap must look anew.
    fn keep(&mut self, event: Event) {
        if self.events.len() >= KEPT {
            self.events.clear();
            self.events.push_back(Event::gap());
        }
        self.events.push_back(event);
    }

    /// Why nothing can be sent any more: the gateway may have said so before it closed the connection.
    fn parting(&mut self, why: &str) -> Failure {
        loop {
            match self.hear(STEP) {
                Ok(Some(_)) => {}
                Ok(None) => return broken(why),
                Err(failure) => return failure,
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.close();
    }
}

fn broken(why: &str) -> Failure {
    Failure::Broken(format!("the connection to the gateway broke: {why}"))
}

fn check(hello: &Hello, address: &Address) -> Result<()> {
    if hello.gateway == "patchbay" && hello.protocol == PROTOCOL {
        return Ok(());
    }
    let Hello {
        gateway,
        version,
        protocol,
    } = hello;
    let message = format!(
        "the gateway at {address} ({gateway} {version}) speaks version {protocol} of the protocol, \
         and this client version {PROTOCOL}"
    );
    Err(Complaint::connect(message).advice("use the client that came with that gateway"))
}

/// Reads until the connection ends or nobody wants to hear.
fn listen(input: Stream, tell: &SyncSender<Heard>, tap: Option<Tap>) {
    let mut input = BufReader::new(input);
    loop {
        let heard = match line::read(&mut input, line::LONGEST) {
            Ok(Some(line)) => match Message::read(&line) {
                Ok(Message::Event(event)) if tap.as_ref().is_some_and(|tap| tap(&event)) => {
                    continue;
                }
                Ok(message) => Heard::Message(message),
                Err(_) => Heard::End("a line came that is none of its protocol".to_owned()),
            },
            Ok(None) => Heard::End("it was closed".to_owned()),
            Err(error) => Heard::End(error.to_string()),
        };
        let is_end = matches!(heard, Heard::End(_));
        if tell.send(heard).is_err() || is_end {
            return;
        }
    }
}
