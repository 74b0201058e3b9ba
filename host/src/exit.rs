//! What the process says by ending. This is the one table of it: the help, the manual page and the README are held
//! against it.

use std::process::ExitCode;

/// An exit status with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Did what it was asked to.
    Done = 0,
    /// Could not; the last line on standard error says why.
    Failed = 1,
    /// A mistake on the command line, said by the parser.
    Usage = 2,
    /// The configuration, or a plugin that it names, is wrong; nothing was started or changed.
    Configuration = 3,
    /// Ended, but the deadline for shutting down passed and something was cut off.
    CutOff = 4,
    /// The gateway that was asked how it is runs, and not all is well.
    Unwell = 5,
}

/// What a shell says of a verb that Ctrl-C has ended, which the system does; `run` ends by itself then.
pub const INTERRUPTED: (u8, &str) = (130, "ended by Ctrl-C, as `status --watch` and `trace` are");

impl Exit {
    /// Every one, in order.
    pub const ALL: [Exit; 6] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Configuration,
        Exit::CutOff,
        Exit::Unwell,
    ];

    /// For whoever reads the number.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "did what it was asked to",
            Exit::Failed => "could not; the last line on standard error says why",
            Exit::Usage => "mistake on the command line",
            Exit::Configuration => {
                "mistake in the configuration, or in a plugin that it names; nothing was started or changed"
            }
            Exit::CutOff => {
                "ended, but some instance, or a thread of one that hung, had to be cut off"
            }
            Exit::Unwell => "`status`: the gateway runs, and not all is well",
        }
    }

    /// All that a shell can see, by number.
    pub fn rows() -> impl Iterator<Item = (u8, &'static str)> {
        let own = Exit::ALL.map(|exit| (exit as u8, exit.meaning()));
        own.into_iter().chain([INTERRUPTED])
    }

    /// The same for the help and the manual page.
    pub fn table() -> String {
        let lines: String = Exit::rows()
            .map(|(status, meaning)| format!("  {status}  {meaning}\n"))
            .collect();
        format!("Exit status:\n{lines}`patchbay client` has its own.")
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
