//! Which build of a plugin a file holds, and whether it was replaced.

use super::inspect;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// What a plugin was loaded from.
#[derive(Debug)]
pub struct Build {
    mark: Mark,
    /// Open, so that it can be read when another one has taken its place.
    file: File,
}

/// What tells a file that has taken another one's place, and one that was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    place: (u64, u64),
    length: u64,
    written: Option<SystemTime>,
}

impl Build {
    /// The build that the file holds now.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read.
    pub fn of(path: &Path) -> Result<Build, String> {
        let open = || {
            let file = inspect::open(path)?;
            let mark = Mark::of(&file.metadata()?);
            Ok(Build { mark, file })
        };
        open().map_err(|error: io::Error| format!("{} cannot be read: {error}", path.display()))
    }

    /// That of a file that was handed over open; `path` is where it was found.
    #[cfg(unix)]
    pub(super) fn handed(file: File, path: &Path) -> Result<Build, String> {
        let mark = file.metadata().map(|found| Mark::of(&found));
        let mark = mark.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Ok(Build { mark, file })
    }

    /// A path that leads to this very file, whatever its own leads to now.
    #[cfg(unix)]
    pub(super) fn place(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/dev/fd/{}", self.file.as_raw_fd()))
    }

    /// The file, to be read from its beginning.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether that file is still there, as it was.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        path.metadata().is_ok_and(|now| Mark::of(&now) == self.mark)
    }

    /// Whether `now`, from the same path, can take this one's place.
    ///
    /// # Errors
    /// A sentence that says why not, and what to do.
    pub fn is_replaced_by(&self, now: &Build, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let same = || {
            let same = same_bytes(&self.file, &now.file);
            same.map_err(|error| format!("{shown} cannot be read: {error}"))
        };
        if now.mark == self.mark || now.mark.place != self.mark.place && same()? {
            return Err(format!("{shown} is the build that runs already"));
        }
        if now.mark.place == self.mark.place {
            return Err(format!(
                "{shown} was overwritten in place, under the feet of the gateway that runs it, which may crash by that. \
                 Restart the gateway; another time put the new file beside it and rename it (`mv`, `install`, packages do so)"
            ));
        }
        Ok(())
    }
}

impl Mark {
    fn of(file: &Metadata) -> Mark {
        Mark {
            place: place(file),
            length: file.len(),
            written: file.modified().ok(),
        }
    }
}

fn same_bytes(one: &File, other: &File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (whole(one)?, whole(other)?);
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let length = a.len().min(b.len());
        if a.get(..length) != b.get(..length) {
            return Ok(false);
        }
        if length == 0 {
            return Ok(a.len() == b.len());
        }
        one.consume(length);
        other.consume(length);
    }
}

fn whole(mut file: &File) -> io::Result<BufReader<&File>> {
    io::Seek::rewind(&mut file)?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// Another spelling of a path. The system's loader takes a library of the same name for the one that it has loaded
/// already, also when the file is another one; under a name that it has not seen it looks at the file. No two
/// spellings are the same, and none is one that somebody has written.
pub(super) fn respelled(path: &Path) -> PathBuf {
    static SPELLINGS: AtomicU64 = AtomicU64::new(1 << 16);
    let number = SPELLINGS.fetch_add(1, Ordering::Relaxed);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return path.to_owned();
    };
    let mut spelled = match folder.as_os_str().is_empty() {
        true => OsString::from("."),
        false => folder.as_os_str().to_owned(),
    };
    spelled.push("/");
    // In the binary digits of its number: `./` and `/` mean nothing in a path.
    for digit in format!("{number:b}").chars() {
        spelled.push(if digit == '1' { "./" } else { "/" });
    }
    spelled.push(name);
    spelled.into()
}

#[cfg(unix)]
fn place(file: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// Here a library that is loaded can be neither overwritten nor replaced.
#[cfg(not(unix))]
fn place(_file: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_told_from_an_overwritten_one_and_from_the_same_build() {
        let folder = tempfile::tempdir().unwrap();
        let (file, beside) = (folder.path().join("a.so"), folder.path().join("b.so"));
        std::fs::write(&file, "old").unwrap();
        let old = Build::of(&file).unwrap();
        let why = || {
            old.is_replaced_by(&Build::of(&file).unwrap(), &file)
                .unwrap_err()
        };
        assert!(why().contains("runs already"));
        std::fs::write(&beside, "old").unwrap();
        std::fs::rename(&beside, &file).unwrap();
        assert!(why().contains("runs already"), "the same in another file");
        std::fs::write(&beside, "new").unwrap();
        std::fs::rename(&beside, &file).unwrap();
        let new = Build::of(&file).unwrap();
        assert_eq!(old.is_replaced_by(&new, &file), Ok(()));
        std::fs::write(&file, "newer").unwrap();
        let why = new
            .is_replaced_by(&Build::of(&file).unwrap(), &file)
            .unwrap_err();
        assert!(why.contains("overwritten in place"), "{why}");
    }

    #[test]
    fn spellings_mean_the_same_file_and_are_never_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.so");
        std::fs::write(&file, "").unwrap();
        let spelled: Vec<PathBuf> = (0..20).map(|_| respelled(&file)).collect();
        let mut texts: Vec<_> = spelled.iter().map(|path| path.as_os_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 20);
        assert!(spelled.iter().all(|path| path.is_file()));
    }
}
