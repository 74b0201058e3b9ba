//! What can be said on the command line: the one definition of parser, help, completions and manual pages.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use crate::address::Address;
use crate::exit::MEANINGS;

/// Talk to a gateway: submit scripts and watch them, look, pause, stop.
///
/// Without a verb it asks for lines, with a history: verbs, or expressions to evaluate.
#[derive(Debug, Args)]
#[command(after_help = MEANINGS)]
pub struct Client {
    #[command(flatten)]
    pub(crate) place: Place,
    /// One JSON object per line on standard output, and nothing else there.
    #[arg(long, global = true, help_heading = "Connection")]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Where, and as whom.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// Where the gateway listens, HOST:PORT or unix:PATH; else the saved login's, else 127.0.0.1:1310.
    #[arg(
        long,
        global = true,
        help_heading = "Connection",
        value_name = "ADDRESS",
        env = "PATCHBAY_CONNECT"
    )]
    pub(crate) connect: Option<Address>,
    /// Who you are; else the saved login's, else it is asked.
    #[arg(
        long,
        global = true,
        help_heading = "Connection",
        value_name = "NAME",
        env = "PATCHBAY_USER"
    )]
    pub(crate) user: Option<String>,
    /// A file with your password in its first line; else the saved one, else it is asked without echo.
    #[arg(
        long,
        global = true,
        help_heading = "Connection",
        value_name = "FILE",
        env = "PATCHBAY_PASSWORD_FILE",
        value_hint = ValueHint::FilePath
    )]
    pub(crate) password_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check a login, and remember the address and the user.
    Login {
        /// Remember the password as well, in a file that only you can read.
        #[arg(long)]
        save_password: bool,
    },
    /// Forget what `login` has remembered.
    Logout,
    /// Run a script and show what it prints, until it ends.
    Submit(Submit),
    /// Show a script that was submitted before, from now on, until it ends.
    Watch {
        /// The script's id, or how it begins.
        job: String,
        #[command(flatten)]
        patience: Patience,
    },
    /// What the script server is doing.
    Status,
    /// The scripts that wait.
    Queue {
        #[command(subcommand)]
        verb: Option<QueueVerb>,
    },
    /// What the script server says.
    Log {
        /// How many lines to show.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        last: u32,
        /// Go on showing what is said from now on; Ctrl-C ends it.
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// Hold the running script.
    Pause {
        /// Where.
        #[arg(long, value_enum, default_value_t = PauseAt::Line)]
        at: PauseAt,
    },
    /// Let the held script go on.
    Resume,
    /// Stop the running script; NICOS also empties its queue then.
    Stop {
        /// Where.
        #[arg(long, value_enum, default_value_t = StopAt::Now)]
        at: StopAt,
    },
    /// Stop the running script wherever it is, at once.
    Abort,
    /// Emergency stop: stops the script and all devices. No safety function.
    Emergency,
    /// End the current count early; the script goes on.
    Finish,
    /// Change a script that waits, or what is still to come of the running one.
    Edit {
        /// The script's id, or how it begins, or `running`.
        job: String,
        /// The file with the new text; `-` is standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Why, for the log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Answer what the running script asks.
    Answer {
        /// The value; without it the default, or only that the script may go on.
        value: Option<String>,
    },
    /// Evaluate an expression at the script server, beside the script.
    Eval {
        /// The expression; several words are joined by spaces.
        #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true)]
        expression: Vec<String>,
    },
    /// Run code at the script server at once, beside the script; what it prints is in the log.
    Exec {
        /// The code; several words are joined by spaces.
        #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true)]
        code: Vec<String>,
    },
    /// The devices that there are.
    Devices,
    /// Ask for any operation of the gateway, and print the answer's JSON.
    Call {
        /// The operation; without one all that there are are listed.
        op: Option<String>,
        /// Its arguments, a JSON object.
        args: Option<String>,
    },
}

/// A script to run.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The script; `-` is standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Its name; else the file's.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Print its id and do not wait.
    #[arg(long)]
    pub(crate) queue: bool,
    /// Refuse if the script server is busy, rather than wait in the queue.
    #[arg(long)]
    pub(crate) start: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// How long to wait for a gateway that went away.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// How long to try to connect again if the connection breaks.
    #[arg(long = "patience", value_name = "SECONDS", default_value_t = 60)]
    pub(crate) seconds: u32,
}

/// What to do with the queue.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueVerb {
    /// List it.
    List,
    /// Take a script out of it.
    Remove {
        /// The script's id, or how it begins.
        #[arg(required_unless_present = "all")]
        job: Option<String>,
        /// All of them, whosever they are.
        #[arg(long, conflicts_with = "job")]
        all: bool,
    },
    /// Put a script at another position.
    Move {
        /// The script's id, or how it begins.
        job: String,
        /// Its new position; 1 is the next to run.
        position: usize,
    },
}

/// Where a script is held.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PauseAt {
    /// After the line that runs.
    Line,
    /// After the step of a scan.
    Step,
    /// Wherever it is.
    Now,
}

/// Where a script is stopped.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StopAt {
    /// After the line that runs.
    Line,
    /// After the step of a scan.
    Step,
    /// Wherever it is.
    Now,
    /// At once, by an exception.
    Immediate,
}

/// The name of a choice, as it is said and as it is sent.
pub(crate) fn word(choice: &impl ValueEnum) -> String {
    let value = choice.to_possible_value();
    value
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
