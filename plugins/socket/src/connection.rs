//! The life of one connection.

use std::sync::Arc;

use bytes::BytesMut;
use patchbay_dialect_json::{Form, Request, Wish};
use patchbay_sdk::{Fault, FaultKind, Stop, by_size};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep_until, timeout_at};

use crate::Shared;
use crate::desk::Desk;
use crate::door::{Peer, Reading};
use crate::line::{Cutter, Line};
use crate::outgoing::Outgoing;
use crate::places::Place;
use crate::writer::Writer;

/// So much is read at once, in bytes.
const CHUNK: usize = 16 << 10;

/// No longer line is read before somebody is logged in, in bytes.
const STRANGERS_LINE: usize = 64 << 10;

/// After a `bye`, what the client still sends is read away for so long, so that it gets to read the `bye`.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a connection ends.
enum End {
    /// The client has nothing more to say.
    Finished,
    /// It is gone.
    Gone,
    /// We close it, and say why.
    Closed(Fault),
}

/// Serves a client until either side has had enough.
pub async fn serve(
    shared: Arc<Shared>,
    peer: Peer,
    (_place, stranger): (Place, Place),
    stop: Stop,
) {
    let limits = &shared.settings.limits;
    let (outbox, inbox) = mpsc::channel(limits.requests_per_connection);
    let writer = Writer::new(
        peer.writing,
        inbox,
        shared.feed.clone(),
        shared.settings.write,
    );
    let writer = tokio::spawn(writer.run());
    let hello = Outgoing::hello(shared.gateway.instance());
    let _ = outbox.send(hello).await;
    let desk = Desk::new(shared.clone(), peer.name.clone(), outbox.clone(), stranger);
    let mut connection = Connection {
        reading: peer.reading,
        bytes: BytesMut::new(),
        cutter: Cutter::default(),
        fresh: true,
        alone_since: Instant::now(),
        heard: Instant::now(),
        desk,
        outbox,
        shared: shared.clone(),
    };
    let end = connection.converse(&stop).await;
    let why = connection.end(end, &stop, writer).await;
    tracing::debug!(from = peer.name, why, "a connection has ended");
}

struct Connection {
    reading: Reading,
    bytes: BytesMut,
    cutter: Cutter,
    /// Nothing was read yet.
    fresh: bool,
    /// Since when nobody is logged in, if nobody is.
    alone_since: Instant,
    heard: Instant,
    desk: Desk,
    outbox: mpsc::Sender<Outgoing>,
    shared: Arc<Shared>,
}

impl Connection {
    async fn converse(&mut self, stop: &Stop) -> End {
        loop {
            let deadline = self.deadline();
            let outbox = self.outbox.clone();
            let line = tokio::select! {
                biased;
                () = stop.wait() => return End::Closed(shutting_down()),
                () = outbox.closed() => return End::Gone,
                line = self.next() => line,
                () = sleep_until(deadline) => match self.too_late() {
                    Some(why) => return End::Closed(why),
                    None => continue,
                },
            };
            match line {
                Ok(Some(line)) => {
                    if let Err(why) = self.take(line).await {
                        return End::Closed(why);
                    }
                }
                Ok(None) => return End::Finished,
                Err(_) => return End::Gone,
            }
        }
    }

    /// The next line; nothing is lost when this is dropped. `None` when there will be no more.
    async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let limit = self.line_limit();
            if let Some(line) = self.cutter.cut(&mut self.bytes, limit) {
                return Ok(Some(line));
            }
            if self.fresh && !may_be_object(&self.bytes) {
                return Ok(Some(Line::Whole(self.bytes.split())));
            }
            self.bytes.reserve(CHUNK);
            if self.reading.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn line_limit(&self) -> usize {
        let limit = self.shared.settings.limits.line_bytes;
        match self.desk.is_known() {
            true => limit,
            false => limit.min(STRANGERS_LINE),
        }
    }

    /// Takes a line.
    ///
    /// # Errors
    /// Why the connection is to be closed.
    async fn take(&mut self, line: Line) -> Result<(), Fault> {
        let first = std::mem::take(&mut self.fresh);
        let Line::Whole(line) = line else {
            if first {
                return Err(self.another_protocol());
            }
            let fault = self.too_long();
            self.desk.refuse(&Form::UNKNOWN, &fault).await;
            return Ok(());
        };
        if first && !is_object(&line) {
            return Err(self.another_protocol());
        }
        let was_known = self.desk.is_known();
        let taken = match by_size(line.len(), move || read(&line)).await {
            Ok(request) => self.desk.take(request).await,
            Err(fault) => {
                self.desk.refuse(&Form::UNKNOWN, &fault).await;
                Ok(())
            }
        };
        // The login may have taken long; the client has not been silent meanwhile.
        self.heard = Instant::now();
        if was_known && !self.desk.is_known() {
            self.alone_since = self.heard;
        }
        taken
    }

    fn deadline(&self) -> Instant {
        let settings = &self.shared.settings;
        match self.desk.is_known() {
            true => self.heard + settings.idle,
            false => self.alone_since + settings.login,
        }
    }

