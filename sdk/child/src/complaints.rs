//! What a program writes to its standard error: in the log, within limits.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;

use crate::child::Inner;
use crate::heard::Heard;
use crate::lines::{Line, Lines};
use crate::rate::Rate;

/// How much is read at once, in bytes.
const CHUNK: usize = 4 << 10;

pub(crate) struct Complaints {
    inner: Arc<Inner>,
    heard: mpsc::Sender<Heard>,
    rate: Rate,
    left_out: u64,
}

impl Complaints {
    pub(crate) fn new(inner: Arc<Inner>, heard: mpsc::Sender<Heard>) -> Self {
        let rate = Rate::new(
            inner.settings.stderr_lines_per_second,
            Duration::from_secs(1),
        );
        Complaints {
            inner,
            heard,
            rate,
            left_out: 0,
        }
    }

    /// Reads until there is nothing more.
    pub(crate) async fn read(mut self, pipe: OwnedFd) {
        let Ok(mut pipe) = Receiver::from_owned_fd(pipe) else {
            return;
        };
        let mut lines = Lines::new(self.inner.settings.stderr_line_bytes);
        let mut chunk = [0; CHUNK];
        loop {
            match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    for line in lines.take(&chunk[..count]) {
                        self.take(&line).await;
                    }
                }
            }
        }
        if let Some(line) = lines.rest() {
            self.take(&line).await;
        }
        self.own_up().await;
    }

    async fn take(&mut self, line: &Line) {
        let text = line.text();
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        self.inner.says_last(text);
        if self.rate.takes_one() {
            self.own_up().await;
            tracing::info!(target: "stderr", "{text}");
        } else {
            self.left_out += 1;
        }
    }

    /// Says how much was left out, if anything was.
    async fn own_up(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            tracing::warn!(
                target: "stderr",
                "{left_out} lines of the program's standard error were left out (program.stderr_lines_per_second)"
            );
            let count = Heard::Count("stderr_lines_left_out".into(), left_out);
            let _ = self.heard.send(count).await;
        }
    }
}
