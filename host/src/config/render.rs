//! Mistakes as text: a headline, the line with a caret, and what would be right.

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};

use super::mistake::{Mistake, Mistakes, Severity};
use super::place::Place;

impl Mistakes {
    /// All of them for a person to read, with a summary at the end; empty if there are none.
    /// `colours` adds ANSI colours; ask for them only on a terminal.
    pub fn render(&self, colours: bool) -> String {
        if self.is_empty() {
            return String::new();
        }
        let renderer = if colours {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let file = normalize_untrusted_str(&self.file.display().to_string());
        let mut text = String::new();
        for mistake in &self.list {
            text.push_str(&renderer.render(&[group(mistake, &file)]));
            text.push_str("\n\n");
        }
        text.push_str(&format!("{file}: {}\n", self.summary()));
        text
    }

    fn summary(&self) -> String {
        let counts = [
            counted(self.count(Severity::Error), "mistake"),
            counted(self.count(Severity::Warning), "warning"),
            (self.undescribed > 0).then(|| format!("and {} more", self.undescribed)),
        ];
        counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    }
}

fn group<'a>(mistake: &'a Mistake, file: &'a str) -> Group<'a> {
    let level = match mistake.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(mistake.message.as_str());
    let group = match &mistake.place {
        Some(place) => title.element(snippet(place, &mistake.label, file)),
        None => title.element(Origin::path(file)),
    };
    let help = mistake
        .help
        .iter()
        .map(|help| Level::HELP.message(tame(help)));
    group.elements(help)
}

fn snippet<'a>(
    place: &'a Place,
    label: &'a str,
    file: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut caret = AnnotationKind::Primary.span(place.marked.clone());
    if !label.is_empty() {
        caret = caret.label(tame(label));
    }
    Snippet::source(place.text.as_str())
        .path(file)
        .line_start(place.line)
        .annotation(caret)
}

/// Takes control characters out of a text of one or more lines.
fn tame(text: &str) -> String {
    text.lines()
        .map(normalize_untrusted_str)
        .collect::<Vec<_>>()
        .join("\n")
}
