//! What an operator can say. What people who send scripts can say stands in a crate of its own.

mod audit;
mod check;
#[cfg(unix)]
mod control;
mod explain;
mod init;
mod inspect;
#[cfg(unix)]
mod log_level;
mod new_plugin;
mod out;
mod pages;
mod plugin;
#[cfg(unix)]
mod plugin_host;
mod run;
mod schema;
#[cfg(unix)]
mod status;
mod table;
#[cfg(unix)]
mod trace;
mod user;
#[cfg(unix)]
mod when_idle;

use crate::config::{Checked, Mistakes};
use crate::exit::Exit;
use crate::plugin::Catalog;
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lets any client talk to any script server, through plugins.
#[derive(Parser)]
#[command(
    version,
    after_help = Exit::table()
)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the gateway until SIGINT or SIGTERM.
    Run(ConfigFile),
    /// Say everything that is wrong with a configuration file, and start nothing.
    Check {
        #[command(flatten)]
        config: ConfigFile,
        /// Do not look whether the addresses to listen on are free.
        #[arg(long)]
        offline: bool,
    },
    /// Say what a key of the configuration means and, with a file, what it is there and why. Without a key: all keys of the
    /// host, as a Markdown page.
    Explain {
        /// A key, such as `max_sessions`, `frontend.max_role` or `frontend.config.queue`.
        key: Option<String>,
        /// The configuration file (TOML).
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of the configuration file, for editors.
    Schema {
        /// A folder with plugins whose settings are described too; may be given more than once.
        #[arg(
            long = "path",
            value_name = "FOLDER",
            default_value = "/usr/lib/patchbay/plugins"
        )]
        folders: Vec<PathBuf>,
    },
    /// Write a commented configuration to begin with; to standard output without a file.
    Init {
        /// The file; it must not exist yet.
        file: Option<PathBuf>,
    },
    /// Say how a gateway that runs is, and what to do if not all is well; exit status 5 then.
    #[cfg(unix)]
    Status {
        #[command(flatten)]
        which: control::Which,
        /// Look again every two seconds, until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Say who is logged in at a gateway that runs.
    #[cfg(unix)]
    Sessions {
        #[command(flatten)]
        which: control::Which,
    },
    /// Lead a frontend to another backend; its clients notice nothing.
    #[cfg(unix)]
    Route {
        /// The frontend's id.
        frontend: String,
        /// The backend's id.
        backend: String,
        /// Only when none of the frontend's requests is under way and nothing runs at its backend; wait for that.
        #[arg(long)]
        when_idle: bool,
        /// Do not wait for it; `patchbay status` shows what is pending.
        #[arg(long, requires = "when_idle")]
        no_wait: bool,
        #[command(flatten)]
        which: control::Which,
    },
    /// End an instance and start it anew, also one that is quarantined; its clients stay.
    #[cfg(unix)]
    Restart {
        /// The instance's id.
        instance: String,
        #[command(flatten)]
        which: control::Which,
    },
    /// Show requests, answers and events of a gateway that runs as they happen, until Ctrl-C; without secrets.
    #[cfg(unix)]
    Trace(trace::Trace),
    /// Say how much everybody logs at a gateway that runs, or change that at once.
    #[cfg(unix)]
    #[command(override_usage = "patchbay log-level [INSTANCE LEVEL] [FILE]")]
    LogLevel(log_level::LogLevel),
    /// Say who has changed what, or was refused, and from where.
    Audit(audit::Wanted),
    /// Say who may log in at frontends with `authority = "users"`.
    #[command(subcommand)]
    User(user::UserVerb),
    /// Have a gateway that runs read its configuration file anew: only what differs is touched, and a mistake changes
    /// nothing. SIGHUP does the same.
    #[cfg(unix)]
    Reload {
        #[command(flatten)]
        which: control::Which,
        /// Only say what would be changed.
        #[arg(long)]
        dry_run: bool,
    },
    /// Look at plugins, and let newer builds take over.
    #[command(subcommand)]
    Plugin(plugin::PluginVerb),
    #[cfg(unix)]
    PluginHost(plugin_host::PluginHost),
    Client(patchbay_client::Client),
    /// Print what a shell needs to complete `patchbay` with the Tab key.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all verbs into a folder.
    Man {
        /// The folder; it must exist.
        #[arg(value_hint = clap::ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

#[derive(Args)]
struct ConfigFile {
    /// The configuration file (TOML).
    file: PathBuf,
}

impl Cli {
    /// Does what was said.
    pub fn run(self) -> ExitCode {
        let exit = match self.verb {
            Verb::Run(config) => run::run(&config.file),
            Verb::Check { config, offline } => check::check(&config.file, offline),
            Verb::Explain { key: None, .. } => pages::reference(),
            Verb::Explain {
                key: Some(key),
                file,
            } => explain::run(&key, file.as_deref()),
            Verb::Schema { folders } => schema::run(&folders),
            Verb::Init { file } => init::run(file.as_deref()),
            #[cfg(unix)]
            Verb::Status { which, watch } => status::status(&which, watch),
            #[cfg(unix)]
            Verb::Sessions { which } => control::sessions(&which),
            #[cfg(unix)]
            Verb::Route {
                frontend,
                backend,
                when_idle: false,
                which,
                ..
            } => control::route(&which, frontend, backend),
            #[cfg(unix)]
            Verb::Route {
                frontend,
                backend,
                no_wait,
                which,
                ..
            } => when_idle::route(&which, &frontend, &backend, !no_wait),
            #[cfg(unix)]
            Verb::Restart { instance, which } => control::restart(&which, instance),
            Verb::Audit(wanted) => audit::run(&wanted),
            Verb::User(verb) => verb.run(),
            #[cfg(unix)]
            Verb::LogLevel(said) => said.run(),
            #[cfg(unix)]
            Verb::Trace(trace) => trace.run(),
            #[cfg(unix)]
            Verb::Reload { which, dry_run } => control::reload(&which, dry_run),
            Verb::Plugin(verb) => verb.run(),
            #[cfg(unix)]
            Verb::PluginHost(host) => host.run(),
            Verb::Client(client) => return client.run(),
            Verb::Completions { shell } => pages::completions(shell),
            Verb::Man { folder } => pages::man(folder.as_deref()),
        };
        exit.into()
    }
}

/// Reads a configuration; its mistakes, or its warnings, go to standard error.
fn load(file: &Path, catalog: &Catalog) -> Result<Checked, Exit> {
    shown(crate::config::load(file, catalog))
}

fn shown(loaded: Result<Checked, Mistakes>) -> Result<Checked, Exit> {
    let (said, loaded) = match loaded {
        Ok(checked) => (checked.warnings.clone(), Ok(checked)),
        Err(mistakes) => (mistakes, Err(Exit::Configuration)),
    };
    show(&said);
    loaded
}

fn show(mistakes: &Mistakes) {
    if !mistakes.is_empty() {
        eprintln!("{}", mistakes.render(colours()));
    }
}

/// Whether standard error may be coloured.
fn colours() -> bool {
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
