//! The gateway itself, as a process.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::error::{Doing, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::spawner;

const READY_LIMIT: Duration = Duration::from_secs(60);

/// How a gateway is to be started.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    binary: PathBuf,
    plugins: PathBuf,
    config: String,
    secrets: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

impl GatewayOptions {
    /// Puts a secret into a file `name` beside the configuration, readable for its owner only.
    pub fn secret(mut self, name: &str, secret: &str) -> Self {
        self.secrets.push((name.to_owned(), secret.to_owned()));
        self
    }

    /// Sets an environment variable for the gateway.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends before, or is not ready within 60 s (with the last lines of its log).
    pub fn start(self, progress: Progress<'_>) -> Result<Gateway> {
        let dir = InstanceDir::new("gateway")?;
        self.write_files(dir.path())?;
        let process = self.run(dir.path())?;
        progress(&format!("gateway ready, process {}", process.pid()));
        Ok(Gateway {
            process,
            options: self,
            dir,
        })
    }

    fn write_files(&self, dir: &Path) -> Result<()> {
        for (name, secret) in &self.secrets {
            write_secret(&dir.join(name), secret)?;
        }
        write_config(dir, &self.config_in(dir, &self.config))
    }

    fn config_in(&self, dir: &Path, config: &str) -> String {
        let config = config.replace("@PLUGINS@", &self.plugins.display().to_string());
        config.replace("@DIR@", &dir.display().to_string())
    }

    fn run(&self, dir: &Path) -> Result<Process> {
        let mut process = Process::start(
            "the gateway",
            self.command(dir),
            &dir.join("gateway.log"),
            false,
        )?;
        process.wait_log(READY_LIMIT, |lines| {
            lines.iter().any(|line| is_ready(line)).then_some(())
        })?;
        Ok(process)
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = spawner::guarded(&self.binary);
        command.current_dir(dir).arg("run").arg(config_path(dir));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A running gateway. It ends, with its files, when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    // Declared, and so dropped, before the directory that it uses.
    process: Process,
    options: GatewayOptions,
    dir: InstanceDir,
}

impl Gateway {
    /// The gateway's `binary` with plugins from the directory `plugins`. In the TOML text `config`, `@PLUGINS@` stands
    /// for the latter and `@DIR@` for the directory where configuration and secrets lie.
    pub fn options(binary: &Path, plugins: &Path, config: &str) -> GatewayOptions {
        GatewayOptions {
            binary: binary.to_owned(),
            plugins: plugins.to_owned(),
            config: config.to_owned(),
            secrets: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// How the process ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.process.exit()
    }

    /// Whether the process runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.exit().is_none()
    }

    /// Waits for the gateway to end by itself; `None` when it still runs after `limit`.
    ///
    /// # Errors
    /// When interrupted.
    pub fn wait_exit(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        self.process.wait_exit(limit)
    }

    /// Asks it to end, as an operator's SIGTERM would, and waits until it has.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Ends it at once, as a crash would.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Starts it again with the same files, after stopping it if it still runs.
    ///
    /// # Errors
    /// When it is not ready within 60 s.
    pub fn restart(&mut self) -> Result<()> {
        self.process.stop();
        self.process = self.options.run(self.dir.path())?;
        Ok(())
    }

    /// Writes another configuration; it counts from the next restart or reload.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_config(&self, config: &str) -> Result<()> {
        let dir = self.dir.path();
        write_config(dir, &self.options.config_in(dir, config))
    }

    /// The directory of configuration, secrets and log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The configuration file.
    pub fn config_path(&self) -> PathBuf {
        config_path(self.dir.path())
    }

    /// What the gateway logs.
    pub fn log_path(&self) -> &Path {
        self.process.log().path()
    }

    /// The last `count` lines that it logged since its latest start.
    pub fn log_tail(&self, count: usize) -> Vec<String> {
        self.process.log().tail(count)
    }
}

/// A log line with the message `ready`: in JSON, or in words for people with fields behind it.
fn is_ready(line: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(record) => record
            .get("message")
            .is_some_and(|message| message == "ready"),
        Err(_) => line.split_whitespace().any(|word| word == "ready"),
    }
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("patchbay.toml")
}

fn write_config(dir: &Path, config: &str) -> Result<()> {
    let path = config_path(dir);
    fs::write(&path, config).doing(|| format!("writing {}", path.display()))
}

fn write_secret(path: &Path, secret: &str) -> Result<()> {
    let open = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    open.and_then(|mut file| file.write_all(secret.as_bytes()))
        .doing(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::is_ready;

    #[test]
    fn ready_is_read_in_both_kinds_of_log() {
        assert!(is_ready(
            r#"{"level":"INFO","message":"ready","name":"patchbay"}"#
        ));
        assert!(is_ready("21:01:25 INFO patchbay: ready name=patchbay"));
        assert!(!is_ready(
            r#"{"level":"INFO","message":"already ready to start"}"#
        ));
        assert!(!is_ready("21:01:25 INFO patchbay: already up"));
    }
}
