//! What a plugin says by `tracing`, and what it says when it panics, arrives in the host's log.
//!
//! The instances of one plugin file share its subscriber and its panic hook; which of them speaks
//! is known by the thread.

use patchbay_abi::{Kind, Message, Port, head};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// No line is longer than this, in bytes; the rest is cut off.
const LONGEST: usize = 16 * 1024;

/// The most that any instance of this file wants to say; what callsites go by.
static MOST: AtomicU8 = AtomicU8::new(INFO);
/// What each instance of this file wants to say.
static LEVELS_OF_ALL: Mutex<Vec<Weak<AtomicU8>>> = Mutex::new(Vec::new());
static INSTALL: Once = Once::new();

thread_local! {
    static SPEAKER: RefCell<Option<Voice>> = const { RefCell::new(None) };
}

/// Where the threads of an instance speak to.
#[derive(Clone)]
pub(crate) struct Voice {
    host: Port,
    level: Arc<AtomicU8>,
}

impl Voice {
    pub(crate) fn new(host: Port) -> Self {
        INSTALL.call_once(install);
        let level = Arc::new(AtomicU8::new(INFO));
        levels_of_all().push(Arc::downgrade(&level));
        Voice { host, level }
    }

    /// Changes what this instance says, while it runs.
    pub(crate) fn set_level(&self, name: &str) {
        let number = LEVELS.iter().position(|level| *level == name);
        let number = number.map_or(INFO, |number| number as u8);
        self.level.store(number, Ordering::Relaxed);
        let most = {
            let mut all = levels_of_all();
            all.retain(|level| level.strong_count() > 0);
            let each = all.iter().filter_map(Weak::upgrade);
            each.map(|level| level.load(Ordering::Relaxed)).max()
        };
        let most = most.unwrap_or(INFO);
        if MOST.swap(most, Ordering::Relaxed) != most {
            // Each place that logs has noted for itself whether anybody wants to hear it.
            tracing::callsite::rebuild_interest_cache();
        }
    }

    fn says(&self, level: &tracing::Level) -> bool {
        *level <= filter(&self.level)
    }

    fn say(&self, line: &head::Log) {
        self.host.deliver(Message::new(Kind::LOG, 0, line));
    }
}

/// A panic elsewhere leaves the list whole.
fn levels_of_all() -> MutexGuard<'static, Vec<Weak<AtomicU8>>> {
    LEVELS_OF_ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the current thread says from now on comes from that instance.
pub(crate) fn speak_as(voice: &Voice) {
    SPEAKER.with(|speaker| *speaker.borrow_mut() = Some(voice.clone()));
}

fn with_speaker(say: impl FnOnce(&Voice)) -> bool {
    // A thread that is being torn down, or speaks while it speaks, has no voice.
    let voice =
        SPEAKER.try_with(|speaker| speaker.try_borrow().ok().and_then(|voice| voice.clone()));
    match voice {
        Ok(Some(voice)) => {
            say(&voice);
            true
        }
        _ => false,
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
const INFO: u8 = 3;

fn filter(level: &AtomicU8) -> LevelFilter {
    match level.load(Ordering::Relaxed) {
        0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

fn install() {
    let subscriber = tracing_subscriber::registry().with(ToHost);
    // Where a program of the author's own, a test say, has a subscriber already, that one stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let line = head::Log {
            level: "error".into(),
            target: "panic".into(),
            at: info.location().map(ToString::to_string).unwrap_or_default(),
            fields: fields_around(),
            message: format!(
                "panicked: {}",
                info.payload_as_str().unwrap_or("no message")
            ),
        };
        let heard = with_speaker(|voice| {
            voice.say(&line);
            let head = head::Metric::counted("panics", 1);
            voice.host.deliver(Message::new(Kind::METRIC, 0, &head));
        });
        if !heard {
            before(info);
        }
    }));
}

/// The fields of the spans in which the current thread is.
fn fields_around() -> Vec<(String, String)> {
    let found = Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        let mut around = Vec::new();
        for span in span.scope().from_root() {
            if let Some(said) = span.extensions().get::<Said>() {
                around.extend(said.texts());
            }
        }
        Some(around)
    });
    found.flatten().unwrap_or_default()
}

/// The layer that hands events over.
struct ToHost;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= filter(&MOST)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(filter(&MOST))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id) {
            let mut said = Said::default();
            attributes.record(&mut said);
            span.extensions_mut().insert(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut wanted = false;
        with_speaker(|voice| wanted = voice.says(event.metadata().level()));
        if !wanted {
            return;
        }
        let mut said = Said::default();
        for span in cx
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(of_span) = span.extensions().get::<Said>() {
                said.fields.extend(of_span.fields.iter().cloned());
            }
        }
        event.record(&mut said);
        let metadata = event.metadata();
        let line = head::Log {
            level: metadata.level().as_str().to_ascii_lowercase(),
            target: metadata.target().to_owned(),
            at: place(metadata),
            fields: said.texts().collect(),
            message: said.message,
        };
        with_speaker(|voice| voice.say(&line));
    }
}

fn place(metadata: &Metadata<'_>) -> String {
    match (metadata.file(), metadata.line()) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => String::new(),
    }
}

/// The text and the fields of an event or a span.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

/// Each call has a span, but seldom a line in the log: its numbers become text only then.
#[derive(Clone)]
enum Value {
    Number(u64),
    Text(String),
}

impl Said {
    fn note(&mut self, field: &Field, mut value: String) {
        let cut = value.floor_char_boundary(LONGEST);
        value.truncate(cut);
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name, Value::Text(value))),
        }
    }

    fn texts(&self) -> impl Iterator<Item = (String, String)> {
        self.fields.iter().map(|(name, value)| {
            let text = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => text.clone(),
            };
            ((*name).to_owned(), text)
        })
    }
}

impl Visit for Said {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "message" => self.message = value.to_string(),
            name => self.fields.push((name, Value::Number(value))),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.note(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.note(field, value.to_string());
    }
}
