//! What is logged, while everything runs.

use super::{Broker, Seat};
use crate::config::LogLevel;
use crate::logging::{host_level, level_name, set_host_level};
use patchbay_abi::{Kind, Message, head};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

/// The host itself, where an instance is named.
const HOST: &str = "host";

/// Who logs how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelStatus {
    /// An instance, or `host`.
    pub who: String,
    /// The least severe lines that it logs.
    pub level: String,
}

impl Broker {
    /// What everybody logs, the host first.
    pub fn levels(&self) -> Vec<LevelStatus> {
        let status = |who: &str, level: &str| LevelStatus {
            who: who.to_owned(),
            level: level.to_owned(),
        };
        let of = |(_, seat): (usize, &Seat)| status(seat.id(), seat.level(seat.life().level));
        let host = status(HOST, level_name(host_level()));
        std::iter::once(host)
            .chain(self.present().map(of))
            .collect()
    }

    /// From now on an instance, or the host, logs this much.
    ///
    /// # Errors
    /// If there is no such instance: a sentence that names those that there are.
    pub fn set_level(&self, who: &str, level: LogLevel) -> Result<(), String> {
        if who == HOST {
            set_host_level(level);
            return Ok(());
        }
        let seat = self.seat_of(who, "instance", |_| true)?;
        self.seats()[seat].set_level(level);
        Ok(())
    }
}

impl Seat {
    /// Notes what it logs by the configuration; what it is to log now.
    pub fn begins_to_log(&self, configured: &'static str) -> &'static str {
        self.lock_life().level = configured;
        self.level(configured)
    }

    /// What it logs: what an operator wants, or else what is configured.
    pub fn level(&self, configured: &'static str) -> &'static str {
        let level = *self.level.lock().unwrap_or_else(PoisonError::into_inner);
        level.map_or(configured, level_name)
    }

    /// From now on it logs this, also in its next lives.
    pub(super) fn set_level(&self, level: LogLevel) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = Some(level);
        if let Some((_, port)) = self.port() {
            let level = level_name(level).to_owned();
            port.deliver(Message::new(Kind::LEVEL, 0, &head::Level { level }));
        }
    }
}
