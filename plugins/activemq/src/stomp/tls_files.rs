//! Certificates and keys, as files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::tls_error::TlsError;

/// No such file is larger, in bytes; the list of a system's authorities has some 250 KiB.
const LARGEST: usize = 4 << 20;

/// The contents of the file that the configuration's `field` names, wiped when they are dropped.
pub(super) fn read(field: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable =
        |error: io::Error| TlsError::file(field, path, format!("cannot be read: {error}"));
    let about = fs::metadata(path).map_err(unreadable)?;
    // A pipe or a device could keep us waiting for ever.
    if !about.is_file() {
        return Err(TlsError::file(field, path, "is no ordinary file"));
    }
    let size = usize::try_from(about.len()).unwrap_or(usize::MAX);
    if size > LARGEST {
        let what = format!("is longer than {LARGEST} bytes; is it the right one?");
        return Err(TlsError::file(field, path, what));
    }
    // With room for all of it, the buffer never moves and leaves no copy behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(size + 1));
    File::open(path)
        .and_then(|file| file.take(size as u64 + 1).read_to_end(&mut contents))
        .map_err(unreadable)?;
    Ok(contents)
}
