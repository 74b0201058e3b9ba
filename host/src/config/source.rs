//! The configuration file as text: of bounded size, UTF-8, from a regular file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::mistake::Mistakes;

/// Largest configuration file, in bytes.
pub(super) const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the file. Its text may hold secrets and is wiped when dropped.
pub(super) fn read(file: &Path) -> Result<Zeroizing<String>, Mistakes> {
    let bytes = read_bytes(file).map_err(|error| {
        let message = format!("cannot read the configuration: {error}");
        Mistakes::only(
            file,
            message,
            "check the path, and that the gateway's user may read it",
        )
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = "the configuration is larger than 1 MiB".to_owned();
        return Err(Mistakes::only(file, message, "is it the right file?"));
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|error| not_text(file, &bytes, error.valid_up_to()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn read_bytes(file: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // A pipe could keep us waiting for ever.
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(file)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_text(file: &Path, bytes: &[u8], valid: usize) -> Mistakes {
    let before = bytes.iter().take(valid);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    let message = format!("the configuration is not UTF-8 text: see line {line}");
    Mistakes::only(file, message, "save it as UTF-8")
}
