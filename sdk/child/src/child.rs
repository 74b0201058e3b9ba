//! One life of a program, as its plugin holds it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use patchbay_abi::{Fault, FaultKind, Kind, Message, head, line};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::asked::{Asked, Place, Question, gone};
use crate::heard::Heard;
use crate::life;
use crate::mistake;
use crate::outbox::{Bytes, Lane, NotTaken, Outbox};
use crate::process::{self, Hard, Process};
use crate::program::Settings;

/// The version of the protocol: the number in `start` and `ready`.
pub(crate) const PROTOCOL: u32 = 1;

/// What a program has said and its plugin has not heard yet; more waits in the pipe.
const UNHEARD: usize = 256;

/// How long a program that has failed may take to end by itself.
const LINGER: Duration = Duration::from_millis(500);

/// A program that was started, until it has ended. Clones are the same.
#[derive(Clone)]
pub struct Child {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) process: Arc<Process>,
    pub(crate) outbox: Outbox,
    pub(crate) asked: Asked,
    /// The last ping that it has answered.
    pub(crate) ponged: AtomicU64,
    state: watch::Sender<State>,
    next: AtomicU64,
    stopping: AtomicBool,
    /// Why it has to end, or was ended; the first reason counts.
    reason: OnceLock<Fault>,
    last_words: Mutex<String>,
}

#[derive(Clone)]
pub(crate) enum State {
    Starting,
    Ready,
    Gone(Fault),
}

/// Of `START`, with what a program in another language has to know beside.
#[derive(Serialize)]
struct Start {
    #[serde(flatten)]
    start: head::Start,
    protocol: u32,
}

impl Child {
    /// Starts a program and tells it so. What it says is to be heard from now on; whether it serves, [`Child::ready`] says.
    ///
    /// # Errors
    /// `Unavailable` if there is no such program, or it cannot be run.
    pub async fn start(
        settings: Settings,
        instance: &str,
    ) -> Result<(Self, mpsc::Receiver<Heard>), Fault> {
        let (of_command, of_failure) = (settings.clone(), settings.clone());
        let command = move || of_command.command();
        let failed = move |error| of_failure.not_started(&error);
        let started = process::start("program", command, failed).await;
        let started = started.map_err(|why| Fault::new(FaultKind::Unavailable, why))?;
        let inner = Arc::new(Inner {
            process: started.process.clone(),
            outbox: Outbox::new(settings.unread_bytes),
            asked: Asked::new(settings.outstanding_most),
            ponged: AtomicU64::new(0),
            state: watch::Sender::new(State::Starting),
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            reason: OnceLock::new(),
            last_words: Mutex::default(),
            settings,
        });
        let (tell, heard) = mpsc::channel(UNHEARD);
        tokio::spawn(life::live(inner.clone(), started, tell));
        let start = head::Start {
            instance: instance.to_owned(),
            level: level().to_owned(),
        };
        let protocol = PROTOCOL;
        let start = Message::new(Kind::START, 0, &Start { start, protocol });
        inner.force(&start.body(inner.settings.config.clone()));
        Ok((Child { inner }, heard))
    }

    /// Waits until it serves, for as long as its start may take.
    ///
    /// # Errors
    /// Why it does not, if it has said so; it is gone then.
    pub async fn ready(&self) -> Result<(), Fault> {
        let limit = self.inner.settings.start_limit;
        match timeout(limit, self.inner.leaves_start()).await {
            Ok(State::Gone(fault)) => return Err(fault),
            Ok(_) => return Ok(()),
            Err(_) => {}
        }
        let text = format!(
            "it was killed, because it did not say `ready` within {} s (program.start_seconds)",
            limit.as_secs_f64()
        );
        self.inner.kill(Fault::new(FaultKind::Timeout, text));
        Err(self.gone().await)
    }

    /// Waits until it is gone, and until everybody has their answer: why.
    pub async fn gone(&self) -> Fault {
        let gone = self.inner.reaches(|state| matches!(state, State::Gone(_)));
        let why = match gone.await {
            State::Gone(fault) => fault,
            _ => forgotten(),
        };
        self.inner.asked.all_taken().await;
        why
    }

    /// Asks, under an id of its own, and waits for the answer. A future that is dropped takes the question back, if nothing
    /// of it was written yet; otherwise it tells the program not to bother.
    ///
    /// # Errors
    /// What the program says, or why it says nothing.
    pub async fn ask(&self, mut message: Message, question: Question) -> Result<Message, Fault> {
        let inner = &*self.inner;
        message.id = inner.next_id();
        let id = message.id;
        let bytes = inner.encode(&message)?;
        let (place, answered) = inner.asked.enter(id, question)?;
        let taken = match question.urgent {
            true => inner.outbox.force(Lane::Urgent, id, bytes),
            false => inner.outbox.ask(id, bytes),
        };
        if let Err(why) = taken {
            inner.asked.forget(id);
            return Err(inner.not_taken(&why));
        }
        let _asking = Asking {
            inner,
            id,
            _place: place,
        };
        let nobody = || Err(gone("nobody knows why"));
        answered.await.unwrap_or_else(|_| nobody())
    }

    /// Tells it something that has no answer, as soon as there is room; nothing if it is gone.
    ///
    /// # Errors
    /// `TooLarge` if it is more than the program can be expected to read.
    pub async fn say(&self, message: Message) -> Result<(), Fault> {
        // What a program that is gone does not hear, it has no use for.
        let _ = self.inner.outbox.wait(self.inner.encode(&message)?).await;
        Ok(())
    }

