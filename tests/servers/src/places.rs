//! Where installed servers and built binaries lie.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};

/// The directory that installed servers share: `PATCHBAY_SERVERS_DIR`, or `servers` in the target directory.
pub fn servers_dir() -> PathBuf {
    match env::var_os("PATCHBAY_SERVERS_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => target_dir().join("servers"),
    }
}

/// The workspace's root.
pub fn workspace_dir() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The directory in which cargo put the running executable, and with it the gateway's binary and the plugins, as in
/// `target/debug`.
pub fn binary_dir() -> Result<PathBuf> {
    let exe = env::current_exe().doing(|| "looking for the running executable".into())?;
    let dir = exe.parent().unwrap_or(Path::new("."));
    // Tests lie one level deeper.
    Ok(if dir.ends_with("deps") {
        dir.parent().unwrap_or(dir)
    } else {
        dir
    }
    .to_owned())
}

/// Keeps other processes from installing to `servers_dir()` at the same time, until dropped.
pub(crate) fn lock(name: &str) -> Result<File> {
    let dir = servers_dir();
    fs::create_dir_all(&dir).doing(|| format!("creating {}", dir.display()))?;
    let path = dir.join(format!("{name}.lock"));
    let file = File::create(&path).doing(|| format!("creating {}", path.display()))?;
    file.lock()
        .doing(|| format!("locking {}", path.display()))?;
    Ok(file)
}

fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace_dir().join(dir),
        None => workspace_dir().join("target"),
    }
}
