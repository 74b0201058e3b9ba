//! What can go wrong while a server is installed, started or spoken to.

use std::io;

/// A failure, said so that the reader knows what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something.
    #[error("{what}: {cause}")]
    Io {
        /// What was being done, with the path or the program.
        what: String,
        /// The operating system's answer.
        cause: io::Error,
    },
    /// Something could not be installed; the text says what to run.
    #[error("{0}")]
    Install(String),
    /// A server did not start, or ended.
    #[error("{server} {why}{}", quoted(log))]
    Server {
        /// Which server, as in "NICOS".
        server: String,
        /// What happened to it, as in "ended with exit status: 1 before it was ready".
        why: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The JMS client refused a command, or an answer did not come.
    #[error("JMS client: {0}")]
    Jms(String),
    /// [`crate::interrupt`] was called while waiting.
    #[error("interrupted")]
    Interrupted,
}

/// What every function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Names what was being done when an I/O error came up.
pub(crate) trait Doing<T> {
    /// Turns the error into an [`Error::Io`] that begins with `what`.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error::Io {
            what: what(),
            cause,
        })
    }
}

fn quoted(log: &[String]) -> String {
    if log.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = log.iter().map(|line| format!("\n  | {line}")).collect();
    format!("; its last words:{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_failed_is_named_with_its_last_log_lines() {
        let error = Error::Server {
            server: "NICOS".into(),
            why: "ended".into(),
            log: vec!["one".into(), "two".into()],
        };
        assert_eq!(
            error.to_string(),
            "NICOS ended; its last words:\n  | one\n  | two"
        );
    }
}
