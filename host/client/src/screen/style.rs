//! Colours. They are left out where standard output is no terminal, or NO_COLOR is set, by the streams written to.

use anstyle::{AnsiColor, Style};
use std::fmt::Display;

/// It went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// It went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Look at it.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What the eye looks for.
pub(crate) const STRONG: Style = Style::new().bold();
/// What it may skip.
pub(crate) const DIM: Style = Style::new().dimmed();

/// The text in that style.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
