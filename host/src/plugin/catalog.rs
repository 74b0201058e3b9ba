//! The plugins that the configuration may name.

use super::{Plugin, Trust, find, writers};
use crate::config::{PluginCatalog, PluginInfo, PluginSearch};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Finds and loads plugins, each file once.
#[derive(Default)]
pub struct Catalog {
    loaded: RefCell<HashMap<PathBuf, Arc<Plugin>>>,
}

impl Catalog {
    /// The plugin of that file, if it has been loaded.
    pub fn loaded(&self, path: &Path) -> Option<Arc<Plugin>> {
        self.loaded.borrow().get(path).cloned()
    }

    fn load(&self, path: PathBuf, trust: &Trust) -> Result<Arc<Plugin>, String> {
        if let Some(plugin) = self.loaded(&path) {
            // It may have been loaded when more was trusted.
            trust.admits(&path, plugin.digest)?;
            return Ok(plugin);
        }
        let plugin = Arc::new(Plugin::load(&path, trust)?);
        self.loaded.borrow_mut().insert(path, plugin.clone());
        Ok(plugin)
    }
}

impl PluginCatalog for Catalog {
    fn find(&self, name: &str, search: &PluginSearch<'_>) -> Result<PluginInfo, String> {
        let path = find::find(name, search.folders)?;
        nobody_else_adds_files(&path, search.folders)?;
        let plugin = self.load(path.clone(), &Trust::new(search.trusted))?;
        Ok(PluginInfo {
            role: plugin.role(),
            schema: plugin.schema.clone(),
            warnings: plugin.warnings.clone(),
            path,
        })
    }
}

/// A folder that is searched first could hold another file of that name tomorrow.
fn nobody_else_adds_files(found: &Path, folders: &[PathBuf]) -> Result<(), String> {
    let Some(last) = folders.iter().position(|folder| found.starts_with(folder)) else {
        return Ok(());
    };
    let searched = folders.iter().take(last + 1);
    searched
        .filter(|folder| folder.exists())
        .try_for_each(|folder| writers::of_folder(folder))
}
