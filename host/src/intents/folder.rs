//! The state directory: made if it is not there, and nobody else's.

use std::io;
use std::path::Path;

/// Makes sure that the folder is there, is this user's, and that nobody else can change what is in it.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn prepare(folder: &Path) -> Result<(), String> {
    create(folder).map_err(|error| {
        let shown = folder.display();
        format!("cannot make the state directory {shown}: {error}")
    })?;
    check(folder)
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    const ONLY_MINE: u32 = 0o700;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(ONLY_MINE)
        .create(folder)
}

#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn check(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    const WRITTEN_BY_OTHERS: u32 = 0o022;
    let shown = folder.display();
    let found = std::fs::metadata(folder)
        .map_err(|error| format!("cannot look at the state directory {shown}: {error}"))?;
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(format!(
            "the state directory {shown} belongs to another user ({}, and this is {own}); chown it, or give another \
             `state_path`",
            found.uid()
        ));
    }
    match found.mode() & WRITTEN_BY_OTHERS {
        0 => Ok(()),
        _ => Err(format!(
            "others can write to the state directory {shown} (mode {:o}); chmod go-w {shown}",
            found.mode() & 0o7777
        )),
    }
}

#[cfg(not(unix))]
fn check(_folder: &Path) -> Result<(), String> {
    Ok(())
}

/// Keeps a file from the eyes of others.
///
/// # Errors
/// As the system says.
#[cfg(unix)]
pub(super) fn hide(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Keeps a file from the eyes of others: not needed on this system.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub(super) fn hide(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}
