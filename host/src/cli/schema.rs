//! `patchbay schema`.

use super::out::print;
use crate::config::{Isolation, PluginCatalog, PluginSearch, schema};
use crate::exit::Exit;
use crate::plugin::{Catalog, find, inspect};
use std::path::PathBuf;

pub(super) fn run(folders: &[PathBuf]) -> Exit {
    let catalog = Catalog::default();
    let search = PluginSearch {
        folders,
        trusted: None,
        isolation: Isolation::None,
    };
    let mut plugins = Vec::new();
    for file in folders
        .iter()
        .flat_map(|folder| find::libraries(folder).unwrap_or_default())
    {
        // Any other library in the folder is no plugin that could be named.
        let plugin = inspect::manifest(&file)
            .ok()
            .and_then(|_| find::name_of(&file));
        match plugin.map(|name| (catalog.find(&name, &search), name)) {
            Some((Ok(info), name)) => plugins.push((name, info)),
            Some((Err(why), _)) => eprintln!("left out: {why}"),
            None => {}
        }
    }
    print(&format!("{:#}\n", schema(&plugins)))
}
