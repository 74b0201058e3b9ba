//! The file of the list: whose it may be, how it is changed, how a change is noticed.

use super::Users;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// No list is longer, in bytes; some 8000 users.
const LONGEST: u64 = 1 << 20;

/// Reads the list; `None` if there is no file. What should not be, but harms nobody yet, goes to `warn`.
///
/// # Errors
/// A sentence that names the file, what is wrong with it and what to do.
pub fn read(path: &Path, warn: impl FnOnce(String)) -> Result<Option<Users>, String> {
    let named = |why: String| format!("{}: {why}", path.display());
    // What is opened is what is looked at and read, whatever is put in its place meanwhile.
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| named(format!("cannot read the user list: {error}")))?,
    };
    let found = file.metadata().map_err(|error| named(error.to_string()))?;
    system::check(&found, path, warn)?;
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| named(format!("cannot read the user list: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(named("larger than 1 MiB; is it the user list?".to_owned()));
    }
    Users::parse(&text).map(Some).map_err(named)
}

/// Changes the list on disk: whoever reads it sees the old one or the new one, and nobody else's change is
/// lost. A new file belongs to whoever the folder belongs to, and only they can read it.
///
/// # Errors
/// What `change` says, or a sentence that says why the file cannot be read or written.
pub fn edit(
    path: &Path,
    change: impl FnOnce(&mut Users) -> Result<(), String>,
) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let cannot = |error: io::Error| format!("cannot write {}: {error}", path.display());
    system::make(folder).map_err(cannot)?;
    // Held until we return: one after the other.
    let _lock = system::lock(folder).map_err(cannot)?;
    let mut users = read(path, |warning| eprintln!("warning: {warning}"))?.unwrap_or_default();
    change(&mut users)?;
    replace(path, folder, users.text().as_bytes()).map_err(cannot)
}

fn replace(path: &Path, folder: &Path, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let next = folder.join(format!(".{name}.next"));
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = system::create(&next)?;
    system::as_before(&file, path, folder)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    system::sync(folder)
}

/// The list as a gateway sees it: read anew when it has changed.
#[derive(Debug)]
pub struct UsersFile {
    path: PathBuf,
    /// What the file was like when it was read last; `None` before that.
    seen: Option<Option<system::Stamp>>,
    users: Result<Users, String>,
}

impl UsersFile {
    /// Reads nothing yet.
    pub fn new(path: PathBuf) -> Self {
        UsersFile {
            path,
            seen: None,
            users: Ok(Users::default()),
        }
    }

    /// Looks whether the file has changed, and reads it if so. Whether it had.
    pub fn look(&mut self) -> bool {
        let stamp = std::fs::metadata(&self.path)
            .ok()
            .map(|at| system::stamp(&at));
        if self.seen.as_ref() == Some(&stamp) {
            return false;
        }
        self.seen = Some(stamp);
        let read = read(&self.path, |warning| tracing::warn!("{warning}"));
        self.users = read.and_then(|users| {
            users.ok_or_else(|| {
                let shown = self.path.display();
                format!("there is no user list {shown}; `patchbay user add` makes it")
            })
        });
        match &self.users {
            Ok(users) => tracing::info!(users = users.iter().count(), "the user list was read"),
            Err(why) => tracing::error!(why, "nobody can log in by the user list"),
        }
        true
    }

    /// The list as it was read last.
    ///
    /// # Errors
    /// Why there is none: a sentence for operators.
    pub fn users(&self) -> Result<&Users, &str> {
        self.users.as_ref().map_err(String::as_str)
    }
}

#[cfg(unix)]
mod system {
    use super::*;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

    const WRITTEN_BY_OTHERS: u32 = 0o022;
    const READ_BY_OTHERS: u32 = 0o004;

    pub(super) type Stamp = [i64; 6];

    pub(super) fn stamp(found: &Metadata) -> Stamp {
        [
            found.ino().cast_signed(),
            found.size().cast_signed(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ]
    }

    /// Whether nobody but root, ourselves and the folder's owner can have written it.
    pub(super) fn check(
        found: &Metadata,
        path: &Path,
        warn: impl FnOnce(String),
    ) -> Result<(), String> {
        let shown = path.display();
        if !found.is_file() {
            return Err(format!("{shown}: not an ordinary file"));
        }
        let own = rustix::process::geteuid().as_raw();
        let folder = path
            .parent()
            .and_then(|folder| std::fs::metadata(folder).ok());
        let may = |owner| owner == 0 || owner == own || folder.is_some_and(|at| at.uid() == owner);
        if !may(found.uid()) {
            return Err(format!(
                "the user list {shown} belongs to another user ({}); chown it to the gateway's user or root",
                found.uid()
            ));
        }
        if found.mode() & WRITTEN_BY_OTHERS != 0 {
            return Err(format!(
                "others can write to the user list {shown} (mode {:o}); chmod go-w {shown}",
                found.mode() & 0o7777
            ));
        }
        if found.mode() & READ_BY_OTHERS != 0 {
            warn(format!(
                "others can read the user list {shown} and try passwords at home; chmod o-r {shown}"
            ));
        }
        Ok(())
    }

    pub(super) fn make(folder: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    }

    pub(super) fn lock(folder: &Path) -> io::Result<File> {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(folder)
    }

    pub(super) fn create(path: &Path) -> io::Result<File> {
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Owner and mode of the file that is replaced; otherwise the folder's owner.
    pub(super) fn as_before(file: &File, path: &Path, folder: &Path) -> io::Result<()> {
        let before = std::fs::metadata(path);
        let whose = before
            .as_ref()
            .map_or_else(|_| std::fs::metadata(folder), |at| Ok(at.clone()))?;
        let now = file.metadata()?;
        if (whose.uid(), whose.gid()) != (now.uid(), now.gid()) && now.uid() == 0 {
            std::os::unix::fs::fchown(file, Some(whose.uid()), Some(whose.gid()))?;
        }
        match before {
            Ok(before) => {
                file.set_permissions(std::fs::Permissions::from_mode(before.mode() & 0o7777))
            }
            Err(_) => Ok(()),
        }
    }

    pub(super) fn sync(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// Whose a file is, and who may change it, is not looked at on this system.
#[cfg(not(unix))]
mod system {
    use super::*;

    pub(super) type Stamp = (Option<std::time::SystemTime>, u64);

    pub(super) fn stamp(found: &Metadata) -> Stamp {
        (found.modified().ok(), found.len())
    }

    pub(super) fn check(_: &Metadata, _: &Path, _: impl FnOnce(String)) -> Result<(), String> {
        Ok(())
    }

    pub(super) fn make(folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    pub(super) fn lock(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn create(path: &Path) -> io::Result<File> {
        File::options().write(true).create_new(true).open(path)
    }

    pub(super) fn as_before(_: &File, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn sync(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
