//! A page that is shown again and again in the same place.

use std::io::{self, IsTerminal, Write};

/// Where it is shown.
pub(super) struct Screen {
    terminal: bool,
}

impl Screen {
    /// Standard output, emptied if it is a terminal.
    pub(super) fn new() -> Screen {
        let terminal = io::stdout().is_terminal();
        if terminal {
            // Where that cannot be written, the page cannot either, and says so.
            let _ = io::stdout().write_all(b"\x1b[2J");
        }
        Screen { terminal }
    }

    /// Shows a page over the one before, without a moment at which there is nothing. What does not fit is left out.
    /// Elsewhere than on a terminal, pages follow each other.
    pub(super) fn show(&self, page: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.terminal {
            true => out.write_all(over(page, height()).as_bytes())?,
            false => out.write_all(page.as_bytes())?,
        }
        out.flush()
    }
}

/// From the top left corner on, each line to its end, and nothing below. The last line of the screen stays free, so
/// that nothing scrolls.
fn over(page: &str, height: usize) -> String {
    let lines = page.lines().take(height.saturating_sub(1));
    let lines: String = lines.map(|line| format!("{line}\x1b[K\n")).collect();
    format!("\x1b[H{lines}\x1b[J")
}

fn height() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    let rows = size.map_or(0, |size| usize::from(size.ws_row));
    if rows > 1 { rows } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_over_the_one_before_and_never_scrolls() {
        assert_eq!(over("a\nb\n", 24), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(over("a\nb\nc\n", 3), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }
}
