//! `patchbay explain`.

use super::out::print;
use crate::config::{explain, text_of};
use crate::exit::Exit;
use crate::plugin::Catalog;
use std::path::Path;

pub(super) fn run(key: &str, file: Option<&Path>) -> Exit {
    let checked = match file.map(|file| super::load(file, &Catalog::default())) {
        Some(Err(exit)) => return exit,
        Some(Ok(checked)) => Some(checked),
        None => None,
    };
    let text = match file.map(text_of) {
        Some(Err(mistakes)) => {
            super::show(&mistakes);
            return Exit::Configuration;
        }
        Some(Ok(text)) => Some(text),
        None => None,
    };
    match explain(key, checked.as_ref().zip(text.as_deref())) {
        Ok(found) => {
            let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
            print(&shown.join("\n"))
        }
        Err(why) => {
            eprintln!("{why}");
            Exit::Failed
        }
    }
}
