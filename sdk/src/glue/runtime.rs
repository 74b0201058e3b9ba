//! An instance's own tokio, on its own thread.

use crate::Stop;
use crate::counts::Counts;
use crate::log::{self, Voice};
use crate::stop::End;
use patchbay_abi::{Kind, Message, Port, head};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;
use tokio::time::Instant;

/// Blocking work that an instance may have under way at once.
const BLOCKING_THREADS: usize = 4;

/// How long blocking work may go on after the instance has stopped.
const LINGER: Duration = Duration::from_secs(1);

/// A running tokio, and the switches that end it.
pub(crate) struct Runtime {
    pub(crate) handle: Handle,
    pub(crate) counts: Arc<Counts>,
    voice: Voice,
    stop: watch::Sender<bool>,
    end: Arc<OnceLock<End>>,
    end_of_thread: watch::Sender<EndOfThread>,
}

/// Whether the instance's thread is to end, and what is said to the host when all tasks are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndOfThread {
    NotYet,
    Silently,
    Stopped,
}

impl Runtime {
    /// Starts the thread; `afterwards` runs on it when all tasks are gone.
    ///
    /// # Errors
    /// If the system gives no thread or no poll descriptor.
    pub(crate) fn start(
        instance: &str,
        host: &Port,
        afterwards: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Arc<Runtime>> {
        let voice = Voice::new(host.clone());
        let (of_thread, of_runtime) = (voice.clone(), voice.clone());
        let tokio = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name(instance)
            .on_thread_start(move || log::speak_as(&of_thread))
            .build()?;
        let handle = tokio.handle().clone();
        let (end_of_thread, mut ending) = watch::channel(EndOfThread::NotYet);
        let counts = Arc::new(Counts::new(host.clone()));
        let teller = counts.clone();
        handle.spawn(async move { teller.keep_telling().await });
        let last_words = counts.clone();
        let (name, host) = (instance.to_owned(), host.clone());
        std::thread::Builder::new().name(name).spawn(move || {
            log::speak_as(&voice);
            let end = tokio.block_on(async {
                let end = ending.wait_for(|end| *end != EndOfThread::NotYet).await;
                // An error means that nobody holds the instance any more, which ends it as well.
                end.map_or(EndOfThread::Silently, |end| *end)
            });
            tokio.shutdown_timeout(LINGER);
            afterwards();
            last_words.tell();
            // Nothing follows it: there is no task left that could say anything.
            if end == EndOfThread::Stopped {
                host.deliver(Message::bare(Kind::STOPPED, 0));
            }
        })?;
        let stop = watch::Sender::new(false);
        Ok(Arc::new(Runtime {
            handle,
            counts,
            voice: of_runtime,
            stop,
            end: Arc::default(),
            end_of_thread,
        }))
    }

    /// Takes over the log level that a `START` or a `LEVEL` gives.
    pub(crate) fn set_level(&self, message: &Message) {
        if let Ok(head) = message.read_head::<head::Level>() {
            self.voice.set_level(&head.level);
        }
    }

    /// Tells the host that the thread is not blocked, by doing so on it.
    pub(crate) fn answer_ping(&self, host: &Port, ping: &Message) {
        let (host, pong) = (host.clone(), Message::bare(Kind::PONG, ping.id));
        self.handle.spawn(async move { host.deliver(pong) });
    }

    pub(crate) fn stop_signal(&self) -> Stop {
        Stop::new(self.stop.subscribe(), self.end.clone())
    }

    /// As a `STOP` asks.
    pub(crate) fn ask_to_stop(&self, message: &Message) {
        // A second one changes nothing.
        let _ = self.end.set(End {
            begun: Instant::now(),
            within: stop_deadline(message),
        });
        self.stop.send_replace(true);
    }

    /// Ends the thread once the task that calls this yields.
    pub(crate) fn finish(&self) {
        self.end(EndOfThread::Silently);
    }

    /// As [`Runtime::finish`], and tells the host `STOPPED` when all tasks are gone.
    pub(crate) fn finish_stopped(&self) {
        self.end(EndOfThread::Stopped);
    }

    /// Whoever says first how it ends decides.
    fn end(&self, how: EndOfThread) {
        self.end_of_thread.send_if_modified(|end| {
            let is_first = *end == EndOfThread::NotYet;
            if is_first {
                *end = how;
            }
            is_first
        });
    }
}

/// How long the host gives an instance to stop.
pub(crate) fn stop_deadline(message: &Message) -> Duration {
    let head = message.read_head::<head::Stop>();
    Duration::from_millis(head.map_or(1000, |head| head.deadline_ms))
}
