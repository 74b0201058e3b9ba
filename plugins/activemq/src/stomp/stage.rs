//! Where a scan can be, and what can come of it.

use super::frame::Body;
use super::head::Head;

/// What was found.
#[derive(Debug)]
pub enum Piece {
    /// An end of line between frames.
    HeartBeat,
    /// A frame.
    Frame(Head, Body),
}

/// Where the scanner is.
#[derive(Debug)]
pub(super) enum Stage {
    Between,
    Head {
        head: Head,
        searched: usize,
        dropping: bool,
    },
    Body {
        head: Head,
        length: Option<u64>,
        searched: usize,
        nul: Option<usize>,
    },
    Skip {
        head: Head,
        length: Option<u64>,
        skipped: u64,
        /// The next byte is a NUL that may be the end.
        held: bool,
    },
}

/// What one step of the scanner came to.
pub(super) enum Step {
    Wait(Stage),
    Go(Stage),
    Done(Piece),
}
