//! `patchbay check`.

use crate::exit::Exit;
use crate::plugin::Catalog;
use std::path::Path;

pub(super) fn check(file: &Path) -> Exit {
    let config = match super::load(file, &Catalog::default()) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    println!("{} is a good configuration:", file.display());
    for backend in &config.backends {
        println!(
            "  backend  {}: {}",
            backend.instance.id,
            backend.instance.path.display()
        );
    }
    for frontend in &config.frontends {
        let (id, path) = (&frontend.instance.id, frontend.instance.path.display());
        println!("  frontend {id} → {}: {path}", frontend.backend);
    }
    Exit::Done
}
