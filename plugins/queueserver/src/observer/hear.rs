//! What is printed becomes log lines; what the shim says, progress and answers.

use std::sync::Arc;

use patchbay_sdk::RawJson;
use patchbay_sdk::model::{JobKind, Level, LogLine};

use crate::console::{Console, Marker, Said};
use crate::jobs::{Ended, How};
use crate::server::{Server, now};
use crate::shape::Ending;

/// Who speaks for what is printed.
const OUTPUT: &str = "output";

pub(super) struct Ear {
    server: Arc<Server>,
    console: Console,
    /// The script whose output comes, by its own word: what comes may be older than what is known of the jobs.
    speaks: Option<String>,
    /// The script that has said last that it prints no more.
    over: Option<String>,
}

impl Ear {
    pub(super) fn new(server: &Arc<Server>) -> Self {
        let config = &server.config;
        Self {
            server: Arc::clone(server),
            console: Console::new(config.line_bytes, config.frame_limit_bytes),
            speaks: None,
            over: None,
        }
    }

    /// Whether something is printed by a job of which nobody knows yet that it runs.
    pub(super) fn needs_look(&self, text: &str) -> bool {
        let jobs = self.server.jobs();
        !text.starts_with(['[', '\x1e', '\n']) && jobs.running().is_none() && jobs.is_going()
    }

    /// Whether this script is known to speak.
    pub(super) fn hears(&self, job: &str) -> bool {
        self.speaks.as_deref() == Some(job)
    }

    /// Whether no more output of this job is to come: it has said so, or another one speaks already.
    pub(super) fn has_heard_out(&self, job: &str) -> bool {
        self.over.as_deref() == Some(job) || (self.speaks.is_some() && !self.hears(job))
    }

    /// No more of its output is waited for.
    pub(super) fn give_up(&mut self, job: &str) {
        if self.hears(job) {
            self.speaks = None;
            let text = "the RE Manager's console has not told the end of what this script printed; some of it may be missing here";
            self.server
                .remark(Level::Warning, Some(job), text.to_owned());
        }
    }

    /// Whether a look is worth while.
    pub(super) fn hear(&mut self, time: f64, text: &str) -> bool {
        let mut look = false;
        for said in self.console.take(text) {
            match said {
                Said::Marker(marker) => look |= self.marker(*marker),
                Said::Line(text) => self.line(time, Level::Info, OUTPUT.to_owned(), text, None),
                Said::Record {
                    level,
                    logger,
                    text,
                } => {
                    look |= level == Level::Error;
                    // What the server does is no news for those who run scripts.
                    let level = match level {
                        Level::Info => Level::Debug,
                        level => level,
                    };
                    self.line(time, level, logger, text, None);
                }
            }
        }
        look
    }

    /// Jobs have ended: what failed is said with its traceback.
    pub(super) fn ended(&mut self, ended: &[(Ended, Ending)]) {
        if ended.is_empty() {
            return;
        }
        // A line that the next one has begun is not theirs.
        let speaks = self.speaks.as_deref();
        if speaks.is_none_or(|speaks| ended.iter().any(|(ended, _)| ended.job == speaks)) {
            self.end_line();
        }
        for (job, ending) in ended {
            let says_nothing = ending.msg.is_empty() && ending.traceback.is_empty();
            if job.how == How::Well || says_nothing {
                continue;
            }
            let name = self
                .server
                .jobs()
                .get(&job.job)
                .and_then(|job| job.record.name.clone());
            // Where it was stopped is nobody's mistake.
            let (level, (text, traceback)) = match job.how {
                How::Failed => (Level::Error, complaint(ending, name.as_deref())),
                _ => (Level::Warning, (said(ending).to_owned(), None)),
            };
            self.server.say(LogLine {
                time: ending.time_stop.unwrap_or_else(now),
                level,
                logger: OUTPUT.to_owned(),
                text,
                job: Some(job.job.clone()),
                traceback,
            });
        }
    }

