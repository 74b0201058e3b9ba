//! Reading the log file that a server writes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};

/// More than this is never read at once.
const READ_LIMIT: u64 = 1024 * 1024;

/// A log file, of which one reader has seen a part.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    path: PathBuf,
    /// Where the lines of the latest start begin.
    begin: u64,
}

impl Log {
    /// The log at `path`, of which what is already there belongs to earlier starts.
    pub fn from_end(path: &Path) -> Self {
        let begin = path.metadata().map_or(0, |file| file.len());
        Self {
            path: path.to_owned(),
            begin,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lines since the latest start, without terminal colours; of a very long log the last part.
    pub fn lines(&self) -> Result<Vec<String>> {
        let what = || format!("reading {}", self.path.display());
        let mut file = File::open(&self.path).doing(what)?;
        let length = file.metadata().doing(what)?.len();
        let begin = self.begin.max(length.saturating_sub(READ_LIMIT));
        file.seek(SeekFrom::Start(begin)).doing(what)?;
        let mut bytes = Vec::new();
        file.take(READ_LIMIT).read_to_end(&mut bytes).doing(what)?;
        Ok(String::from_utf8_lossy(&bytes).lines().map(plain).collect())
    }

    /// The last `count` lines that say something; none when the file cannot be read.
    pub fn tail(&self, count: usize) -> Vec<String> {
        let mut lines = self.lines().unwrap_or_default();
        lines.retain(|line| !line.trim().is_empty());
        lines.split_off(lines.len().saturating_sub(count))
    }
}

/// `line` without escape sequences (colours, window titles) and other control characters.
pub(crate) fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(char) = rest.next() {
        match char {
            '\u{1b}' => skip_escape(&mut rest),
            '\t' => text.push(' '),
            char if char.is_control() => {}
            char => text.push(char),
        }
    }
    text
}

/// Skips what follows an escape: `[…letter` (colours) or `]…BEL` (titles).
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => {
            let _ = rest.find(char::is_ascii_alphabetic);
        }
        Some(']') => {
            let _ = rest.find(|&char| char == '\u{7}');
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn colours_and_titles_are_left_out() {
        assert_eq!(
            plain("\u{1b}]0;title\u{7}\u{1b}[37m[20:24] \u{1b}[39;49;00mready\r"),
            "[20:24] ready"
        );
    }

    #[test]
    fn only_lines_of_the_latest_start_are_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "ready from before").unwrap();
        let log = Log::from_end(file.path());
        writeln!(file, "one\n\ntwo").unwrap();
        assert_eq!(log.lines().unwrap(), ["one", "", "two"]);
        assert_eq!(log.tail(1), ["two"]);
        assert_eq!(log.tail(9), ["one", "two"]);
    }
}
