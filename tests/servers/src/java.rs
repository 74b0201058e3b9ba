//! Compiling programs that use the JMS client's libraries, once for each version of their sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Doing, Result};
use crate::progress::Progress;
use crate::{activemq, places, spawner, step};

/// Name and text of a source file.
pub type Source = (&'static str, &'static str);

/// Written last, so that a compilation that was cut off is begun anew.
const MARKER: &str = "complete";

/// `java` with the JMS client's libraries and these sources, compiled, on its class path; the caller adds what else it
/// wants and the class to run. It ends with the process that starts it. `name` is its folder's.
///
/// # Errors
/// When something cannot be installed or compiled.
pub fn java(name: &str, sources: &[Source], progress: Progress<'_>) -> Result<Command> {
    let class_path = compile(name, name, sources, progress)?;
    let mut java = spawner::guarded("java");
    java.args(["-cp", &class_path]);
    Ok(java)
}

/// Installs what such programs need, compiles this one unless that is done, and returns its class path.
pub(crate) fn compile(
    what: &str,
    name: &str,
    sources: &[Source],
    progress: Progress<'_>,
) -> Result<String> {
    activemq::install(progress)?;
    let class_path = activemq::client_class_path()?;
    let dir = dir(name, sources);
    let _lock = places::lock(name)?;
    if !dir.join(MARKER).exists() {
        run_compiler(what, &dir, sources, &class_path, progress)?;
    }
    Ok(format!("{}:{class_path}", dir.display()))
}

fn run_compiler(
    what: &str,
    dir: &Path,
    sources: &[Source],
    class_path: &str,
    progress: Progress<'_>,
) -> Result<()> {
    fs::create_dir_all(dir).doing(|| format!("creating {}", dir.display()))?;
    for (name, text) in sources {
        write(&dir.join(name), text)?;
    }
    let mut javac = spawner::guarded("javac");
    javac
        .current_dir(dir)
        .args(["-encoding", "UTF-8", "-cp", class_path, "-d", "."]);
    javac.args(sources.iter().map(|(name, _)| name));
    step::run(&format!("compiling {what}"), javac, progress)?;
    write(&dir.join(MARKER), "")
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).doing(|| format!("writing {}", path.display()))
}

fn dir(name: &str, sources: &[Source]) -> PathBuf {
    let hash = sources
        .iter()
        .fold(Sha256::new(), |hash, (_, text)| hash.chain_update(text));
    let digest: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    places::servers_dir().join(format!("{name}-{digest}"))
}
