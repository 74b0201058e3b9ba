//! `patchbay audit`: who has changed what, or was refused.
//!
//! It reads the files themselves, so that it works whether or not the gateway runs.

use super::table::table;
use crate::audit::{Line, Reader, files};
use crate::config::audit_path;
use crate::exit::Exit;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks of `--follow`.
const EVERY: Duration = Duration::from_millis(300);

/// Of which lines, and how.
#[derive(Args)]
pub(super) struct Wanted {
    /// The configuration file of the gateway.
    #[arg(default_value = "/etc/patchbay/patchbay.toml")]
    file: PathBuf,
    /// How many of the last lines.
    #[arg(long, value_name = "N", default_value_t = 50)]
    last: usize,
    /// Show further lines as they come, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Only those of this user.
    #[arg(long)]
    user: Option<String>,
    /// Only those of this operation: `submit`, `login`, `patchbay route`, …
    #[arg(long)]
    op: Option<String>,
    /// Print the lines as they stand in the file: JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(wanted: &Wanted) -> Exit {
    let newest = match audit_path(&wanted.file) {
        Ok(path) => path,
        Err(mistakes) => {
            super::show(&mistakes);
            return Exit::Configuration;
        }
    };
    match wanted.show(&newest) {
        // Whoever reads has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            eprintln!("error: {}: {error}", newest.display());
            Exit::Failed
        }
        Ok(()) => Exit::Done,
    }
}

impl Wanted {
    fn show(&self, newest: &Path) -> io::Result<()> {
        let mut last = VecDeque::new();
        let mut reader = None;
        for file in files(newest) {
            let mut this = Reader::open(&file)?;
            while let Some(found) = this.next_line()? {
                if self.wants(&found.1) {
                    last.push_back(found);
                }
                if last.len() > self.last {
                    last.pop_front();
                }
            }
            reader = Some(this).filter(|_| file == newest);
        }
        if reader.is_none() && last.is_empty() && !self.follow {
            let file = newest.display();
            eprintln!("nothing is noted yet: there is no {file}");
            return Ok(());
        }
        self.print(last.into(), true)?;
        match self.follow {
            true => self.follow(newest, reader),
            false => Ok(()),
        }
    }

    /// Until Ctrl-C ends us.
    fn follow(&self, newest: &Path, mut reader: Option<Reader>) -> io::Result<()> {
        loop {
            self.more(newest, &mut reader)?;
            std::thread::sleep(EVERY);
        }
    }

    /// What has come meanwhile, from a file that may have been put aside.
    fn more(&self, newest: &Path, reader: &mut Option<Reader>) -> io::Result<()> {
        let mut found = Vec::new();
        // In this order, so that the end of a file that is put aside meanwhile is read too.
        let old = reader
            .as_ref()
            .is_none_or(|open| open.is_old(newest).unwrap_or(false));
        if let Some(open) = reader {
            while let Some(line) = open.next_line()? {
                found.push(line);
            }
        }
        if old && newest.exists() {
            let mut next = Reader::open(newest)?;
            while let Some(line) = next.next_line()? {
                found.push(line);
            }
            *reader = Some(next);
        }
        found.retain(|(_, line)| self.wants(line));
        match found.is_empty() {
            true => Ok(()),
            false => self.print(found, false),
        }
    }

    fn wants(&self, line: &Line) -> bool {
        let user = self.user.is_none() || self.user == line.user;
        user && self.op.as_ref().is_none_or(|op| *op == line.op)
    }

    fn print(&self, found: Vec<(String, Line)>, head: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            let mut lines = found.iter();
            lines.try_for_each(|(text, _)| writeln!(out, "{text}"))?;
        } else {
            let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
            rows.extend(found.iter().map(|(_, line)| row(line)));
            let shown = table(&rows);
            let skipped = usize::from(!head);
            let mut lines = shown.lines().skip(skipped);
            lines.try_for_each(|line| writeln!(out, "{line}"))?;
        }
        out.flush()
    }
}

const HEAD: [&str; 8] = ["WHEN", "WHO", "AS", "WHAT", "OUTCOME", "AT", "FROM", ""];

fn row(line: &Line) -> Vec<String> {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let from = [&line.frontend, &line.client].map(|part| part.clone().unwrap_or_default());
    let remarks = [
        line.about.clone(),
        line.job.as_ref().map(|job| format!("job {job}")),
        line.session.map(|session| format!("session {session}")),
        line.request.map(|request| format!("request {request}")),
        line.times.map(|times| format!("{times} times")),
    ];
    vec![
        when(line.time),
        known(&line.user),
        known(&line.role),
        line.op.clone(),
        line.outcome.clone(),
        known(&line.backend),
        from.join(" ").trim().to_owned(),
        remarks.into_iter().flatten().collect::<Vec<_>>().join(", "),
    ]
}

/// In the time zone of whoever reads.
fn when(time: f64) -> String {
    let moment = Timestamp::from_millisecond((time * 1e3) as i64);
    moment.map_or_else(
        |_| "–".to_owned(),
        |moment| {
            let here = moment.to_zoned(TimeZone::system());
            here.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}
