//! Who else could change what is going to be run. Whoever can write a plugin's file, its folder or a folder above
//! them decides what the gateway does, with the gateway's rights and its secrets.
//!
//! * What everybody can write is refused. A sticky folder above, such as `/tmp`, is no matter: there only the owner
//!   of an entry can replace it. So an entry of such a folder must be this user's, or root's.
//! * What belongs to somebody else than this user or root is warned of: they can change it at any time, but to give
//!   plugins to a user of their own is a decision that a site may make. The same holds for what a group can write,
//!   about which nothing is said. Access control lists are not looked at.
//! * Symbolic links are followed one by one, so that every folder on the way is looked at.

use std::path::Path;

/// Makes sure that nobody else can change a file. What is allowed but dangerous is returned as warnings.
///
/// # Errors
/// A sentence with what is wrong, where, and the command that mends it.
pub fn of_file(path: &Path) -> Result<Vec<String>, String> {
    system::walk(path).map(|way| way.warnings)
}

/// Makes sure that nobody else can put files into a folder that is searched for plugins: there even a sticky bit is no
/// protection.
///
/// # Errors
/// As [`of_file`].
pub fn of_folder(path: &Path) -> Result<(), String> {
    let way = system::walk(path)?;
    match way.ends_in_public_folder {
        false => Ok(()),
        true => Err(system::refusal(path, way.mode)),
    }
}

/// What was found on the way to a file.
struct Way {
    warnings: Vec<String>,
    /// The last part is a folder into which everybody may put files of their own.
    ends_in_public_folder: bool,
    mode: u32,
}

#[cfg(unix)]
mod system {
    //! Files as Unix has them.

    use super::Way;
    use std::ffi::OsString;
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Component, Path, PathBuf};

    const WRITTEN_BY_ALL: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    /// As the kernel has it.
    const MOST_LINKS: usize = 40;

    pub(super) fn refusal(path: &Path, mode: u32) -> String {
        let shown = path.display();
        format!(
            "every user of this machine can change {shown} (mode {:04o}), and with it what the gateway runs; run: \
             chmod o-w {shown}",
            mode & 0o7777
        )
    }

    /// From the root to the file, as the system goes when it opens it.
    pub(super) fn walk(path: &Path) -> Result<Way, String> {
        let absolute = std::path::absolute(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let mut rest = parts(&absolute);
        let mut here = PathBuf::from("/");
        let mut folder = look(&here)?;
        let mut warnings = Vec::new();
        judge(&here, &folder, None, &mut warnings)?;
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                here.pop();
                folder = look(&here)?;
                continue;
            }
            let next = here.join(name);
            let found = look(&next)?;
            judge(&next, &found, Some(&folder), &mut warnings)?;
            if !found.is_symlink() {
                (here, folder) = (next, found);
                continue;
            }
            links += 1;
            let target = std::fs::read_link(&next)
                .ok()
                .filter(|_| links <= MOST_LINKS);
            let target = target
                .ok_or_else(|| format!("{} cannot be followed: too many links", path.display()))?;
            if target.is_absolute() {
                here = PathBuf::from("/");
                folder = look(&here)?;
            }
            rest.extend(parts(&target));
        }
        Ok(Way {
            warnings,
            ends_in_public_folder: folder.is_dir() && folder.mode() & WRITTEN_BY_ALL != 0,
            mode: folder.mode(),
        })
    }

    /// The parts of a path, the last one first.
    fn parts(path: &Path) -> Vec<OsString> {
        let parts = path.components().rev();
        parts
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name.to_owned()),
                Component::ParentDir => Some("..".into()),
                _ => None,
            })
            .collect()
    }

    fn look(path: &Path) -> Result<Metadata, String> {
        std::fs::symlink_metadata(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))
    }

    fn judge(
        path: &Path,
        found: &Metadata,
        folder: Option<&Metadata>,
        warnings: &mut Vec<String>,
    ) -> Result<(), String> {
        let shown = path.display();
        let sticky = found.is_dir() && found.mode() & STICKY != 0;
        // The mode of a link means nothing.
        if found.mode() & WRITTEN_BY_ALL != 0 && !sticky && !found.is_symlink() {
            return Err(refusal(path, found.mode()));
        }
        let own = rustix::process::geteuid().as_raw();
        let owner = found.uid();
        if owner == 0 || owner == own {
            return Ok(());
        }
        if folder.is_some_and(|folder| folder.mode() & WRITTEN_BY_ALL != 0) {
            return Err(format!(
                "{shown} belongs to another user ({owner}), who may put it there because every user may; move it \
                 elsewhere, or run: chown root {shown}"
            ));
        }
        warnings.push(format!(
            "{shown} belongs to another user ({owner}), who can change what the gateway runs; run: chown root {shown}"
        ));
        Ok(())
    }
}

