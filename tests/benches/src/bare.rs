//! The gateway started directly by this program, where its very start is measured, or under a tool that counts.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail};
use patchbay_servers::binary_dir;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::gateway::{SECRET, config};

/// A gateway; it is ended when this is dropped.
pub struct Bare {
    process: Child,
    log: BufReader<ChildStderr>,
    folder: TempDir,
}

impl Bare {
    /// Starts it with these parts in its configuration; `tool` is a program that runs it, with that program's arguments.
    pub fn start(tool: &[&str], parts: &[&str]) -> Result<Self> {
        let (binaries, folder) = (binary_dir()?, tempfile::tempdir()?);
        let config = config(parts)
            .replace("@PLUGINS@", &binaries.display().to_string())
            .replace("@DIR@", &folder.path().display().to_string());
        let file = folder.path().join("patchbay.toml");
        fs::write(&file, config)?;
        write_secret(&folder.path().join(SECRET.0))?;
        let gateway = binaries.join("patchbay");
        let mut command = match tool {
            [] => Command::new(gateway),
            [tool, args @ ..] => {
                let mut command = Command::new(tool);
                command.args(args).arg(gateway);
                command
            }
        };
        let mut process = command
            .arg("run")
            .arg(&file)
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the gateway")?;
        let log = process.stderr.take().context("no standard error")?;
        Ok(Self {
            process,
            log: BufReader::new(log),
            folder,
        })
    }

    /// The process id: of the tool, if there is one.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Reads its log until a line has this in it; that line.
    pub fn wait_for(&mut self, part: &str) -> Result<String> {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            if self.log.read_line(&mut line)? == 0 {
                bail!("the gateway ended before it said `{part}`; it said\n{seen}");
            }
            if line.contains(part) {
                return Ok(line);
            }
            seen.push_str(&line);
        }
    }

    /// Asks it to end, as an operator would.
    pub fn ask_to_end(&self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM).context("ending the gateway")
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_secret(path: &Path) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(SECRET.1.as_bytes()).map_err(Into::into)
}
