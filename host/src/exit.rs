//! What the process says by ending.

use std::process::ExitCode;

/// An exit status with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Did what it was asked to.
    Done = 0,
    /// Could not; the last line on standard error says why.
    Failed = 1,
    // 2 is a mistake on the command line, said by the parser.
    /// The configuration, or a plugin that it names, is wrong; nothing was started or changed.
    Configuration = 3,
    /// Ended, but the deadline for shutting down passed and something was cut off.
    CutOff = 4,
    /// The gateway that was asked how it is runs, and not all is well.
    Unwell = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
