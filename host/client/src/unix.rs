//! What only Unix has.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
pub(crate) use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Creates a file that only its owner can read; one that is there already is replaced.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Whether only its owner can read the file.
pub(crate) fn is_private(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.mode() & 0o077 == 0)
}

/// Whether something can be read from standard input: on a terminal, a line.
pub(crate) fn input_waits(limit: Duration) -> bool {
    let input = io::stdin();
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    let limit = Timespec::try_from(limit).ok();
    // A signal ends the wait early, which is as good as its end.
    poll(&mut fds, limit.as_ref()).is_ok_and(|ready| ready > 0)
}
