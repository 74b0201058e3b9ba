//! Reads the lines, for those who look into it.

use super::Line;
use super::writer::older;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// No line is longer, in bytes; what is, is none of ours.
const LONGEST: u64 = 64 * 1024;

/// The files that there are, the oldest first.
pub fn files(newest: &Path) -> Vec<PathBuf> {
    let older = (1..).map(|number| older(newest, number));
    let mut found: Vec<PathBuf> = older.take_while(|file| file.exists()).collect();
    found.reverse();
    found.extend(newest.exists().then(|| newest.to_owned()));
    found
}

/// Reads a file from its beginning, and on when there is more.
pub struct Reader {
    file: BufReader<File>,
    at: u64,
}

impl Reader {
    /// At the beginning of that file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(file: &Path) -> io::Result<Reader> {
        let file = BufReader::new(File::open(file)?);
        Ok(Reader { file, at: 0 })
    }

    /// The next whole line, as it stands there and as what it says; `None` at the end for now. What is no line of ours
    /// is left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<(String, Line)>> {
        loop {
            let mut text = Vec::new();
            let read = (&mut self.file)
                .take(LONGEST)
                .read_until(b'\n', &mut text)? as u64;
            if text.last() != Some(&b'\n') && read < LONGEST {
                // Not written yet.
                self.file.seek(SeekFrom::Start(self.at))?;
                return Ok(None);
            }
            self.at += read;
            let text = String::from_utf8_lossy(&text);
            if let Ok(line) = serde_json::from_str(&text) {
                return Ok(Some((text.trim_end().to_owned(), line)));
            }
        }
    }

    /// Whether another file has taken the place of this one.
    ///
    /// # Errors
    /// If the file cannot be looked at.
    pub fn is_old(&self, newest: &Path) -> io::Result<bool> {
        system::differ(self.file.get_ref(), newest)
    }
}

#[cfg(unix)]
mod system {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    pub(super) fn differ(open: &File, newest: &Path) -> io::Result<bool> {
        let (is, was) = (std::fs::metadata(newest)?, open.metadata()?);
        Ok((is.dev(), is.ino()) != (was.dev(), was.ino()))
    }
}

#[cfg(not(unix))]
mod system {
    use super::*;

    pub(super) fn differ(open: &File, newest: &Path) -> io::Result<bool> {
        Ok(std::fs::metadata(newest)?.len() < open.metadata()?.len())
    }
}
