//! The plugins that the configuration may name.

use super::{Plugin, Trust, find, writers};
use crate::config::{Isolation, PluginCatalog, PluginInfo, PluginSearch};
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

    fn load(
        &self,
        path: PathBuf,
        isolation: Isolation,
        trust: &Trust,
    ) -> Result<Arc<Plugin>, String> {
        let loaded = self.loaded(&path);
        if let Some(plugin) = &loaded
            && (isolation == Isolation::Process || plugin.is_here())
        {
            // It may have been loaded when more was trusted.
            trust.admits(&path, plugin.digest)?;
            return Ok(plugin.clone());
        }
        let plugin = Arc::new(match isolation {
            Isolation::None => Plugin::load(&path, trust)?,
            Isolation::Process => Plugin::load_isolated(&path, trust)?,
        });
        if let Some(loaded) = loaded.filter(|loaded| loaded.digest != plugin.digest) {
            return Err(format!(
                "{} holds a newer build than the one that runs in a process of its own; first let it take over: patchbay \
                 plugin reload {}",
                path.display(),
                loaded.manifest.name
            ));
        }
        self.lock().insert(path, plugin.clone());
        Ok(plugin)
    }
}

impl PluginCatalog for Catalog {
    fn find(&self, name: &str, search: &PluginSearch<'_>) -> Result<PluginInfo, String> {
        let path = find::find(name, search.folders)?;
        nobody_else_adds_files(&path, search.folders)?;
        self.load(path, search.isolation, &Trust::new(search.trusted))
            .map(|plugin| info(&plugin))
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
    fn find(&self, name: &str, search: &PluginSearch<'_>) -> Result<PluginInfo, String> {
        let path = find::find(name, search.folders)?;
        if path != self.newer.path {
            return self.catalog.find(name, search);
        }
        nobody_else_adds_files(&path, search.folders)?;
        Trust::new(search.trusted).admits(&path, self.newer.digest)?;
        Ok(info(self.newer))
    }
}

fn info(plugin: &Plugin) -> PluginInfo {
    PluginInfo {
        role: plugin.role(),
        schema: plugin.schema.clone(),
        warnings: plugin.warnings.clone(),
        path: plugin.path.clone(),
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
