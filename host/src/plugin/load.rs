//! Turns a file into a plugin that can be opened, after everything that can be checked beforehand has been.

use super::admit::{Admitted, admit};
use super::build::{Build, respelled};
use super::inspect;
use super::trust::{Digest, Trust};
use patchbay_abi::load::Library;
use patchbay_abi::module::{Opened, PluginModule_Ref};
use patchbay_abi::{Manifest, PluginRole, Port};
use std::path::{Path, PathBuf};

/// A plugin file that has been loaded; it stays loaded until the process ends.
pub struct Plugin {
    /// What the file says of itself.
    pub manifest: Manifest,
    /// Where it was found.
    pub path: PathBuf,
    /// What its file was known by when it was loaded.
    pub digest: Digest,
    /// What is dangerous about where it lies.
    pub warnings: Vec<String>,
    /// The JSON Schema of an instance's configuration.
    pub schema: serde_json::Value,
    /// Which build it is.
    pub build: Build,
    module: PluginModule_Ref,
}

impl Plugin {
    /// Loads a file, after everything that can be checked beforehand has been.
    ///
    /// # Errors
    /// A sentence that names the file, what was found and expected, and what to do.
    pub fn load(path: &Path, trust: &Trust) -> Result<Plugin, String> {
        Plugin::load_from(path, path, trust)
    }

    /// Loads the build that has taken the place of this one's file.
    ///
    /// # Errors
    /// A sentence: like [`Plugin::load`], or that there is no other build.
    pub fn load_newer(&self, trust: &Trust) -> Result<Plugin, String> {
        let now = Build::of(&self.path)?;
        self.build.is_replaced_by(&now, &self.path)?;
        let newer = Plugin::load_from(&self.path, &respelled(&self.path), trust)?;
        let shown = self.path.display();
        if !now.is_at(&self.path) {
            return Err(format!("{shown} is just being replaced; do it again"));
        }
        if newer.role() != self.role() {
            return Err(format!(
                "{shown} was a {}, and is a {} now",
                self.role(),
                newer.role()
            ));
        }
        Ok(newer)
    }

    /// Loads a file under a spelling of its path.
    fn load_from(path: &Path, spelled: &Path, trust: &Trust) -> Result<Plugin, String> {
        let Admitted {
            manifest,
            digest,
            warnings,
            build,
        } = admit(path, trust)?;
        let library = Library::open(spelled)?;
        if !build.is_at(path) {
            return Err(format!(
                "{} is just being replaced; do it again",
                path.display()
            ));
        }
        let module = library
            .functions()
            .map_err(|why| inspect::refusal(path, &manifest, &[why]))?;
        let schema = (module.schema())();
        let schema = serde_json::from_str(&schema).map_err(|error| {
            format!(
                "the plugin {} has no usable schema of its configuration: {error}",
                path.display()
            )
        })?;
        Ok(Plugin {
            manifest,
            path: path.to_owned(),
            digest,
            warnings,
            schema,
            build,
            module,
        })
    }

    /// What it was built as.
    pub fn build(&self) -> crate::broker::Build {
        crate::broker::Build {
            version: self.manifest.version.clone(),
            sdk: self.manifest.sdk.clone(),
            abi: self.manifest.abi,
            file: self.path.clone(),
        }
    }

    /// What it plugs into.
    pub fn role(&self) -> PluginRole {
        self.manifest.role
    }

    /// Opens an instance; `host` is where it speaks to.
    ///
    /// # Errors
    /// What the plugin says.
    pub fn open(&self, instance: &str, host: Port) -> Result<Port, String> {
        match (self.module.open())(instance.into(), host) {
            Opened::ROk(port) => Ok(port),
            Opened::RErr(error) => Err(error.into_string()),
        }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plugin({} {})",
            self.manifest.name, self.manifest.version
        )
    }
}
