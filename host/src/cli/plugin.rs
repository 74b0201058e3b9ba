//! `patchbay plugin`.

use crate::exit::Exit;
use crate::plugin::{find, inspect};
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum PluginVerb {
    /// List the plugins in the search path, and why what else is there is none. Runs none of them.
    List {
        /// A folder to look in; may be given more than once.
        #[arg(
            long = "path",
            value_name = "FOLDER",
            default_value = "/usr/lib/patchbay/plugins"
        )]
        folders: Vec<PathBuf>,
    },
    /// Let a newer build of a plugin take over in a gateway that runs. Its file must have been replaced (`mv`, `install`),
    /// not overwritten. Backends finish what they have in the former build; frontends are stopped and started anew.
    #[cfg(unix)]
    Reload {
        /// The plugin's name in the configuration.
        plugin: String,
        #[command(flatten)]
        which: super::control::Which,
    },
}

impl PluginVerb {
    pub(super) fn run(self) -> Exit {
        match self {
            PluginVerb::List { folders } => list_all(&folders),
            #[cfg(unix)]
            PluginVerb::Reload { plugin, which } => super::control::renew(&which, plugin),
        }
    }
}

fn list_all(folders: &[PathBuf]) -> Exit {
    let listed = folders.iter().map(|folder| list(folder));
    listed.fold(
        Exit::Done,
        |worst, exit| if worst == Exit::Done { exit } else { worst },
    )
}

fn list(folder: &Path) -> Exit {
    match find::libraries(folder) {
        Ok(files) if files.is_empty() => println!("{}: no shared library in it", folder.display()),
        Ok(files) => files.iter().for_each(|file| println!("{}", line(file))),
        Err(error) => {
            eprintln!("{} cannot be read: {error}", folder.display());
            return Exit::Failed;
        }
    }
    Exit::Done
}

fn line(file: &Path) -> String {
    match inspect::manifest(file) {
        Err(why) => format!("-         {why}"),
        Ok(manifest) => {
            let (role, name, version) =
                (manifest.role.to_string(), &manifest.name, &manifest.version);
            let found = format!("{role:<9} {name} {version}  {}", file.display());
            match inspect::mismatches(&manifest).as_slice() {
                [] => found,
                mismatches => format!(
                    "{found}\n          cannot be loaded: {}",
                    mismatches.join("; ")
                ),
            }
        }
    }
}
