//! `patchbay check`.

use super::out::print;
use crate::exit::Exit;
use crate::plugin::Catalog;
use crate::ports::Machine;
use std::path::Path;

pub(super) fn check(file: &Path, offline: bool) -> Exit {
    let catalog = Catalog::default();
    let loaded = match offline {
        true => crate::config::load(file, &catalog),
        false => crate::config::load_at(file, &catalog, &Machine { own: running(file) }),
    };
    let config = match super::shown(loaded) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let mut text = format!("{} is a good configuration:\n", file.display());
    for backend in &config.backends {
        let (id, path) = (&backend.instance.id, backend.instance.path.display());
        text += &format!("  backend  {id}: {path}\n");
    }
    for frontend in &config.frontends {
        let (id, path) = (&frontend.instance.id, frontend.instance.path.display());
        text += &format!("  frontend {id} → {}: {path}\n", frontend.backend);
    }
    print(&text)
}

/// The process of the gateway that runs with this file, if there is one.
#[cfg(unix)]
fn running(file: &Path) -> Option<u32> {
    use crate::control::{Answer, Order, ask};
    let state = crate::config::state_path(file).ok()?;
    match ask(&state, &Order::Status) {
        Ok(Answer::Status(status)) => Some(status.pid),
        _ => None,
    }
}

/// Not known on this system.
#[cfg(not(unix))]
fn running(_file: &Path) -> Option<u32> {
    None
}
