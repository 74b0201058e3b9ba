//! A plugin that was loaded, and the instances that can be opened of it.

#[cfg(unix)]
use super::admit::admit_handed;
use super::admit::{Admitted, admit};
use super::build::{Build, respelled};
use super::inspect;
use super::trust::{Digest, Trust};
#[cfg(unix)]
use super::{Room, isolated};
use patchbay_abi::load::Library;
use patchbay_abi::module::{Opened, PluginModule_Ref};
use patchbay_abi::{Manifest, PluginRole, Port};
#[cfg(unix)]
use std::fs::File;
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
    /// `None` if none of its code may run in this process: its instances are isolated.
    module: Option<PluginModule_Ref>,
}

impl Plugin {
    /// Loads a file, after everything that can be checked beforehand has been.
    ///
    /// # Errors
    /// A sentence that names the file, what was found and expected, and what to do.
    pub fn load(path: &Path, trust: &Trust) -> Result<Plugin, String> {
        Plugin::run(admit(path, trust)?, path, path)
    }

    /// As [`Plugin::load`], for instances in processes of their own: none of its code runs in this one.
    ///
    /// # Errors
    /// As [`Plugin::load`].
    #[cfg(unix)]
    pub fn load_isolated(path: &Path, trust: &Trust) -> Result<Plugin, String> {
        let admitted = admit(path, trust)?;
        let schema = isolated::schema(admitted.build.file(), path, admitted.digest)?;
        Plugin::new(admitted, path, &schema, None)
    }

    /// There are none on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub fn load_isolated(_path: &Path, _trust: &Trust) -> Result<Plugin, String> {
        Err("isolation = \"process\" is not there on this system; leave it out".to_owned())
    }

    /// Loads, in a process of its own, a file that was handed over open by the one that admitted it.
    ///
    /// # Errors
    /// As [`Plugin::load`], or if it is not the one of that digest.
    #[cfg(unix)]
    pub fn load_handed(file: File, path: &Path, digest: Digest) -> Result<Plugin, String> {
        let admitted = admit_handed(file, path, digest)?;
        // Debuggers and backtraces go by the name. Another build may have taken it since.
        let spelled = match admitted.build.is_at(path) {
            true => path.to_owned(),
            false => admitted.build.place(),
        };
        Plugin::run(admitted, path, &spelled)
    }

    /// Loads the build that has taken the place of this one's file.
    ///
    /// # Errors
    /// A sentence: like [`Plugin::load`], or that there is no other build.
    pub fn load_newer(&self, trust: &Trust) -> Result<Plugin, String> {
        let now = Build::of(&self.path)?;
        self.build.is_replaced_by(&now, &self.path)?;
        let newer = match self.module {
            Some(_) => Plugin::run(
                admit(&self.path, trust)?,
                &self.path,
                &respelled(&self.path),
            ),
            None => Plugin::load_isolated(&self.path, trust),
        }?;
        let shown = self.path.display();
        if !now.is_at(&self.path) {
            return Err(replaced(&self.path));
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

    /// Runs a file that was admitted, under a spelling of its path.
    fn run(admitted: Admitted, path: &Path, spelled: &Path) -> Result<Plugin, String> {
        let library = Library::open(spelled)?;
        if !admitted.build.is_at(spelled) {
            return Err(replaced(path));
        }
        let module = library
            .functions()
            .map_err(|why| inspect::refusal(path, &admitted.manifest, &[why]))?;
        let schema = (module.schema())();
        Plugin::new(admitted, path, &schema, Some(module))
    }

    fn new(
        admitted: Admitted,
        path: &Path,
        schema: &str,
        module: Option<PluginModule_Ref>,
    ) -> Result<Plugin, String> {
        let Admitted {
            manifest,
            digest,
            warnings,
            build,
        } = admitted;
        let schema = self::schema(path, schema)?;
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

    /// Whether an instance can be opened in this process.
    pub fn is_here(&self) -> bool {
        self.module.is_some()
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

    /// Opens an instance in this process; `host` is where it speaks to.
    ///
    /// # Errors
    /// What the plugin says.
    pub fn open(&self, instance: &str, host: Port) -> Result<Port, String> {
        let module = self
            .module
            .ok_or("its code runs in processes of its own only")?;
        match (module.open())(instance.into(), host) {
            Opened::ROk(port) => Ok(port),
            Opened::RErr(error) => Err(error.into_string()),
        }
    }

    /// Opens an instance in a process of its own, and says by which number that goes; `host` is where it speaks to.
    ///
    /// # Errors
    /// Why there is no process.
    #[cfg(unix)]
    pub fn open_isolated(
        &self,
        instance: &str,
        host: Port,
        room: Room,
    ) -> Result<(Port, u32), String> {
        let file = (self.build.file(), self.path.as_path(), self.digest);
        isolated::open(file, instance, host, room)
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

fn replaced(path: &Path) -> String {
    format!("{} is just being replaced; do it again", path.display())
}

/// Reads what a plugin says of its configuration.
fn schema(path: &Path, text: &str) -> Result<serde_json::Value, String> {
    let shown = path.display();
    if text.is_empty() {
        return Err(format!(
            "the plugin {shown} panicked while it described its configuration; is there a `#[serde(default = …)]` whose \
             function panics?"
        ));
    }
    serde_json::from_str(text).map_err(|error| {
        format!("the plugin {shown} has no usable schema of its configuration: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_panics_is_told_from_one_that_is_broken() {
        let path = Path::new("libmine.so");
        let panicked = schema(path, "").unwrap_err();
        assert!(panicked.contains("libmine.so panicked"), "{panicked}");
        let broken = schema(path, "{").unwrap_err();
        assert!(broken.contains("no usable schema"), "{broken}");
        assert!(schema(path, "{}").is_ok());
    }
}
