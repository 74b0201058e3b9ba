//! The plugins that the configuration may name.

use super::{Plugin, find};
use crate::config::{PluginCatalog, PluginInfo};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Finds and loads plugins, each file once.
#[derive(Default)]
pub struct Catalog {
    loaded: Mutex<HashMap<PathBuf, Arc<Plugin>>>,
}

impl Catalog {
    /// The plugin of that file, if it has been loaded.
    pub fn loaded(&self, path: &Path) -> Option<Arc<Plugin>> {
        self.lock().get(path).cloned()
    }

    /// From now on the file that a plugin was loaded from means this newer build of it.
    pub fn adopt(&self, newer: Arc<Plugin>) {
        self.lock().insert(newer.path.clone(), newer);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Plugin>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, path: PathBuf) -> Result<Arc<Plugin>, String> {
        if let Some(plugin) = self.loaded(&path) {
            return Ok(plugin);
        }
        let plugin = Arc::new(Plugin::load(&path)?);
        self.lock().insert(path, plugin.clone());
        Ok(plugin)
    }
}

impl PluginCatalog for Catalog {
    fn find(&self, name: &str, search_path: &[PathBuf]) -> Result<PluginInfo, String> {
        let path = find::find(name, search_path)?;
        self.load(path).map(|plugin| info(&plugin))
    }
}

/// What the catalog would be with a newer build of one of its plugins.
pub struct Renewed<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// The newer build.
    pub newer: &'a Plugin,
}

impl PluginCatalog for Renewed<'_> {
    fn find(&self, name: &str, search_path: &[PathBuf]) -> Result<PluginInfo, String> {
        let path = find::find(name, search_path)?;
        match path == self.newer.path {
            true => Ok(info(self.newer)),
            false => self.catalog.load(path).map(|plugin| info(&plugin)),
        }
    }
}

fn info(plugin: &Plugin) -> PluginInfo {
    PluginInfo {
        role: plugin.role(),
        schema: plugin.schema.clone(),
        path: plugin.path.clone(),
    }
}
