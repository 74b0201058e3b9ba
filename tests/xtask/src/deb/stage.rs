//! The files of the package, laid out as they will be installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use patchbay_servers::workspace_dir;

use super::said;

/// Those that people use; the other ones are for learning and for tests.
const PLUGINS: [&str; 7] = [
    "activemq",
    "nicos",
    "process",
    "process_frontend",
    "python",
    "queueserver",
    "socket",
];

/// What whoever writes a program as a plugin needs, and has nowhere else.
const FOR_AUTHORS: [&str; 4] = [
    "process/README.md",
    "process/PROTOCOL.md",
    "process/examples/scripts.py",
    "process-frontend/examples/lines.py",
];

/// A folder that becomes a package, and the folder with what was built.
pub struct Stage {
    root: PathBuf,
    built: PathBuf,
}

impl Stage {
    pub fn new(root: &Path, built: &Path) -> Self {
        Self {
            root: root.to_owned(),
            built: built.to_owned(),
        }
    }

    /// Where a file of the package is, and its folder made.
    pub fn path(&self, installed: &str) -> Result<PathBuf> {
        let path = self.root.join(installed);
        let mut folder = path.clone();
        folder.pop();
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        // Whatever the umask of whoever builds it.
        for made in folder
            .ancestors()
            .take_while(|made| made.starts_with(&self.root))
        {
            fs::set_permissions(made, fs::Permissions::from_mode(0o755))?;
        }
        Ok(path)
    }

    pub fn write(&self, installed: &str, bytes: impl AsRef<[u8]>, mode: u32) -> Result<()> {
        let path = self.path(installed)?;
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(())
    }

    fn copy(&self, from: &Path, installed: &str, mode: u32) -> Result<()> {
        let bytes = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        self.write(installed, bytes, mode)
    }

    /// Puts everything in but what is for the package manager alone.
    pub fn fill(&mut self) -> Result<()> {
        self.copy(&self.built.join("patchbay"), "usr/bin/patchbay", 0o755)?;
        for plugin in PLUGINS {
            let file = format!("libpatchbay_{plugin}.so");
            let installed = format!("usr/lib/patchbay/plugins/{file}");
            self.copy(&self.built.join(file), &installed, 0o644)?;
        }
        let packaging = workspace_dir().join("host/packaging");
        let unit = "usr/lib/systemd/system/patchbay.service";
        self.copy(&packaging.join("patchbay.service"), unit, 0o644)?;
        self.write("etc/patchbay/patchbay.toml", self.configuration()?, 0o644)?;
        let several = "usr/share/doc/patchbay/examples/several.toml";
        self.copy(&packaging.join("several.toml"), several, 0o644)?;
        self.documents(&packaging)?;
        self.manual()?;
        self.completions()
    }

    /// What `patchbay init` writes, with the state where Debian wants it.
    fn configuration(&self) -> Result<String> {
        let sample = self.patchbay(&["init"])?;
        let (default, here) = (
            "# state_path = \"state\"",
            "state_path = \"/var/lib/patchbay\"",
        );
        ensure!(
            sample.contains(default),
            "`patchbay init` does not show `state_path` any more"
        );
        Ok(format!("{}\n", sample.replace(default, here)))
    }

    fn documents(&self, packaging: &Path) -> Result<()> {
        let doc = "usr/share/doc/patchbay";
        let read = |name: &str| {
            let path = workspace_dir().join(name);
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let head = read("host/packaging/debian/copyright")?;
        let text = read("LICENSE-MIT")?;
        let text = text.lines().map(|line| match line {
            "" => " .\n".to_owned(),
            line => format!(" {line}\n"),
        });
        let copyright = format!("{head}License: MIT\n{}", text.collect::<String>());
        self.write(&format!("{doc}/copyright"), copyright, 0o644)?;
        self.write(&format!("{doc}/README.md"), read("README.md")?, 0o644)?;
        self.write(&format!("{doc}/changelog"), read("CHANGELOG.md")?, 0o644)?;
        self.compress(&format!("{doc}/changelog"))?;
        for page in FOR_AUTHORS {
            let text = read(&format!("plugins/{page}"))?;
            self.write(&format!("{doc}/{page}"), text, 0o644)?;
        }
        for script in ["postinst", "prerm", "postrm"] {
            let from = packaging.join("debian").join(script);
            self.copy(&from, &format!("DEBIAN/{script}"), 0o755)?;
        }
        Ok(())
    }

    fn manual(&self) -> Result<()> {
        let folder = "usr/share/man/man1";
        let made = self.path(&format!("{folder}/x"))?;
        let made = made.parent().context("a folder")?;
        self.patchbay(&["man", &made.to_string_lossy()])?;
        for page in fs::read_dir(made)? {
            let name = page?.file_name();
            let page = format!("{folder}/{}", name.to_string_lossy());
            fs::set_permissions(self.path(&page)?, fs::Permissions::from_mode(0o644))?;
            self.compress(&page)?;
        }
        Ok(())
    }

    fn completions(&self) -> Result<()> {
        for (shell, installed) in [
            ("bash", "bash-completion/completions/patchbay"),
            ("zsh", "zsh/vendor-completions/_patchbay"),
            ("fish", "fish/vendor_completions.d/patchbay.fish"),
        ] {
            let text = self.patchbay(&["completions", shell])?;
            self.write(
                &format!("usr/share/{installed}"),
                format!("{text}\n"),
                0o644,
            )?;
        }
        Ok(())
    }

    /// As Debian wants manual pages and changelogs, and the same each time.
    fn compress(&self, installed: &str) -> Result<()> {
        let path = self.path(installed)?;
        said(
            Command::new("gzip")
                .args(["--best", "--no-name", "--force"])
                .arg(path),
        )
        .map(drop)
    }

    fn patchbay(&self, words: &[&str]) -> Result<String> {
        said(Command::new(self.built.join("patchbay")).args(words))
    }

    /// Every installed file, as it is called when it is installed.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut folders = vec![self.root.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let installed = path.strip_prefix(&self.root)?;
                match path.is_dir() {
                    true if installed == Path::new("DEBIAN") => {}
                    true => folders.push(path),
                    false => files.push(installed.to_string_lossy().into_owned()),
                }
            }
        }
        files.sort();
        Ok(files)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
}