    /// What is wrong with something that it has said; without quoting it, if it knows passwords.
    #[must_use]
    pub fn mistake(&self, error: &serde_json::Error) -> String {
        self.inner.mistake(error)
    }

    /// Whether it was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.inner.is_stopping()
    }

    /// Tells it to stop, and waits until it has ended: until its own deadline, and `until` at the latest. Then it is killed.
    /// Whether it has ended by itself.
    pub async fn stop(&self, until: Instant) -> bool {
        let now = Instant::now();
        let until = until.min(now + self.inner.settings.stop_limit);
        let left = until.saturating_duration_since(now).as_millis();
        let deadline_ms = u64::try_from(left).unwrap_or(u64::MAX);
        self.inner.stopping.store(true, Ordering::Relaxed);
        let stop = Message::new(Kind::STOP, 0, &head::Stop { deadline_ms });
        self.inner.force(&stop);
        if timeout_at(until, self.gone()).await.is_ok() {
            return true;
        }
        tracing::warn!(
            "the program has not ended {deadline_ms} ms after it was told to stop, and is killed (program.stop_seconds, \
             shutdown_deadline_s)"
        );
        let text = "it was killed, because it did not stop in time";
        self.inner.kill(Fault::new(FaultKind::Timeout, text));
        self.gone().await;
        false
    }
}

impl Inner {
    pub(crate) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn encode(&self, message: &Message) -> Result<Bytes, Fault> {
        self.settings.bounds.check(&message.body)?;
        line::encode(message).map_err(|error| {
            let text = format!("it cannot be sent to the program: {error}");
            Fault::new(FaultKind::Internal, text)
        })
    }

    /// Says what needs no room.
    pub(crate) fn force(&self, message: &Message) {
        if let Ok(bytes) = self.encode(message) {
            // A program that is gone needs it no more.
            let _ = self.outbox.force(Lane::Ordinary, 0, bytes);
        }
    }

    pub(crate) fn mistake(&self, error: &serde_json::Error) -> String {
        mistake::of(error, self.settings.knows_secrets)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn is_ready(&self) {
        self.state.send_if_modified(|state| {
            let starts = matches!(state, State::Starting);
            if starts {
                *state = State::Ready;
            }
            starts
        });
    }

    /// Waits until it is ready, or gone.
    pub(crate) async fn leaves_start(&self) -> State {
        self.reaches(|state| !matches!(state, State::Starting))
            .await
    }

    async fn reaches(&self, wanted: impl FnMut(&State) -> bool) -> State {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(wanted).await;
        reached.map_or_else(|_| State::Gone(forgotten()), |state| state.clone())
    }

    /// It has said that it cannot go on, and gets a moment to end.
    pub(crate) fn fails(self: &Arc<Self>, fault: Fault) {
        // Another reason may have come first.
        let _ = self.reason.set(fault);
        self.outbox.finish();
        let process = self.process.clone();
        tokio::spawn(async move {
            sleep(LINGER).await;
            process.end(Hard::Kill);
        });
    }

    /// Ends it, with all that it has started.
    pub(crate) fn kill(&self, why: Fault) {
        let _ = self.reason.set(why);
        self.process.end(Hard::Kill);
    }

    pub(crate) fn says_last(&self, line: &str) {
        let mut last_words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        line.clone_into(&mut last_words);
    }

    /// It has ended like that: answers everybody, and says so.
    pub(crate) fn ended(&self, how: &str) {
        let fault = self.reason.get().cloned();
        let mut fault = fault.unwrap_or_else(|| Fault::new(FaultKind::Unavailable, how));
        let unsent = self.outbox.close();
        self.asked.settle(&unsent, &fault.message);
        let last_words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !last_words.is_empty() && !self.settings.knows_secrets {
            fault.message += &format!("; the last line of its standard error: {last_words}");
        }
        self.state.send_replace(State::Gone(fault));
    }

    fn not_taken(&self, why: &NotTaken) -> Fault {
        match why {
            NotTaken::Full => {
                let text = "the program does not read what it is sent; nothing was done (program.unread_bytes)";
                Fault::new(FaultKind::Unavailable, text)
            }
            NotTaken::Closed => {
                let why = self.reason.get().map(|fault| fault.message.as_str());
                gone(why.unwrap_or("it has ended, or is ending"))
            }
        }
    }
}

fn forgotten() -> Fault {
    Fault::new(FaultKind::Internal, "its life was forgotten")
}

/// What this instance logs, in the words of a `START`.
fn level() -> &'static str {
    use tracing::Level;
    if tracing::enabled!(Level::TRACE) {
        "trace"
    } else if tracing::enabled!(Level::DEBUG) {
        "debug"
    } else if tracing::enabled!(Level::INFO) {
        "info"
    } else if tracing::enabled!(Level::WARN) {
        "warn"
    } else {
        "error"
    }
}

/// A question that somebody waits for.
struct Asking<'a> {
    inner: &'a Inner,
    id: u64,
    _place: Place,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let unanswered = self.inner.asked.forget(self.id);
        if unanswered && !self.inner.outbox.take_back(self.id) {
            self.inner.force(&Message::bare(Kind::CANCEL, self.id));
        }
    }
}
