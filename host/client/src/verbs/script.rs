//! A script's text, from a file or from standard input.

use std::io::{Read, stdin};
use std::path::Path;

use crate::complaint::{Complaint, Result};

/// No script is longer, in bytes; most gateways take less.
const LONGEST: u64 = 32 << 20;

/// Reads it all.
pub(super) fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = match is_input(file) {
        true => stdin().lock().take(LONGEST + 1).read_to_string(&mut text),
        false => std::fs::File::open(file)
            .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)),
    };
    let name = name(file).unwrap_or_else(|| "standard input".to_owned());
    match read {
        Err(error) => Err(Complaint::local(format!("{name} cannot be read: {error}"))),
        Ok(length) if length as u64 > LONGEST => Err(Complaint::local(format!(
            "{name} is longer than {LONGEST} bytes"
        ))),
        Ok(_) => Ok(text),
    }
}

/// What a script from that file is called; standard input has no name.
pub(super) fn name(file: &Path) -> Option<String> {
    let name = file.file_name().filter(|_| !is_input(file))?;
    Some(name.to_string_lossy().into_owned())
}

fn is_input(file: &Path) -> bool {
    file == Path::new("-")
}
