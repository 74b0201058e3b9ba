//! What the worker says, on the board.

use std::time::Duration;

use patchbay_sdk::Health;
use patchbay_sdk::model::{Level, Prompt};
use tokio::time::Instant;

use super::{Ending, Foreman};
use crate::board::Saying;
use crate::worker::{Done, Heard, Said, Stream};

/// For how long the outputs of a job that has ended are read for more, should the script have spoilt them.
const DRAIN: Duration = Duration::from_millis(500);

/// The outputs that are read: standard output and standard error.
const OUTPUTS: u8 = 2;

/// As much of a prompt's id, a logger's name or a level as is taken, in bytes.
const NAME: usize = 256;

impl Foreman {
    pub(super) async fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Said(said) => self.said(said).await,
            Heard::Line(stream, text) => self.line(stream, text),
            Heard::Drained(job) => self.drained(&job).await,
            Heard::Gone(how) => self.worker_gone(how).await,
        }
    }

    async fn said(&mut self, said: Said) {
        let board = &self.board;
        match said {
            // A worker begins once; what says so again is the script's doing.
            Said::Ready { .. } | Said::Waiting { .. } if board.ready_worker().is_ok() => {
                board.count("messages_refused");
            }
            Said::Ready { python } => {
                self.hands.ready();
                board.ready(python);
                if !self.disk_refuses {
                    board.health(Health::Up);
                }
            }
            Said::Waiting { pid } => self.other_lives(&pid),
            Said::Line { job, line } => board.line(&job, line),
            Said::Paused { job, line } => board.paused(&job, line),
            Said::Resumed { job } => board.resumed(&job),
            Said::Log {
                job,
                level,
                logger,
                text,
            } => {
                let running = board
                    .running()
                    .filter(|running| job.as_ref() == Some(running));
                board.printed(Saying {
                    level: known_level(&level),
                    logger: shortened(&logger),
                    text,
                    job: running.as_deref(),
                    traceback: None,
                });
            }
            Said::Prompt { job, prompt, text } if prompt.len() <= NAME => board.asked(Prompt {
                prompt,
                text,
                input: true,
                job: job.filter(|job| board.running().as_ref() == Some(job)),
                ..Prompt::default()
            }),
            Said::Prompt { .. } => board.count("prompts_refused"),
            Said::PromptDone { prompt } => board.answered(&prompt),
            Said::Done(done) => self.done(done).await,
            // Those have been given to whoever asked.
            Said::Answer { .. } => {}
        }
    }

    fn line(&self, stream: Stream, text: String) {
        let running = self.board.running();
        if stream == Stream::Error && self.board.ready_worker().is_err() {
            // Why it does not start, perhaps.
            tracing::warn!(text, "the Python process says");
        }
        self.board.printed(Saying {
            level: if stream == Stream::Out {
                Level::Info
            } else {
                Level::Error
            },
            logger: if stream == Stream::Out {
                "stdout"
            } else {
                "stderr"
            },
            text,
            job: running.as_deref(),
            traceback: None,
        });
    }

    /// A killed gateway has left one behind, that cannot end because of what it runs.
    fn other_lives(&mut self, pid: &str) {
        let pid: String = pid.chars().filter(char::is_ascii_digit).collect();
        let text = format!(
            "a Python process of before (process {pid}) has not ended yet, so that no script can begin; if it stays, end it by hand"
        );
        tracing::warn!("{text}");
        self.board.note(Level::Warning, None, text.clone());
        self.board.health(Health::Down(text));
        self.hands.wait_for_other();
    }

    async fn done(&mut self, done: Done) {
        if self.board.running().as_ref() != Some(&done.job) || self.ending.is_some() {
            return self.board.count("messages_refused");
        }
        self.ending = Some(Ending {
            done,
            until: Instant::now() + DRAIN,
        });
        self.drained_all().await;
    }

    async fn drained(&mut self, job: &str) {
        // The mark comes by another way than the word that the job has ended, and may be here before it.
        if self.board.running().as_deref() == Some(job) {
            self.marks += 1;
        }
        self.drained_all().await;
    }

    async fn drained_all(&mut self) {
        if self.marks >= OUTPUTS && self.ending.is_some() {
            self.finish_ending().await;
        }
    }

    pub(super) async fn finish_ending(&mut self) {
        self.marks = 0;
        if let Some(ending) = self.ending.take() {
            self.end_by_word(ending.done).await;
        }
    }
}

/// What a script logs is no input, and no action of the server's.
fn known_level(level: &str) -> Level {
    match Level::from_name(level) {
        Some(level @ (Level::Debug | Level::Warning | Level::Error)) => level,
        _ => Level::Info,
    }
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(NAME)]
}
