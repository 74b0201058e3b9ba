//! `patchbay plugin`.

use super::new_plugin::NewPlugin;
use super::out::print;
use crate::config::plugin_paths;
use crate::exit::Exit;
use crate::plugin::admit::{Admitted, admit};
use crate::plugin::trust::{Digest, Trust, TrustList};
use crate::plugin::{find, inspect};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum PluginVerb {
    /// Write a crate of your own that is a plugin: a skeleton that works, its tests, and how to go on.
    New(NewPlugin),
    /// List the plugins in the search path, and why what else is there is none. Runs none of them.
    List {
        /// A folder to look in; may be given more than once. Those of the configuration if none is given.
        #[arg(long = "path", value_name = "FOLDER")]
        folders: Vec<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Say all that can be known of a plugin's file without running it: what it is, every reason why this host would not load
    /// it, and how it is built anew. Exit status 1 if it would not be loaded.
    Inspect(super::inspect::Inspect),
    /// Allow a gateway with `trusted_plugins` to load these very files. Runs none of them.
    Trust {
        /// The plugins' files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Allow it no more; a gateway that has loaded them goes on until it is restarted.
    Untrust {
        /// The plugins' files, or their SHA-256 where a file is no more.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        whose: Whose,
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

/// Whose plugins are meant.
#[derive(Args)]
pub(super) struct Whose {
    /// The configuration file that the gateway runs with.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/patchbay/patchbay.toml"
    )]
    config: PathBuf,
    /// The list of trusted plugins; the one that the configuration names if not given.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

impl PluginVerb {
    pub(super) fn run(self) -> Exit {
        match self {
            PluginVerb::New(wanted) => wanted.run(),
            PluginVerb::List { folders, whose } => list(folders, &whose),
            PluginVerb::Inspect(inspect) => inspect.run(),
            PluginVerb::Trust { files, whose } => change(&whose, &files, trust),
            PluginVerb::Untrust { files, whose } => change(&whose, &files, untrust),
            #[cfg(unix)]
            PluginVerb::Reload { plugin, which } => super::control::renew(&which, plugin),
        }
    }
}

impl Whose {
    /// The list that is to be changed.
    fn list(&self) -> Result<PathBuf, Exit> {
        if let Some(list) = &self.list {
            return Ok(list.clone());
        }
        let found = plugin_paths(&self.config).map_err(|mistakes| {
            super::show(&mistakes);
            Exit::Configuration
        })?;
        found.1.ok_or_else(|| {
            eprintln!(
                "error: {}: `[gateway]` does not say where the list is; add, for example, trusted_plugins = \
                 \"trusted-plugins\", or name it with --list",
                self.config.display()
            );
            Exit::Failed
        })
    }
}

fn change(
    whose: &Whose,
    files: &[PathBuf],
    what: fn(&mut TrustList, &Path) -> Result<String, String>,
) -> Exit {
    let path = match whose.list() {
        Ok(path) => path,
        Err(exit) => return exit,
    };
    let changed = TrustList::read_or_new(&path).and_then(|mut list| {
        let said: Result<Vec<String>, String> =
            files.iter().map(|file| what(&mut list, file)).collect();
        let said = said?;
        list.write(&path)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        Ok(said)
    });
    match changed {
        Ok(said) => print(&format!(
            "{}\nwritten to {}\n",
            said.join("\n"),
            path.display()
        )),
        Err(why) => {
            eprintln!("error: {why}; nothing was changed");
            Exit::Failed
        }
    }
}

fn trust(list: &mut TrustList, file: &Path) -> Result<String, String> {
    let absolute = std::path::absolute(file)
        .map_err(|error| format!("{} cannot be looked at: {error}", file.display()))?;
    let Admitted {
        manifest, digest, ..
    } = admit(&absolute, &Trust::Any)?;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let (name, version) = (&manifest.name, &manifest.version);
    list.add(
        digest,
        &format!("{name} {version}, {today}, {}", absolute.display()),
    );
    Ok(format!("trusted: {name} {version}, SHA-256 {digest}"))
}

fn untrust(list: &mut TrustList, file: &Path) -> Result<String, String> {
    let digest = match file.to_str().and_then(Digest::read) {
        Some(digest) => digest,
        None => digest_of(file)?,
    };
    match list.remove(digest) {
        true => Ok(format!("no longer trusted: {}", file.display())),
        false => Err(format!(
            "{} is not in the list (SHA-256 {digest})",
            file.display()
        )),
    }
}

fn digest_of(file: &Path) -> Result<Digest, String> {
    inspect::open(file)
        .and_then(|file| inspect::read(&file))
        .map(|bytes| Digest::of(&bytes))
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

fn list(folders: Vec<PathBuf>, whose: &Whose) -> Exit {
    // What is given on the command line is looked at without a configuration.
    let of_config = match folders.is_empty() {
        false => (folders, None),
        true => match plugin_paths(&whose.config) {
            Ok(paths) => paths,
            Err(mistakes) => {
                super::show(&mistakes);
                return Exit::Configuration;
            }
        },
    };
    let (folders, trusted) = of_config;
    let trust = Trust::new(whose.list.as_deref().or(trusted.as_deref()));
    let listed = folders.iter().map(|folder| list_folder(folder, &trust));
    listed.fold(
        Exit::Done,
        |worst, exit| if worst == Exit::Done { exit } else { worst },
    )
}

fn list_folder(folder: &Path, trust: &Trust) -> Exit {
    match find::libraries(folder) {
        Ok(files) if files.is_empty() => {
            print(&format!("{}: no shared library in it\n", folder.display()))
        }
        Ok(files) => {
            let lines = files.iter().map(|file| line(file, trust) + "\n");
            print(&lines.collect::<String>())
        }
        Err(error) => {
            eprintln!("{} cannot be read: {error}", folder.display());
            Exit::Failed
        }
    }
}

fn line(file: &Path, trust: &Trust) -> String {
    let manifest = match inspect::manifest(file) {
        Err(why) => return format!("-         {why}"),
        Ok(manifest) => manifest,
    };
    let (role, name, version) = (manifest.role.to_string(), &manifest.name, &manifest.version);
    let trusted = match trust {
        Trust::Any => "",
        Trust::Listed(_) => "  trusted",
    };
    let found = format!("{role:<9} {name} {version}  {}", file.display());
    match admit(file, trust) {
        Ok(_) => format!("{found}{trusted}"),
        Err(_) if !inspect::mismatches(&manifest).is_empty() => format!(
            "{found}\n          cannot be loaded: {}",
            inspect::mismatches(&manifest).join("; ")
        ),
        Err(why) => format!("{found}\n          cannot be loaded: {why}"),
    }
}
