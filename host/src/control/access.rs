//! Who reaches the socket: this user, and the members of one group if there is one. What lies in the state directory
//! is closed to them all the same.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// A group of this machine, by its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group(u32);

/// Looks a group up.
///
/// # Errors
/// If there is none, with what to do.
pub(super) fn group(name: &str) -> Result<Group, String> {
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => Ok(Group(group.gid.as_raw())),
        Ok(None) => Err(format!(
            "there is no group `{name}` (control_group) on this machine; run: groupadd --system {name}"
        )),
        Err(error) => Err(format!(
            "the group `{name}` (control_group) cannot be looked up: {error}"
        )),
    }
}

/// Lets the group through the folder, to what it knows the name of; it can neither list nor change what is there.
pub(super) fn let_in(folder: &Path, group: Option<Group>) -> io::Result<()> {
    const PASS: u32 = 0o010;
    let Some(group) = group else {
        return Ok(());
    };
    give(folder, group)?;
    let mode = std::fs::metadata(folder)?.mode() & 0o7777;
    set_mode(folder, mode | PASS)
}

/// Closes the socket's file to all others. It is given to the group before it is opened to it, so that no other group
/// is let in meanwhile.
pub(super) fn restrict(file: &Path, group: Option<Group>) -> io::Result<()> {
    match group {
        None => set_mode(file, 0o600),
        Some(group) => give(file, group).and_then(|()| set_mode(file, 0o660)),
    }
}

fn give(path: &Path, group: Group) -> io::Result<()> {
    chown(path, None, Some(group.0)).map_err(|error| {
        let advice = "the gateway's user must be a member of its `control_group` (a unit: SupplementaryGroups=)";
        io::Error::new(error.kind(), format!("{error}; {advice}"))
    })
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
