//! Mistakes in a configuration: noted one by one, handed over all at once.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::place::{Lines, Place};

/// Bytes of the configuration's text.
pub(super) type Span = Range<usize>;

/// More are counted but not described: nobody reads the hundredth, and a hostile file could have a million.
const DESCRIBED: usize = 100;

/// Everything that is wrong with a configuration, in the order of the file.
///
/// Secrets of the file are not in here: they are cut out of the quoted lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes {
    pub(super) file: PathBuf,
    pub(super) list: Vec<Mistake>,
    /// Beyond those in `list`.
    pub(super) undescribed: usize,
}

/// One thing that is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Whether the configuration cannot be used because of it.
    pub severity: Severity,
    /// What is wrong: one line.
    pub message: String,
    /// What the caret points out, in a few words; may be empty.
    pub label: String,
    /// What would be right; each one a line or more.
    pub help: Vec<String>,
    /// Where; `None` if it is nowhere in particular, for example that something is missing.
    pub place: Option<Place>,
}

/// Whether a mistake makes a configuration unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Unusable.
    Error,
    /// Usable, but probably not meant.
    Warning,
}

impl Mistakes {
    /// The one mistake that keeps a file from being looked at at all.
    pub(super) fn only(file: &Path, message: String, help: &str) -> Self {
        let mistake = Mistake {
            severity: Severity::Error,
            message,
            label: String::new(),
            help: vec![help.to_owned()],
            place: None,
        };
        Self {
            file: file.to_owned(),
            list: vec![mistake],
            undescribed: 0,
        }
    }

    /// Those that are described (at most 100).
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.list.iter()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of them are of this severity; those beyond the described ones are not counted.
    pub fn count(&self, severity: Severity) -> usize {
        self.list
            .iter()
            .filter(|mistake| mistake.severity == severity)
            .count()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

/// A mistake that is being described; [`Findings::note`] takes it when it is complete.
pub(super) struct Note {
    severity: Severity,
    message: String,
    label: String,
    help: Vec<String>,
    span: Option<Span>,
}

impl Note {
    pub(super) fn error(message: impl Into<String>) -> Self {
        let (label, help) = (String::new(), Vec::new());
        Self {
            severity: Severity::Error,
            message: message.into(),
            label,
            help,
            span: None,
        }
    }

    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// Points at a place of the file.
    pub(super) fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Says what would be right. Empty help is no help.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        let help = help.into();
        if !help.is_empty() {
            self.help.push(help);
        }
        self
    }
}

/// Takes down what is found to be wrong while a file is looked through.
pub(super) struct Findings {
    file: PathBuf,
    lines: Lines,
    list: RefCell<Vec<(usize, Mistake)>>,
    errors: Cell<usize>,
    undescribed: Cell<usize>,
}

impl Findings {
    /// `lines` are those that may be quoted.
    pub(super) fn new(file: &Path, lines: Lines) -> Self {
        let (errors, undescribed) = (Cell::new(0), Cell::new(0));
        Self {
            file: file.to_owned(),
            lines,
            list: RefCell::default(),
            errors,
            undescribed,
        }
    }

    pub(super) fn note(&self, note: Note) {
        if note.severity == Severity::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let mut list = self.list.borrow_mut();
        if list.len() >= DESCRIBED {
            return self.undescribed.set(self.undescribed.get() + 1);
        }
        let order = note.span.as_ref().map_or(usize::MAX, |span| span.start);
        list.push((order, self.place(note)));
    }

    fn place(&self, note: Note) -> Mistake {
        let Note {
            severity,
            message,
            label,
            help,
            span,
        } = note;
        let place = span.map(|span| self.lines.place(span));
        Mistake {
            severity,
            message,
            label,
            help,
            place,
        }
    }

    /// Whether a further note would only be counted, so that it need not be worded.
    pub(super) fn is_full(&self) -> bool {
        self.list.borrow().len() >= DESCRIBED
    }

    /// Errors so far, without warnings.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// The line a span begins in, from 1.
    pub(super) fn line(&self, span: &Span) -> usize {
        self.lines.place(span.clone()).line
    }

    /// All of them, in the order of the file; those without a place last.
    pub(super) fn finish(self) -> Mistakes {
        let mut list = self.list.into_inner();
        list.sort_by_key(|(order, _)| *order);
        // A schema can refuse one value for two reasons that come to the same words.
        list.dedup_by(|(_, b), (_, a)| a.message == b.message && a.place == b.place);
        let list = list.into_iter().map(|(_, mistake)| mistake).collect();
        Mistakes {
            file: self.file,
            list,
            undescribed: self.undescribed.get(),
        }
    }
}
