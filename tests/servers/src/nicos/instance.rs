//! The files of one NICOS instance: configuration, setups, data and logs.

use std::fs;
use std::path::Path;

use crate::error::{Doing, Result};

/// The instrument's Python package, as NICOS names it.
pub(super) const INSTRUMENT: &str = "patchbay_lab.virtual";

const PACKAGE: &str = "patchbay_lab/virtual";
const CONFIG: &str = include_str!("../../nicos/nicos.conf");
/// As root NICOS insists on a user to continue as.
const AS_ROOT: &str = "user = \"root\"\ngroup = \"root\"\n";
const EMPTY_DIRS: [&str; 4] = ["log", "pid", "data", "cachedb"];

/// Path below the instrument's package, and text.
const FILES: [(&str, &str); 8] = [
    ("../__init__.py", ""),
    ("__init__.py", ""),
    (
        "setups/system.py",
        include_str!("../../nicos/setups/system.py"),
    ),
    (
        "setups/startup.py",
        include_str!("../../nicos/setups/startup.py"),
    ),
    (
        "setups/instrument.py",
        include_str!("../../nicos/setups/instrument.py"),
    ),
    (
        "setups/extra.py",
        include_str!("../../nicos/setups/extra.py"),
    ),
    (
        "setups/special/daemon.py",
        include_str!("../../nicos/setups/special/daemon.py"),
    ),
    (
        "setups/special/cache.py",
        include_str!("../../nicos/setups/special/cache.py"),
    ),
];

/// Writes an instance to `dir`; ports and paths reach the setups through the environment.
pub(super) fn write(dir: &Path) -> Result<()> {
    let package = dir.join(PACKAGE);
    create(&package.join("setups/special"))?;
    for name in EMPTY_DIRS {
        create(&dir.join(name))?;
    }
    for (name, text) in FILES {
        write_file(&package.join(name), text)?;
    }
    write_file(
        &package.join("nicos.conf"),
        &config(dir, rustix::process::geteuid().is_root()),
    )
}

fn config(dir: &Path, as_root: bool) -> String {
    let text = CONFIG.replace("@INSTANCE@", &dir.display().to_string());
    if as_root { text + AS_ROOT } else { text }
}

fn create(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).doing(|| format!("creating {}", dir.display()))
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).doing(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_names_a_user_to_continue_as() {
        assert!(config(Path::new("/x"), true).contains("user = \"root\""));
        assert!(!config(Path::new("/x"), false).contains("user ="));
    }

    #[test]
    fn an_instance_has_its_setups_and_paths() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let config = fs::read_to_string(dir.path().join(PACKAGE).join("nicos.conf")).unwrap();
        assert!(config.contains(&format!("logging_path = \"{}/log\"", dir.path().display())));
        assert!(
            dir.path()
                .join(PACKAGE)
                .join("setups/special/daemon.py")
                .exists()
        );
    }
}
