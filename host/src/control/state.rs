//! How the state directory is: whether submits can be noted there.

use rustix::fs::{Access, access, statvfs};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// With less room than this, in bytes, a note may find none.
const LEAST_ROOM: u64 = 1 << 20;

/// The state directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFolder {
    /// Where it is.
    pub path: PathBuf,
    /// How much room there is for the gateway, in bytes.
    pub free_bytes: u64,
    /// Why submits are refused, if they are.
    pub trouble: Option<String>,
}

impl StateFolder {
    /// Looks at it, and writes nothing.
    pub fn look(path: &Path) -> StateFolder {
        let free = statvfs(path).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
        let trouble = match (free, access(path, Access::WRITE_OK)) {
            (Err(error), _) | (_, Err(error)) => Some(format!("it cannot be written: {error}")),
            (Ok(free), _) if free < LEAST_ROOM => Some("it is full".to_owned()),
            _ => None,
        };
        StateFolder {
            path: path.to_owned(),
            free_bytes: free.unwrap_or(0),
            trouble,
        }
    }
}

impl std::fmt::Display for StateFolder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display().to_string();
        write!(out, "state in {}: ", path.replace(char::is_control, " "))?;
        match &self.trouble {
            Some(trouble) => write!(out, "{trouble}, so submits are refused"),
            None => write!(out, "{} MiB free", self.free_bytes >> 20),
        }
    }
}
