//! `patchbay init`.

use super::out::print;
use crate::config::sample;
use crate::exit::Exit;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub(super) fn run(file: Option<&Path>) -> Exit {
    let Some(file) = file else {
        return print(&sample());
    };
    // An operator's file is never written over.
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    match made.and_then(|mut made| made.write_all(sample().as_bytes())) {
        Ok(()) => print(&format!(
            "{0}: edit it, then run: patchbay check {0}\n",
            file.display()
        )),
        Err(error) => {
            eprintln!("{} cannot be written: {error}", file.display());
            Exit::Failed
        }
    }
}
