//! What the client says by ending.

use std::process::ExitCode;

/// An exit status with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The script succeeded, or what was asked for is done.
    Done = 0,
    /// The script failed, or the gateway refused; the last line on standard error says why.
    Failed = 1,
    // 2 is a mistake on the command line, said by the parser.
    /// There is no gateway to talk to, or it does not let us in.
    NotConnected = 3,
    /// The script was stopped, aborted or taken from the queue.
    Stopped = 4,
    /// It is not known how it ended, or whether it was done at all.
    Unknown = 5,
    /// Ctrl-C: nobody watches any more, and the script goes on.
    GivenUp = 130,
}

/// For the help and the manual page.
pub(crate) const MEANINGS: &str = "\
Exit status:
    0  the script succeeded; what was asked for is done
    1  the script failed, or the gateway refused
    2  mistake on the command line
    3  no gateway to talk to, or not logged in
    4  the script was stopped, aborted or removed
    5  it is not known how the script ended, or whether something was done
  130  given up by Ctrl-C; a script that runs goes on";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_status() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::NotConnected,
            Exit::Stopped,
            Exit::Unknown,
            Exit::GivenUp,
        ];
        for exit in all {
            let number = format!("{:>5}  ", exit as u8);
            assert!(MEANINGS.contains(&number), "{exit:?}");
        }
    }
}
