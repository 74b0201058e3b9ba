//! JMS clients, as many as wanted, in one Java process.

mod command;
mod event;
mod ibex;
mod inbox;
mod install;

use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::spawner;

pub use command::{Connect, Message, ReplyTo};
pub use event::{Event, IbexEvent, IbexWhat, Received};
pub use ibex::{IBEX_PASSWORD, IbexSees};
use inbox::Inbox;
pub(crate) use install::install;

const START_LIMIT: Duration = Duration::from_secs(60);
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
const JVM: [&str; 4] = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:TieredStopAtLevel=1",
];

/// The Java process. Clients in it have names, chosen by the caller, without spaces; any thread may use any of them.
///
/// All clients and the process end when it is dropped.
#[derive(Debug)]
pub struct Jms {
    // Declared, and so dropped, before the directory of its log.
    process: Process,
    stdin: Mutex<ChildStdin>,
    inbox: Arc<Inbox>,
    commands: AtomicU64,
    _dir: InstanceDir,
}

impl Jms {
    /// Installs what is missing and starts the process.
    ///
    /// # Errors
    /// When something cannot be installed, or the process is not ready within a minute.
    pub fn start(progress: Progress<'_>) -> Result<Self> {
        let class_path = install(progress)?;
        let dir = InstanceDir::new("jms")?;
        let mut java = spawner::guarded("java");
        java.args(JVM).args(["-cp", &class_path, "Client"]);
        let mut process =
            Process::start("the JMS client", java, &dir.path().join("jms.log"), true)?;
        let pipes = process.pipes();
        let (stdin, stdout) = pipes.ok_or_else(|| Error::Jms("started without pipes".into()))?;
        let inbox = Arc::new(Inbox::default());
        let filled = inbox.clone();
        thread::spawn(move || filled.fill(stdout));
        let commands = AtomicU64::new(1);
        let jms = Self {
            process,
            stdin: Mutex::new(stdin),
            inbox,
            commands,
            _dir: dir,
        };
        match jms.inbox.wait_started(START_LIMIT) {
            Ok(true) => Ok(jms),
            Ok(false) => Err(jms.process.failed("was not ready in time".into())),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(why) => Err(jms.process.failed(format!("did not start: {why}"))),
        }
    }

    /// Connects a client, with a temporary queue for its answers.
    ///
    /// # Errors
    /// With the broker's words when it refuses.
    pub fn open(&self, client: &str, connect: &Connect) -> Result<()> {
        self.command("open", client, &connect.words())
    }

    /// Connects a client that never fetches what is in its temporary queue.
    ///
    /// # Errors
    /// With the broker's words when it refuses.
    pub fn open_deaf(&self, client: &str, connect: &Connect) -> Result<()> {
        self.command("deaf", client, &connect.words())
    }

    /// Sends a text with a correlation id to the client's queue; see [`Jms::send_message`] for more.
    ///
    /// # Errors
    /// When the JMS library refuses.
    pub fn send(&self, client: &str, correlation: &str, text: &str) -> Result<()> {
        self.send_message(client, &Message::text(text).correlation(correlation))
    }

    /// Sends any kind of message.
    ///
    /// # Errors
    /// When the JMS library refuses.
    pub fn send_message(&self, client: &str, message: &Message) -> Result<()> {
        self.command("send", client, &message.words())
    }

    /// The client also receives what comes to a topic.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn subscribe(&self, client: &str, topic: &str) -> Result<()> {
        self.command("listen", client, &format!("topic:{topic}"))
    }

    /// The client also receives what comes to a queue.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn listen(&self, client: &str, queue: &str) -> Result<()> {
        self.command("listen", client, &format!("queue:{queue}"))
    }

    /// The client answers every request in a queue with the request's own text.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn echo(&self, client: &str, queue: &str) -> Result<()> {
        self.command("echo", client, &format!("queue:{queue}"))
    }

    /// A client that behaves as the IBEX client of 2017 does: connects and authenticates by itself, and again after
    /// the broker was away. What it does comes as [`Event::Ibex`].
    ///
    /// # Errors
    /// When the process has ended.
    pub fn ibex(&self, client: &str, connect: &Connect) -> Result<()> {
        self.command("ibex", client, &connect.words())
    }

    /// A script sent by such a client, as from its "queue" button.
    ///
    /// # Errors
    /// When it has no connection.
    pub fn ibex_script(&self, client: &str, name: &str, code: &str) -> Result<()> {
        let [name, code] = [name, code].map(|text| command::encoded(text.as_bytes()));
        self.command("script", client, &format!("{name} {code}"))
    }

    /// Ends a client politely.
    ///
    /// # Errors
    /// When it has no connection.
    pub fn close(&self, client: &str) -> Result<()> {
        self.command("close", client, "")
    }

    /// Ends a client's connection without a word to the broker, as a crash would.
    ///
    /// # Errors
    /// When it has no connection.
    pub fn kill(&self, client: &str) -> Result<()> {
        self.command("kill", client, "")
    }

    /// Waits for the client's message with that correlation id; others stay for whom they concern.
    ///
    /// # Errors
    /// When none comes within `limit`, or the process has ended.
    pub fn await_reply(
        &self,
        client: &str,
        correlation: &str,
        limit: Duration,
    ) -> Result<Received> {
        let found = self.receive(limit, |message| {
            message.client == client && message.correlation.as_deref() == Some(correlation)
        })?;
        found.ok_or_else(|| {
            let limit = limit.as_secs_f32();
            Error::Jms(format!(
                "no answer to {client}'s request {correlation} within {limit} s"
            ))
        })
    }

    /// Takes the first message that `wanted` accepts; `None` when there is none within `limit`.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn receive(
        &self,
        limit: Duration,
        wanted: impl Fn(&Received) -> bool,
    ) -> Result<Option<Received>> {
        let is_wanted = |event: &Event| matches!(event, Event::Message(message) if wanted(message));
        Ok(self.event(limit, is_wanted)?.and_then(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        }))
    }

    /// Takes the first event that `wanted` accepts; `None` when there is none within `limit`.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn event(&self, limit: Duration, wanted: impl Fn(&Event) -> bool) -> Result<Option<Event>> {
        self.inbox.event(limit, wanted)
    }

    /// Takes everything that came and that nobody asked for.
    pub fn unmatched(&self) -> Vec<Event> {
        self.inbox.drain()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// How the process ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.process.exit()
    }

    /// What the JMS library logs.
    pub fn log_path(&self) -> &Path {
        self.process.log().path()
    }

    fn command(&self, verb: &str, client: &str, words: &str) -> Result<()> {
        let id = self.commands.fetch_add(1, Ordering::Relaxed);
        let line = format!("{id} {verb} {client} {words}\n");
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stdin
            .write_all(line.as_bytes())
            .and_then(|()| stdin.flush());
        drop(stdin);
        written.map_err(|cause| Error::Jms(format!("the process takes no commands: {cause}")))?;
        self.inbox.outcome(id, COMMAND_LIMIT)
    }
}
