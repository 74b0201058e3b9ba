//! `patchbay init`.

use crate::config::sample;
use crate::exit::Exit;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub(super) fn run(file: Option<&Path>) -> Exit {
    let Some(file) = file else {
        print!("{}", sample());
        return Exit::Done;
    };
    // An operator's file is never written over.
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    match made.and_then(|mut made| made.write_all(sample().as_bytes())) {
        Ok(()) => {
            println!("{0}: edit it, then run: patchbay check {0}", file.display());
            Exit::Done
        }
        Err(error) => {
            eprintln!("{} cannot be written: {error}", file.display());
            Exit::Failed
        }
    }
}
