//! The plugins that the configuration may name.

use super::{Plugin, find};
use crate::config::{PluginCatalog, PluginInfo};
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

    fn load(&self, path: PathBuf) -> Result<Arc<Plugin>, String> {
        if let Some(plugin) = self.loaded(&path) {
            return Ok(plugin);
        }
        let plugin = Arc::new(Plugin::load(&path)?);
        self.loaded.borrow_mut().insert(path, plugin.clone());
        Ok(plugin)
    }
}

impl PluginCatalog for Catalog {
    fn find(&self, name: &str, search_path: &[PathBuf]) -> Result<PluginInfo, String> {
        let path = find::find(name, search_path)?;
        let plugin = self.load(path.clone())?;
        Ok(PluginInfo {
            role: plugin.role(),
            schema: plugin.schema.clone(),
            path,
        })
    }
}
