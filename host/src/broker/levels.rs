//! What is logged, while everything runs.

use super::{Broker, Seat};
use crate::config::LogLevel;
use crate::logging::{host_level, level_name, set_host_level};
use serde::{Deserialize, Serialize};

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
