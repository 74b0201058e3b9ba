//! Listening at a Unix socket, which only the gateway's own user can reach.

use crate::control::listen as listen_privately;
use std::fmt;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The socket's file; removed when this is dropped.
pub(super) struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl fmt::Display for File {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(out)
    }
}

pub(super) fn listen(path: &Path) -> io::Result<(UnixListener, File)> {
    let listener = listen_privately(path, None)?;
    Ok((listener, File(path.to_owned())))
}
