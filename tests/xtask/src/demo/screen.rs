//! What the user sees.

use std::io::{IsTerminal, Write, stdout};

/// Prints a line. A reader that has gone away (`| head`) is no reason to end without cleaning up.
pub fn say(line: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints the title of a part, bold on a terminal.
pub fn heading(title: &str) {
    if stdout().is_terminal() {
        say(&format!("\n\u{1b}[1m{title}\u{1b}[0m"));
    } else {
        say(&format!("\n== {title}"));
    }
}

/// Prints what an installation tells.
pub fn progress(line: &str) {
    say(&format!("  {line}"));
}
