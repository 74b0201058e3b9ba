//! `patchbay log-level`: how much is logged, and more or less of it, while everything runs.

use super::control::{DEFAULT_FILE, Which};
use super::table::table;
use crate::broker::LevelStatus;
use crate::control::{Answer, Order};
use crate::exit::Exit;
use clap::Args;
use std::path::PathBuf;

/// What is said.
#[derive(Args)]
pub(super) struct LogLevel {
    /// An instance's id, or `host`, and `error`, `warn`, `info`, `debug` or `trace`; without them everybody's level is
    /// shown. Last the configuration file that the gateway runs with, if it is not /etc/patchbay/patchbay.toml.
    #[arg(value_name = "INSTANCE LEVEL FILE", num_args = 0..=3)]
    words: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl LogLevel {
    pub(super) fn run(self) -> Exit {
        let mut words = self.words.into_iter();
        let (change, file) = match words.len() {
            0 | 1 => (None, words.next()),
            _ => (words.next().zip(words.next()), words.next()),
        };
        let file = PathBuf::from(file.as_deref().unwrap_or(DEFAULT_FILE));
        let which = Which::new(file, self.json);
        match change {
            Some((who, level)) => {
                let said =
                    format!("{who} logs {level} and what is more severe, until the gateway ends\n");
                which.order(&Order::Level { who, level }, &said)
            }
            None => which.ask(&Order::Levels, |answer| match answer {
                Answer::Levels(levels) => Some(shown(levels)),
                _ => None,
            }),
        }
    }
}

fn shown(levels: &[LevelStatus]) -> String {
    let rows = levels
        .iter()
        .map(|one| vec![one.who.clone(), one.level.clone()]);
    table(&rows.collect::<Vec<_>>())
}
