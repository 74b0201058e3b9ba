//! `patchbay run`.

use crate::exit::Exit;
use crate::plugin::Catalog;
use std::path::Path;

pub(super) fn run(file: &Path) -> Exit {
    let catalog = Catalog::default();
    match super::load(file, &catalog) {
        Ok(config) => crate::run::run(config, catalog),
        Err(exit) => exit,
    }
}
