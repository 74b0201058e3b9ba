//! Who may read a file: the one part of the configuration that differs between systems.

use std::path::Path;

/// Whether anybody on this machine may read the file. Files that are not there, and systems without such bits: no.
#[cfg(unix)]
pub(super) fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const READ_BY_OTHERS: u32 = 0o004;
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & READ_BY_OTHERS != 0)
}

/// Whether anybody on this machine may read the file: not looked at on this system.
#[cfg(not(unix))]
pub(super) fn others_can_read(_path: &Path) -> bool {
    false
}
