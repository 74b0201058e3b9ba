//! The list of plugin files that may be loaded, by their SHA-256: `[gateway] trusted_plugins`.
//!
//! A line for each file; what stands behind the digest is for people:
//!
//! ```text
//! 9f86…0a08  patchbay-nicos 0.1.0, 2026-11-27, /usr/lib/patchbay/plugins/libpatchbay_nicos.so
//! ```

use super::writers;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

/// No list is larger, in bytes: some 5000 plugins.
const LARGEST: u64 = 1 << 20;

const HEAD: &str =
    "# Plugins that the gateway may load. Written by `patchbay plugin trust` and `untrust`.\n";

/// What a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn read(text: &str) -> Option<Digest> {
        let digits = text.as_bytes();
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            // Which would take a sign.
            let plain = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| plain)?;
        }
        Some(Digest(digest))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Which plugin files may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Whatever is found where plugins are looked for.
    Any,
    /// Those whose digest stands in this file.
    Listed(PathBuf),
}

impl Trust {
    /// As `[gateway] trusted_plugins` says.
    pub fn new(list: Option<&Path>) -> Trust {
        list.map_or(Trust::Any, |list| Trust::Listed(list.to_owned()))
    }

    /// Makes sure that this file, with this digest, may be loaded.
    ///
    /// # Errors
    /// Why not, with the command that would allow it.
    pub fn admits(&self, file: &Path, digest: Digest) -> Result<(), String> {
        let Trust::Listed(list) = self else {
            return Ok(());
        };
        // Who can write it can allow everything.
        let trusted = TrustList::read(list).and_then(|trusted| {
            writers::of_file(list)?;
            Ok(trusted)
        });
        let (list, file) = (list.display(), file.display());
        let trusted = trusted.map_err(|why| {
            format!("nothing is loaded, for the list of trusted plugins is no use: {why}")
        })?;
        match trusted.holds(digest) {
            true => Ok(()),
            false => Err(format!(
                "{file} is not among the trusted plugins of {list} (its SHA-256 is {digest}); if it is what you mean \
                 to run: patchbay plugin trust --list {list} {file}"
            )),
        }
    }
}

/// The list, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TrustList {
    files: BTreeMap<Digest, String>,
}

impl TrustList {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path) -> Result<TrustList, String> {
        let shown = path.display();
        let text = text(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                format!("{shown} is not there; run: patchbay plugin trust --list {shown} FILE…")
            }
            _ => format!("{shown} cannot be read: {error}"),
        })?;
        TrustList::parse(&text).map_err(|line| {
            format!("{shown}, line {line}: not 64 hexadecimal digits, which is how the SHA-256 of a plugin begins a line")
        })
    }

    /// As [`TrustList::read`]; a list that is not there is empty.
    ///
    /// # Errors
    /// As [`TrustList::read`].
    pub fn read_or_new(path: &Path) -> Result<TrustList, String> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(TrustList::default()),
            _ => TrustList::read(path),
        }
    }

    /// # Errors
    /// The number of the first line that is wrong.
    fn parse(text: &str) -> Result<TrustList, usize> {
        let mut list = TrustList::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (digest, note) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let digest = Digest::read(digest).ok_or(number + 1)?;
            list.files.insert(digest, note.trim().to_owned());
        }
        Ok(list)
    }

    /// Whether a file with this digest may be loaded.
    pub fn holds(&self, digest: Digest) -> bool {
        self.files.contains_key(&digest)
    }

    /// Allows a file; `note` says to people which it is.
    pub fn add(&mut self, digest: Digest, note: &str) {
        let note = note.replace(char::is_control, " ");
        self.files.insert(digest, note);
    }

    /// Allows it no more. Whether it was allowed.
    pub fn remove(&mut self, digest: Digest) -> bool {
        self.files.remove(&digest).is_some()
    }

    /// Writes the list; whoever reads it sees the old one or the new one, whole.
    ///
    /// # Errors
    /// As the system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = HEAD.to_owned();
        for (digest, note) in &self.files {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{digest}  {note}");
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        let mut file = std::fs::File::create_new(&beside)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&beside, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written
    }
}

fn text(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LARGEST {
        true => Err(io::Error::other("it is larger than 1 MiB")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again_and_notes_stay_on_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trusted");
        let mut list = TrustList::read_or_new(&path).unwrap();
        list.add(Digest::of(b"one"), "first\nsecond");
        list.add(Digest::of(b"two"), "");
        list.write(&path).unwrap();
        let mut again = TrustList::read(&path).unwrap();
        assert!(again.holds(Digest::of(b"one")) && again.holds(Digest::of(b"two")));
        assert!(!again.holds(Digest::of(b"three")));
        assert!(again.remove(Digest::of(b"two")) && !again.remove(Digest::of(b"two")));
        again.write(&path).unwrap();
        assert!(!TrustList::read(&path).unwrap().holds(Digest::of(b"two")));
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing is left beside it");
    }

    #[test]
    fn a_list_with_anything_else_in_it_allows_nothing() {
        let good = Digest::of(b"x").to_string();
        assert!(TrustList::parse(&format!("# note\n\n{good}\n{good}  name")).is_ok());
        let signed = format!("+{}", good.get(1..).unwrap());
        for (bad, line) in [
            ("zz  name", 1),
            (&*format!("{good}\n{good}0"), 2),
            (&*signed, 1),
        ] {
            assert_eq!(TrustList::parse(bad), Err(line), "{bad}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trusted");
        let trust = Trust::new(Some(&path));
        let why = trust
            .admits(Path::new("x.so"), Digest::of(b"x"))
            .unwrap_err();
        assert!(why.contains("nothing is loaded"), "{why}");
    }
}
