//! Reading what comes from a process, and writing to it, until it has ended.

use std::os::fd::OwnedFd;
use std::time::Duration;

use futures_util::StreamExt;
use patchbay_child::lines::{Line, Lines};
use patchbay_child::process::{Hard, Started};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::message::Said;
use super::{Heard, Stream, Waiting};
use crate::config::Settings;

/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;

/// For how long what is left in sockets and pipes is waited for when a process has ended.
const LINGER: Duration = Duration::from_millis(500);

/// Stands around a job's id at the end of what other programs have printed for it.
const MARK: char = '\u{1e}';

/// How much is read before a line has ended, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    message: usize,
    line: usize,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            message: settings.message_bytes(),
            line: settings.line_bytes,
        }
    }
}

/// Attends to a worker until it has ended.
pub(super) async fn serve(
    started: Started,
    way: std::os::unix::net::UnixStream,
    outgoing: mpsc::Receiver<String>,
    heard: mpsc::Sender<Heard>,
    waiting: Waiting,
    limits: Limits,
) {
    let Started {
        process,
        out,
        error,
        mut end,
        ..
    } = started;
    let outputs = [(out, Stream::Out), (error, Stream::Error)]
        .map(|(pipe, stream)| tokio::spawn(output(pipe, stream, heard.clone(), limits.line)));
    let reading = talk(way, outgoing, &heard, &waiting, limits.message);
    tokio::pin!(reading);
    let (why, how) = tokio::select! {
        why = &mut reading => {
            // Its way to us is its life.
            process.end(Hard::Kill);
            (why, end.await)
        }
        // What it said last is still to be read; a child that has got away may keep the socket open.
        how = &mut end => (timeout(LINGER, reading).await.unwrap_or_default(), how),
    };
    for mut output in outputs {
        if timeout(LINGER, &mut output).await.is_err() {
            output.abort();
        }
    }
    let how = how.unwrap_or_else(|_| "it has ended, and nobody knows how".to_owned());
    waiting.lock().clear();
    let _ = heard.send(Heard::Gone(why.unwrap_or(how))).await;
}

/// Why it has to be ended, if it was its own doing.
async fn talk(
    link: std::os::unix::net::UnixStream,
    outgoing: mpsc::Receiver<String>,
    heard: &mpsc::Sender<Heard>,
    waiting: &Waiting,
    longest: usize,
) -> Option<String> {
    let link = link
        .set_nonblocking(true)
        .and_then(|()| UnixStream::from_std(link));
    match link {
        Ok(link) => {
            let (reads, writes) = link.into_split();
            let writing = tokio::spawn(write(writes, outgoing));
            let why = read(reads, heard, waiting, longest).await;
            writing.abort();
            why
        }
        Err(error) => Some(format!("there is no way to it: {error}")),
    }
}

async fn read(
    reads: OwnedReadHalf,
    heard: &mpsc::Sender<Heard>,
    waiting: &Waiting,
    longest: usize,
) -> Option<String> {
    let mut lines = FramedRead::new(reads, LinesCodec::new_with_max_length(longest));
    while let Some(line) = lines.next().await {
        let line = match line {
            Ok(line) => line,
            Err(LinesCodecError::MaxLineLengthExceeded) => {
                return Some(meddled("a message that never ends"));
            }
            Err(LinesCodecError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Some(meddled("bytes that are no text"));
            }
            Err(LinesCodecError::Io(_)) => return None,
        };
        match serde_json::from_str(&line) {
            Ok(Said::Answer { id, answer }) => {
                if let Some(waits) = waiting.lock().remove(&id) {
                    let _ = waits.send(answer.into_answer());
                }
            }
            Ok(said) => heard.send(Heard::Said(said)).await.ok()?,
            Err(_) => return Some(meddled("what is no message")),
        }
    }
    None
}

fn meddled(what: &str) -> String {
    format!("it was ended, because the script wrote {what} to the worker's own connection")
}

async fn write(mut writes: OwnedWriteHalf, mut outgoing: mpsc::Receiver<String>) {
    while let Some(line) = outgoing.recv().await {
        if writes.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn output(pipe: OwnedFd, stream: Stream, heard: mpsc::Sender<Heard>, longest: usize) {
    let Ok(mut pipe) = Receiver::from_owned_fd(pipe) else {
        return;
    };
    let mut lines = Lines::new(longest);
    let mut chunk = [0; CHUNK];
    loop {
        let (read, ended) = match pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => (lines.rest().into_iter().collect(), true),
            Ok(count) => (lines.take(&chunk[..count]), false),
        };
        for line in read {
            if !tell(&line, stream, &heard).await {
                return;
            }
        }
        if ended {
            return;
        }
    }
}

/// A line, and whether the worker has marked the end of what belongs to a script in it.
async fn tell(line: &Line, stream: Stream, heard: &mpsc::Sender<Heard>) -> bool {
    let line = line.text();
    let marked = line
        .strip_suffix(MARK)
        .and_then(|line| line.rsplit_once(MARK));
    let (text, job) = match marked {
        Some((text, job)) => (text.to_owned(), Some(job.to_owned())),
        None => (line, None),
    };
    if (job.is_none() || !text.is_empty()) && heard.send(Heard::Line(stream, text)).await.is_err() {
        return false;
    }
    match job {
        Some(job) => heard.send(Heard::Drained(job)).await.is_ok(),
        None => true,
    }
}