    /// Why the time is over, if it is.
    fn too_late(&mut self) -> Option<Fault> {
        let settings = &self.shared.settings;
        if !self.desk.is_known() {
            let text = format!(
                "nobody has logged in for {} s (login_s)",
                settings.login.as_secs()
            );
            return Some(Fault::new(FaultKind::Timeout, text));
        }
        if self.desk.is_waiting() {
            self.heard = Instant::now();
            return None;
        }
        let text = format!(
            "nothing was heard for {} s (idle_s)",
            settings.idle.as_secs()
        );
        Some(Fault::new(FaultKind::Timeout, text))
    }

    fn another_protocol(&self) -> Fault {
        self.shared
            .gateway
            .count("connections_of_another_protocol", 1);
        tracing::warn!(
            "a connection was closed whose first line is no JSON object; does somebody speak another protocol?"
        );
        let text = "the first line of a connection must be a JSON object";
        Fault::new(FaultKind::Invalid, text)
    }

    fn too_long(&self) -> Fault {
        let limit = self.line_limit();
        let hint = match self.desk.is_known() {
            true => " (limits.line_bytes)",
            false => " before the login",
        };
        Fault::new(
            FaultKind::TooLarge,
            format!("the line is longer than {limit} bytes{hint}; it was skipped"),
        )
    }

    /// Answers what is due, says goodbye and closes. Returns why the connection has ended, for the log.
    async fn end(
        mut self,
        end: End,
        stop: &Stop,
        writer: JoinHandle<(u64, std::io::Result<()>)>,
    ) -> String {
        let why = match &end {
            End::Finished => "the client has closed it".to_owned(),
            End::Gone => "the client is gone".to_owned(),
            End::Closed(fault) => fault.message.clone(),
        };
        if !matches!(end, End::Gone) {
            if stop.is_stopping() {
                let _ = timeout_at(stop.answer_until(), self.turn_away()).await;
            }
            self.settle(stop).await;
        }
        let due = self.desk.unanswered() as u64;
        if let End::Closed(fault) = &end {
            let _ = self.outbox.send(Outgoing::bye(fault)).await;
        }
        let Connection {
            desk,
            outbox,
            mut reading,
            shared,
            ..
        } = self;
        // Whatever only looks is cancelled here.
        drop((desk, outbox));
        let (lost, written) = writer.await.unwrap_or((0, Ok(())));
        if lost + due > 0 {
            shared.gateway.count("answers_lost", lost + due);
            let cause = written.as_ref().err().map(ToString::to_string);
            tracing::warn!(
                why,
                cause,
                "{} requests of a client were not answered",
                lost + due
            );
        }
        if matches!(end, End::Closed(_)) && written.is_ok() {
            let mut until = Instant::now() + GOODBYE;
            if stop.is_stopping() {
                until = until.min(stop.leave_until());
            }
            let _ = timeout_at(until, read_away(&mut reading)).await;
        }
        why
    }

    /// At a stop: until what was taken is answered, what still comes is told that nothing was done. What is urgent is
    /// done all the same, as long as there is somebody to do it.
    async fn turn_away(&mut self) {
        let outbox = self.outbox.clone();
        let answered = self.desk.all_answered();
        tokio::pin!(answered);
        loop {
            let line = tokio::select! {
                biased;
                () = &mut answered => return,
                () = outbox.closed() => return,
                line = self.next() => line,
            };
            let Ok(Some(Line::Whole(line))) = line else {
                return;
            };
            let Ok(request) = by_size(line.len(), move || read(&line)).await else {
                return;
            };
            match &request.wish {
                Ok(Wish::Call(call)) if call.urgent() => {
                    if self.desk.take(request).await.is_err() {
                        return;
                    }
                }
                _ => self.desk.refuse(&request.form, &not_done()).await,
            }
        }
    }

    /// Waits for what is due, at a stop for no longer than the host does.
    async fn settle(&mut self, stop: &Stop) {
        let outbox = self.outbox.clone();
        let too_long = async {
            stop.wait().await;
            sleep_until(stop.answer_until()).await;
        };
        tokio::select! {
            () = self.desk.finish() => {}
            () = outbox.closed() => {}
            () = too_long => {}
        }
    }
}

async fn read_away(reading: &mut Reading) {
    let mut nowhere = [0; 4096];
    while reading
        .read(&mut nowhere)
        .await
        .is_ok_and(|count| count > 0)
    {}
}

/// A line as a request.
fn read(line: &[u8]) -> Request {
    match std::str::from_utf8(line) {
        Ok(text) => patchbay_dialect_json::read(text),
        Err(_) => Request {
            form: Form::UNKNOWN,
            wish: Err(Fault::new(FaultKind::Invalid, "the line is not UTF-8")),
        },
    }
}

fn may_be_object(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_none_or(|first| *first == b'{')
}

fn is_object(line: &[u8]) -> bool {
    let any = serde_json::from_slice::<serde::de::IgnoredAny>(line);
    line.trim_ascii_start().starts_with(b"{") && any.is_ok()
}

fn not_done() -> Fault {
    let text = "the gateway is being shut down; nothing was done";
    Fault::new(FaultKind::ShuttingDown, text)
}

fn shutting_down() -> Fault {
    Fault::new(FaultKind::ShuttingDown, "the gateway is being shut down")
}