    fn marker(&mut self, marker: Marker) -> bool {
        self.server.hears.send_replace(true);
        if let Some(nonce) = marker.nonce {
            let told = match (marker.value, marker.raised) {
                (_, Some(raised)) => Err(raised),
                (Some(value), None) => Ok(RawJson::from(value)),
                (None, None) => Ok(RawJson::null()),
            };
            self.server.answer(nonce, told);
            return false;
        }
        let Some(job) = marker.job else {
            return false;
        };
        if marker.begun && !self.hears(&job) {
            self.end_line();
            // Where what the server puts back is kept, the same script may run again.
            self.over.take_if(|over| *over == job);
        }
        if marker.over {
            self.end_line();
            self.compare(&job, marker.printed);
            self.speaks = None;
            self.over = Some(job);
            return true;
        }
        self.compare(&job, marker.printed);
        let line = marker.line.and_then(|line| u64::try_from(line).ok());
        let mut jobs = self.server.jobs();
        let mut notices = Vec::new();
        if marker.begun {
            notices.extend(jobs.begun(&job, now()));
        }
        notices.extend(jobs.at_line(&job, line, marker.held));
        drop(jobs);
        self.server.tell(notices);
        // A script that prints has begun, also if its word about that was lost.
        if marker.begun || marker.printed.is_some() {
            self.speaks = Some(job);
        }
        marker.begun
    }

    /// Tells a line that has no end yet, since nothing of it is to come.
    fn end_line(&mut self) {
        if let Some(Said::Line(text)) = self.console.flush() {
            self.line(now(), Level::Info, OUTPUT.to_owned(), text, None);
        }
    }

    /// Compares what was heard of a script with what it has printed, because the server's console drops what it cannot
    /// publish fast enough, and does not say so. Lines from before it was heard are nothing that was lost.
    fn compare(&mut self, job: &str, printed: Option<u64>) {
        let Some(printed) = printed else { return };
        let missing = printed.saturating_sub(self.console.recount(printed));
        if missing == 0 || !self.hears(job) {
            return;
        }
        self.server.cx.count("console_lines_lost", missing);
        tracing::warn!(
            job,
            missing,
            "the RE Manager's console has dropped lines that a script printed"
        );
        let lines = if missing == 1 { "line" } else { "lines" };
        let text = format!(
            "missing here: {missing} {lines} that this script has just printed; the RE Manager's console drops what it cannot \
             publish fast enough, see the RE Manager's own terminal or log for them"
        );
        self.server.remark(Level::Warning, Some(job), text);
    }

    fn line(
        &self,
        time: f64,
        level: Level,
        logger: String,
        text: String,
        traceback: Option<String>,
    ) {
        // A plan does not say when it begins and ends.
        let job = self.speaks.clone().or_else(|| {
            let jobs = self.server.jobs();
            let plan = jobs
                .running()
                .filter(|job| job.record.kind == Some(JobKind::Plan));
            plan.map(|job| job.record.id.clone())
        });
        let job = job.filter(|_| logger == OUTPUT);
        self.server.say(LogLine {
            time,
            level,
            logger,
            text,
            job,
            traceback,
        });
    }
}

fn said(ending: &Ending) -> &str {
    ending.msg.trim_start_matches("Plan failed: ")
}

/// What was raised, and the traceback from the script's first line on; of a plan, all of it.
fn complaint(ending: &Ending, name: Option<&str>) -> (String, Option<String>) {
    let lines: Vec<&str> = ending.traceback.lines().collect();
    let is_raised = |line: &&&str| {
        !line.is_empty() && !line.starts_with(' ') && !line.starts_with("Failed to execute")
    };
    let raised = lines.iter().rev().find(is_raised);
    let text = raised.copied().unwrap_or_else(|| said(ending));
    let first = format!("  File \"<{}>\"", name.unwrap_or("script"));
    let at = lines.iter().position(|line| line.starts_with(&first));
    let traceback = match at {
        Some(at) => {
            let own = [&["Traceback (most recent call last):"], &lines[at..]].concat();
            let end = own.iter().position(|line| line.is_empty());
            own[..end.unwrap_or(own.len())].join("\n")
        }
        None => ending.traceback.trim_end().to_owned(),
    };
    (
        text.to_owned(),
        Some(traceback).filter(|text| !text.is_empty()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_begins_in_the_script() {
        let ending = Ending {
            exit_status: "failed".into(),
            msg: "Plan failed: division by zero".into(),
            traceback: "Traceback (most recent call last):\n  File \"/x/worker.py\", line 1, in f\n    func()\n  \
                File \"<my script>\", line 5, in <module>\n    f()\nZeroDivisionError: division by zero\n"
                .into(),
            ..Ending::default()
        };
        let (text, traceback) = complaint(&ending, Some("my script"));
        assert_eq!(text, "ZeroDivisionError: division by zero");
        let shown = "Traceback (most recent call last):\n  File \"<my script>\", line 5, in <module>\n    f()\n\
            ZeroDivisionError: division by zero";
        assert_eq!(traceback.as_deref(), Some(shown));
        let (_, whole) = complaint(&ending, None);
        assert!(whole.unwrap().contains("worker.py"));
    }
}
