//! The log on standard error: the host's own lines, and those that plugins send.

use crate::config::{LogFormat, LogLevel};
use patchbay_abi::head;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines that wait for a slow reader of standard error; more are dropped and counted.
const WAITING: usize = 8192;

/// The log, until it is dropped: then what waits is written, for a second at most.
pub struct Log {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

impl Log {
    /// Lines that could not be written because nobody read standard error.
    pub fn dropped(&self) -> Dropped {
        Dropped(self.dropped.clone())
    }
}

/// Counts the lines that could not be written because nobody read standard error.
#[derive(Clone)]
pub struct Dropped(ErrorCounter);

impl Dropped {
    /// How many there are, since the start.
    pub fn lines(&self) -> usize {
        self.0.dropped_lines()
    }
}

/// Begins to log. Whoever speaks is never held up by whoever reads. A second call changes nothing.
pub fn start(level: LogLevel, format: LogFormat) -> Log {
    let terminal = std::io::stderr().is_terminal();
    let pretty = match format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .finish(std::io::stderr());
    let dropped = writer.error_counter();
    let lines = fmt::layer().with_writer(writer).with_target(false);
    LEVEL.store(level as u8, Ordering::Relaxed);
    // Lines of plugins were filtered where they were said, each by its instance's own level.
    let filter =
        filter_fn(|line| line.target() == PLUGIN || *line.level() <= filter_of(host_level()));
    let registry = tracing_subscriber::registry();
    let started = match pretty {
        true => registry
            .with(lines.with_ansi(colours(terminal)).with_filter(filter))
            .try_init(),
        false => registry
            .with(lines.json().flatten_event(true).with_filter(filter))
            .try_init(),
    };
    if started.is_err() {
        tracing::debug!("a log was there already");
    }
    Log {
        _writer: guard,
        dropped,
    }
}

/// The host's own level; the process has one log.
static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);

/// The least severe of the host's own lines that are logged.
pub fn host_level() -> LogLevel {
    let now = LEVEL.load(Ordering::Relaxed);
    let known = LogLevel::OPTIONS.iter().map(|(_, level)| *level);
    known
        .into_iter()
        .find(|level| *level as u8 == now)
        .unwrap_or(LogLevel::Info)
}

/// Changes that while everything runs.
pub fn set_host_level(level: LogLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    // Each place that logs has noted for itself whether anybody wants to hear it.
    tracing::callsite::rebuild_interest_cache();
}

/// The level of that name.
///
/// # Errors
/// A sentence that names those that there are.
pub fn level_of(name: &str) -> Result<LogLevel, String> {
    let found = LogLevel::OPTIONS.iter().find(|(known, _)| *known == name);
    found.map(|(_, level)| *level).ok_or_else(|| {
        let known: Vec<&str> = LogLevel::OPTIONS.iter().map(|(known, _)| *known).collect();
        format!(
            "there is no level `{name}`; there are: {}",
            known.join(", ")
        )
    })
}

fn colours(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// The name of a level as it crosses the boundary.
pub fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

const PLUGIN: &str = "plugin";

/// Numbers of the host, by which lines of host, frontend and backend belong together.
const REQUEST: &str = "request";
const SESSION: &str = "session";

/// Logs what a plugin says, under its instance's name.
pub fn plugin_line(instance: &str, line: &head::Log) {
    let said = said(line);
    let number = |name: &str| {
        let field = line.fields.iter().find(|(known, _)| known == name);
        field.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let (request, session) = (number(REQUEST), number(SESSION));
    macro_rules! say {
        ($level:ident) => {
            tracing::$level!(target: PLUGIN, instance, request, session, module = line.target, at = line.at, "{said}")
        };
    }
    match line.level.as_str() {
        "error" => say!(error),
        "warn" => say!(warn),
        "info" => say!(info),
        "debug" => say!(debug),
        _ => say!(trace),
    }
}

/// The text with its fields behind it; control characters made visible, so that a peer's bytes
/// cannot forge lines or colour the terminal.
fn said(line: &head::Log) -> String {
    let fields = line
        .fields
        .iter()
        .filter(|field| !is_number(field))
        .map(|(name, value)| format!(" {name}={value}"));
    let whole = std::iter::once(line.message.clone())
        .chain(fields)
        .collect::<String>();
    whole.chars().flat_map(visible).collect()
}

/// Whether a field stands for itself in the line.
fn is_number((name, value): &(String, String)) -> bool {
    (name == REQUEST || name == SESSION) && value.parse::<u64>().is_ok()
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_bytes_cannot_forge_a_line() {
        let line = head::Log {
            level: "info".into(),
            target: String::new(),
            at: String::new(),
            fields: vec![("user".into(), "x\nERROR all is lost\u{1b}[31m".into())],
            message: "logged in".into(),
        };
        assert_eq!(
            said(&line),
            r"logged in user=x\nERROR all is lost\u{1b}[31m"
        );
    }
}
