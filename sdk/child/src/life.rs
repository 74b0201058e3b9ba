//! What goes on around a program as long as it lives.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_abi::{Fault, FaultKind, Kind, Message};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::Sender;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::child::Inner;
use crate::complaints::Complaints;
use crate::heard::Heard;
use crate::hearing::Hearing;
use crate::process::{Hard, Process, Started};

/// How long a program may take to end when one of its pipes is closed: most often it is just ending.
const ENDING: Duration = Duration::from_secs(5);

/// How long what is left in its pipes is waited for when it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Attends to a program until it has ended.
pub(crate) async fn live(inner: Arc<Inner>, started: Started, heard: mpsc::Sender<Heard>) {
    let Started {
        process,
        input,
        out,
        error,
        mut end,
    } = started;
    let _with_us = EndsWithUs(process);
    let writing = tokio::spawn(write(inner.clone(), input));
    let pulse = inner
        .settings
        .hang_limit
        .map(|limit| tokio::spawn(feel(inner.clone(), limit)));
    let mut complaints = tokio::spawn(Complaints::new(inner.clone(), heard.clone()).read(error));
    let mut hearing = tokio::spawn(Hearing::new(inner.clone(), heard).read(out));
    let how = tokio::select! {
        how = &mut end => how,
        _ = &mut hearing => match timeout(ENDING, &mut end).await {
            Ok(how) => how,
            Err(_) => {
                cut_off(&inner, "standard output");
                end.await
            }
        },
    };
    // What it said last is still to be read; a child of its that has got away may keep a pipe open.
    for reader in [&mut hearing, &mut complaints] {
        if !reader.is_finished() && timeout(LAST_WORDS, &mut *reader).await.is_err() {
            reader.abort();
        }
    }
    writing.abort();
    if let Some(pulse) = pulse {
        pulse.abort();
    }
    inner.ended(&how.unwrap_or_else(|_| "it has ended, and nobody knows how".to_owned()));
}

/// A program is killed when nobody attends to it any more.
struct EndsWithUs(Arc<Process>);

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        self.0.end(Hard::Kill);
    }
}

/// Without one of its pipes nobody can speak to it.
fn cut_off(inner: &Inner, what: &str) {
    if !inner.is_stopping() {
        let text = format!("it was killed, because it has closed its {what}");
        inner.kill(Fault::new(FaultKind::Protocol, text));
    }
}

/// Writes what is to be said; when there will be no more, the program sees the end of its input.
async fn write(inner: Arc<Inner>, pipe: Option<OwnedFd>) {
    let pipe = pipe.and_then(|pipe| Sender::from_owned_fd(pipe).ok());
    let Some(mut pipe) = pipe else {
        return cut_off(&inner, "standard input");
    };
    while let Some(line) = inner.outbox.next().await {
        if pipe.write_all(line.bytes()).await.is_err() {
            sleep(ENDING).await;
            return cut_off(&inner, "standard input");
        }
    }
}

/// Makes sure now and then that it still reads and answers.
async fn feel(inner: Arc<Inner>, limit: Duration) {
    inner.leaves_start().await;
    loop {
        let id = inner.next_id();
        inner.force(&Message::bare(Kind::PING, id));
        sleep(limit).await;
        if inner.ponged.load(Ordering::Relaxed) != id && !inner.is_stopping() {
            let text = format!(
                "it was killed, because it did not answer a `ping` within {} s (program.hang_seconds)",
                limit.as_secs_f64()
            );
            return inner.kill(Fault::new(FaultKind::Timeout, text));
        }
    }
}
