//! Writes the lines.

use super::sieve::Sieve;
use super::{Item, Keeping, Line};
use crate::metrics::Metrics;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Counts lines that were not written.
pub(super) const LOST: &str = "audit_lines_lost";

/// How often it is looked for lines that were held back.
const TICK: Duration = Duration::from_secs(1);

/// Between two complaints in the log.
const COMPLAINT: Duration = Duration::from_secs(60);

/// So many lines are written at once at most.
const BATCH: usize = 256;

pub(super) struct Writer {
    keeping: Keeping,
    metrics: Arc<Metrics>,
    sieve: Sieve,
    open: Option<Open>,
    /// When trouble was last complained of, and how many lines were lost since it began.
    trouble: Option<(Instant, u64)>,
    /// Lines that found no room in the queue, and when that was said last.
    crowded_out: Arc<AtomicU64>,
    crowded_said: Option<Instant>,
}

struct Open {
    file: File,
    length: u64,
}

impl Writer {
    pub(super) fn new(
        keeping: Keeping,
        metrics: Arc<Metrics>,
        crowded_out: Arc<AtomicU64>,
    ) -> Self {
        Writer {
            keeping,
            metrics,
            sieve: Sieve::default(),
            open: None,
            trouble: None,
            crowded_out,
            crowded_said: None,
        }
    }

    pub(super) fn run(mut self, items: &Receiver<Item>, left: &AtomicUsize) {
        // Now rather than at the first line, so that operators learn of trouble at the start.
        self.write(&[]);
        loop {
            let first = match items.recv_timeout(TICK) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let (mut lines, mut waiting) = (Vec::new(), Vec::new());
            let now = Instant::now();
            for item in first.into_iter().chain(items.try_iter().take(BATCH - 1)) {
                left.fetch_sub(1, Ordering::Relaxed);
                match item {
                    Item::Line(line) => lines.extend(self.sieve.pass(*line, now)),
                    Item::Flush(done) => waiting.push(done),
                }
            }
            lines.extend(self.sieve.due(now, !waiting.is_empty()));
            self.write_all(&lines);
            self.tell_of_crowding(now);
            tell(&waiting);
        }
        let rest = self.sieve.due(Instant::now(), true);
        self.write_all(&rest);
    }

    fn write_all(&mut self, lines: &[Line]) {
        if !lines.is_empty() {
            self.write(lines);
        }
    }

    fn write(&mut self, lines: &[Line]) {
        match self.try_write(lines) {
            Ok(()) => {
                if let Some((_, lost)) = self.trouble.take() {
                    tracing::info!(lost, "the audit log is written again");
                }
            }
            Err((error, unwritten)) => self.in_trouble(&error, unwritten),
        }
    }

    /// What was not written, if not all was.
    fn try_write(&mut self, lines: &[Line]) -> Result<(), (io::Error, u64)> {
        let mut left = lines.len() as u64;
        let failed = |left| move |error| (error, left);
        self.file().map_err(failed(left))?;
        for line in lines {
            let mut text = serde_json::to_vec(line).unwrap_or_default();
            text.push(b'\n');
            self.append(&text).map_err(failed(left))?;
            left -= 1;
        }
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let most = self.keeping.bytes;
        let full = |open: &Open| open.length > 0 && open.length + text.len() as u64 > most;
        if self.open.as_ref().is_some_and(full) {
            self.open = None;
            turn(&self.keeping)?;
        }
        let open = self.file()?;
        match open.file.write_all(text) {
            Ok(()) => {
                open.length += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // No half lines: what did get on the disk is taken back.
                let _ = open.file.set_len(open.length);
                self.open = None;
                Err(error)
            }
        }
    }

    fn file(&mut self) -> io::Result<&mut Open> {
        // One that somebody has moved or removed is made anew.
        if !self.keeping.file.exists() {
            self.open = None;
        }
        match self.open.take() {
            Some(open) => Ok(self.open.insert(open)),
            None => {
                let file = open(&self.keeping.file)?;
                let length = file.metadata()?.len();
                Ok(self.open.insert(Open { file, length }))
            }
        }
    }

    fn tell_of_crowding(&mut self, now: Instant) {
        let due = |said: Instant| now.duration_since(said) >= COMPLAINT;
        if self.crowded_said.is_none_or(due) {
            let lost = self.crowded_out.swap(0, Ordering::Relaxed);
            if lost > 0 {
                self.crowded_said = Some(now);
                tracing::error!(
                    lost,
                    "more was to be noted in the audit log than can be written"
                );
            }
        }
    }

    fn in_trouble(&mut self, error: &io::Error, unwritten: u64) {
        self.metrics.add("host", LOST, unwritten);
        let now = Instant::now();
        let (said, lost) = self.trouble.unwrap_or((now, 0));
        let lost = lost + unwritten;
        let first = self.trouble.is_none();
        let say = first || now.duration_since(said) >= COMPLAINT;
        self.trouble = Some((if say { now } else { said }, lost));
        if say {
            let file = self.keeping.file.display();
            tracing::error!(%file, %error, lost, "the audit log cannot be written; everything else goes on");
        }
    }
}

fn tell(waiting: &[SyncSender<()>]) {
    for done in waiting {
        let _ = done.try_send(());
    }
}

/// The name of the file before the newest one, the one before that, …
pub(super) fn older(file: &Path, number: u64) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Makes room for a new file: each one gets the next number, the last is dropped.
fn turn(keeping: &Keeping) -> io::Result<()> {
    let last = keeping.files.saturating_sub(1);
    let file = &keeping.file;
    if last == 0 {
        return std::fs::remove_file(file);
    }
    for number in (1..last).rev() {
        match std::fs::rename(older(file, number), older(file, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(file, older(file, 1))
}

#[cfg(unix)]
fn open(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(file)
}

#[cfg(not(unix))]
fn open(file: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(file)
}
