//! Compiling the JMS client, once for each version of its source.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Doing, Result};
use crate::progress::Progress;
use crate::{activemq, places, spawner, step};

/// Name and text of each source file.
const SOURCES: [(&str, &str); 8] = [
    ("Client.java", include_str!("../../../jms/Client.java")),
    ("Ibex.java", include_str!("../../../jms/Ibex.java")),
    ("Link.java", include_str!("../../../jms/Link.java")),
    ("Options.java", include_str!("../../../jms/Options.java")),
    ("Out.java", include_str!("../../../jms/Out.java")),
    ("Receiver.java", include_str!("../../../jms/Receiver.java")),
    ("Target.java", include_str!("../../../jms/Target.java")),
    ("Texts.java", include_str!("../../../jms/Texts.java")),
];
/// Written last, so that a compilation that was cut off is begun anew.
const MARKER: &str = "complete";

/// Installs what the client needs, compiles it unless that is done, and returns its class path.
pub(crate) fn install(progress: Progress<'_>) -> Result<String> {
    activemq::install(progress)?;
    let class_path = activemq::client_class_path()?;
    let dir = dir();
    let _lock = places::lock("jms")?;
    if !dir.join(MARKER).exists() {
        compile(&dir, &class_path, progress)?;
    }
    Ok(format!("{}:{class_path}", dir.display()))
}

fn compile(dir: &Path, class_path: &str, progress: Progress<'_>) -> Result<()> {
    fs::create_dir_all(dir).doing(|| format!("creating {}", dir.display()))?;
    for (name, text) in SOURCES {
        write(&dir.join(name), text)?;
    }
    let mut javac = spawner::guarded("javac");
    javac
        .current_dir(dir)
        .args(["-encoding", "UTF-8", "-cp", class_path, "-d", "."]);
    javac.args(SOURCES.map(|(name, _)| name));
    step::run("compiling the JMS client", javac, progress)?;
    write(&dir.join(MARKER), "")
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).doing(|| format!("writing {}", path.display()))
}

fn dir() -> PathBuf {
    let hash = SOURCES
        .iter()
        .fold(Sha256::new(), |hash, (_, text)| hash.chain_update(text));
    let name: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    places::servers_dir().join(format!("jms-{name}"))
}
