//! A real terminal, by tmux: a test types into it and reads what is on its screen, as a person would.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::error::{Doing, Error, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::{debian, spawner, wait};

const PACKAGES: &str = include_str!("../terminal/packages.txt");
const READY_LIMIT: Duration = Duration::from_secs(30);
/// In characters and lines.
const SIZE: [&str; 4] = ["-x", "100", "-y", "40"];

/// A terminal with a shell in it. It ends, with what runs in it, when it is dropped.
#[derive(Debug)]
pub struct Terminal {
    // Declared, and so dropped, before the directory that it uses.
    _server: Process,
    dir: InstanceDir,
}

/// The Debian packages that are not installed.
pub(crate) fn missing_packages() -> Result<Vec<String>> {
    debian::missing(&debian::parse(PACKAGES))
}

impl Terminal {
    /// Installs tmux if needed, and opens a terminal whose shell has these variables too.
    ///
    /// # Errors
    /// When tmux cannot be installed or does not start.
    pub fn start(variables: &[(&str, &str)], progress: Progress<'_>) -> Result<Self> {
        debian::install(&missing_packages()?, progress)?;
        let dir = InstanceDir::new("terminal")?;
        let mut command = spawner::guarded("tmux");
        // Not a daemon, so that it ends with us; and nobody's own settings.
        command.arg("-S").arg(dir.path().join("tmux"));
        command.args(["-D", "-u", "-f", "/dev/null"]);
        let server = Process::start("tmux", command, &dir.path().join("tmux.log"), false)?;
        let terminal = Self {
            _server: server,
            dir,
        };
        let mut open = vec!["new-session", "-d"];
        open.extend(SIZE);
        let all = variables
            .iter()
            .chain(&[("ENV", ""), ("LC_ALL", "C.UTF-8")]);
        let all: Vec<_> = all.map(|(name, value)| format!("{name}={value}")).collect();
        open.extend(all.iter().flat_map(|variable| ["-e", variable.as_str()]));
        open.push("sh");
        // PATH is that of whoever opens it, whatever is said with `-e`.
        let path = variables.iter().find(|(name, _)| *name == "PATH").copied();
        let opened = wait::poll(READY_LIMIT, || Ok(terminal.tmux(&open, path).ok()))?;
        if opened.is_none() {
            terminal.tmux(&open, path)?;
        }
        terminal.await_prompt()?;
        Ok(terminal)
    }

    /// What is typed before the shell asks for it would be shown before its prompt, and what it prints behind.
    fn await_prompt(&self) -> Result<()> {
        let asks = || {
            let screen = self.screen()?;
            Ok(screen.trim_end().ends_with(['$', '#']).then_some(()))
        };
        wait::poll(READY_LIMIT, asks)?.ok_or_else(|| Error::Server {
            server: "the terminal's shell".into(),
            why: format!("showed no prompt within {READY_LIMIT:?}"),
            log: self.screen().into_iter().collect(),
        })
    }

    /// Types a text and the Enter key.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn type_line(&self, text: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", "--", text], None)?;
        self.key("Enter")
    }

    /// Presses a key by tmux's name of it, as in `C-c` or `Up`.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn key(&self, key: &str) -> Result<()> {
        self.tmux(&["send-keys", key], None).map(|_| ())
    }

    /// What is on the screen.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"], None)
    }

    /// What is on the screen and above it, with the escape sequences of its colours.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn everything(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p", "-e", "-S", "-"], None)
    }

    fn tmux(&self, words: &[&str], variable: Option<(&str, &str)>) -> Result<String> {
        let socket: PathBuf = self.dir.path().join("tmux");
        let mut command = Command::new("tmux");
        // `-N`: one that finds no server yet would start another, which outlives us.
        command
            .env_remove("TMUX")
            .args(["-N", "-u", "-S"])
            .arg(socket);
        let output = command.args(words).envs(variable).output();
        let output = output.doing(|| "running tmux".into())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Error::Server {
                server: "tmux".into(),
                why: format!("refused `{}`", words[0]),
                log: vec![String::from_utf8_lossy(&output.stderr).trim().to_owned()],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silent;

    #[test]
    fn what_is_typed_is_run_and_shown() {
        let terminal = Terminal::start(&[("WHO", "anna")], &silent).unwrap();
        terminal.type_line("echo hello $WHO").unwrap();
        let shown = wait::poll(READY_LIMIT, || {
            Ok(terminal.screen()?.contains("\nhello anna\n").then_some(()))
        });
        assert!(shown.unwrap().is_some(), "{}", terminal.screen().unwrap());
    }
}