#[cfg(not(unix))]
mod system {
    //! Not looked at on this system.

    use super::Way;
    use std::path::Path;

    pub(super) fn refusal(path: &Path, _mode: u32) -> String {
        format!("everybody can change {}", path.display())
    }

    pub(super) fn walk(_path: &Path) -> Result<Way, String> {
        Ok(Way {
            warnings: Vec::new(),
            ends_in_public_folder: false,
            mode: 0,
        })
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// `site/plugins/file` in a folder of this user, which is in a sticky one.
    fn site() -> (tempfile::TempDir, std::path::PathBuf) {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("plugins");
        create_dir(&folder).unwrap();
        let file = folder.join("file.so");
        write(&file, "x").unwrap();
        mode(&file, 0o644);
        (top, file)
    }

    #[test]
    fn what_is_this_users_own_is_good_even_below_a_sticky_folder() {
        let (top, file) = site();
        assert_eq!(of_file(&file), Ok(vec![]));
        mode(top.path(), 0o1777);
        assert_eq!(of_file(&file), Ok(vec![]));
    }

    #[test]
    fn a_file_or_a_folder_above_that_everybody_can_write_is_refused_with_the_remedy() {
        let (top, file) = site();
        let folder = file.parent().unwrap();
        for (path, bad, good) in [
            (file.as_path(), 0o646, 0o644),
            (folder, 0o777, 0o755),
            (top.path(), 0o703, 0o700),
        ] {
            mode(path, bad);
            let why = of_file(&file).unwrap_err();
            for part in [
                format!("(mode {bad:04o})"),
                format!("chmod o-w {}", path.display()),
            ] {
                assert!(why.contains(&part), "{part}: {why}");
            }
            mode(path, good);
            assert_eq!(of_file(&file), Ok(vec![]));
        }
    }

    #[test]
    fn every_folder_on_the_way_of_a_link_is_looked_at() {
        let (top, file) = site();
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("link.so");
        symlink(&file, &link).unwrap();
        let relative = elsewhere.path().join("relative.so");
        symlink("../nowhere/../link.so", &relative).unwrap();
        assert_eq!(of_file(&link), Ok(vec![]));
        assert!(of_file(&relative).is_err(), "it leads nowhere");
        // Where the link lies, and where it leads to.
        for folder in [elsewhere.path(), top.path()] {
            mode(folder, 0o777);
            let why = of_file(&link).unwrap_err();
            assert!(
                why.contains(&format!("chmod o-w {}", folder.display())),
                "{why}"
            );
            mode(folder, 0o700);
        }
        let round = elsewhere.path().join("round.so");
        symlink(&round, &round).unwrap();
        assert!(of_file(&round).unwrap_err().contains("too many links"));
    }

    #[test]
    fn a_searched_folder_that_everybody_can_write_is_refused_even_if_it_is_sticky() {
        let (_top, file) = site();
        let folder = file.parent().unwrap();
        assert_eq!(of_folder(folder), Ok(()));
        mode(folder, 0o1777);
        assert!(of_folder(folder).unwrap_err().contains("(mode 1777)"));
    }

    #[test]
    fn what_belongs_to_another_user_is_warned_of_and_refused_where_everybody_may_put_things() {
        if !rustix::process::geteuid().is_root() {
            // Only root can give a file away; what is above holds for every user.
            return;
        }
        let (top, file) = site();
        std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
        let warnings = of_file(&file).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("another user (12345)"), "{warnings:?}");
        mode(file.parent().unwrap(), 0o1777);
        assert!(of_file(&file).unwrap_err().contains("(12345)"));
        drop(top);
    }
}
