//! `patchbay plugin new`: a crate of an author's own, outside of this repository, that builds, is tested and can be loaded.
//!
//! What is written lies as ordinary files in `sdk/template/`; only the names in it are put in here.

mod name;
mod sdk;
mod template;

use super::out::print;
use crate::exit::Exit;
use crate::plugin::find;
use clap::{Args, ValueEnum};
use name::CrateName;
use sdk::Sdk;
use std::io::Write;
use std::path::{Path, PathBuf};
use template::Words;

/// What is wanted.
#[derive(Args)]
pub(in crate::cli) struct NewPlugin {
    /// What it is to plug into.
    #[arg(value_enum)]
    kind: PluginKind,
    /// The crate's name, by which the configuration knows the plugin as well.
    name: CrateName,
    /// The folder to write; it must not exist yet, or be empty. NAME in the current folder if not given.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: Option<PathBuf>,
    /// Where the SDK is: the folder of a checkout of Patchbay, or the URL of its repository, `@` and a revision or a tag
    /// (`https://example.org/patchbay.git@v1.0`). The checkout in which this program was built if not given.
    #[arg(long, env = "PATCHBAY_SDK", value_name = "FOLDER|URL@REV")]
    sdk: Option<Sdk>,
}

/// What a plugin plugs into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PluginKind {
    /// Speaks to a script server: begins as one that keeps a queue of its own.
    Backend,
    /// Speaks to clients: begins as one that understands lines of text over TCP.
    Frontend,
}

/// Where the socket's plugin lies if not beside this program: where packages put it.
const INSTALLED: &str = "/usr/lib/patchbay/plugins";

impl NewPlugin {
    pub(in crate::cli) fn run(self) -> Exit {
        match self.write() {
            Ok(said) => print(&said),
            Err(why) => {
                eprintln!("error: {why}");
                Exit::Failed
            }
        }
    }

    fn write(self) -> Result<String, String> {
        let sdk = self.sdk.or_else(Sdk::around_this_program).ok_or(
            "it is not known where the SDK is, because this program does not lie in a checkout of Patchbay; say \
             --sdk FOLDER with a checkout, or --sdk URL@REV with its repository and a revision",
        )?;
        let folder = self
            .folder
            .unwrap_or_else(|| PathBuf::from(self.name.as_str()));
        let plugins = beside_this_program().unwrap_or_else(|| PathBuf::from(INSTALLED));
        let words = Words {
            name: &self.name,
            sdk: &sdk,
            plugins: &plugins,
        };
        make(&folder)?;
        for (path, text) in self.kind.files() {
            put(&folder.join(path), &words.put_into(text))?;
        }
        Ok(self.kind.next_steps(&folder))
    }
}

impl PluginKind {
    /// What a person does next.
    fn next_steps(self, folder: &Path) -> String {
        let (what, then) = match self {
            PluginKind::Backend => (
                "a backend with a queue of its own",
                "patchbay client --user me submit README.md",
            ),
            PluginKind::Frontend => ("a frontend for lines of text", "nc 127.0.0.1 7010"),
        };
        let shown = folder.display();
        format!(
            "{shown}: {what}, to be made yours. Next:\n\
             \n  cd {shown}\
             \n  cargo test                  # the conformance suite, too\
             \n  cargo build\
             \n  patchbay run gateway.toml   # loads it; Ctrl-C ends it\
             \n  {then}\
             \n\
             \nREADME.md in it says how to go on.\n"
        )
    }
}

/// The folder of this program, if plugins lie there as well, as they do in a checkout.
fn beside_this_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.to_owned();
    find::find("socket", std::slice::from_ref(&folder)).ok()?;
    Some(folder)
}

/// Makes the folder; what somebody has written is never written over.
fn make(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(format!(
                "{shown} is there already and is not empty; name another folder"
            )),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir(folder).map_err(|error| format!("{shown} cannot be made: {error}"))
        }
        Err(error) => Err(format!("{shown} cannot be looked into: {error}")),
    }
}

fn put(file: &Path, text: &str) -> Result<(), String> {
    let written = file
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::File::create_new(file))
        .and_then(|mut made| made.write_all(text.as_bytes()));
    written.map_err(|error| format!("{} cannot be written: {error}", file.display()))
}
