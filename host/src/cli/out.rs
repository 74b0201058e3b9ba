//! Standard output.

use crate::exit::Exit;
use std::io::{self, Write, stdout};

/// Prints a text.
pub(super) fn print(text: &str) -> Exit {
    let mut out = stdout().lock();
    told(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What comes of writing.
pub(super) fn told(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        // Whoever reads has seen enough, as `head` and `less` have.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            eprintln!("cannot be written: {error}");
            Exit::Failed
        }
    }
}
