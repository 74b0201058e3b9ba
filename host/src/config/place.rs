//! Places in a configuration file, each with the line it quotes. What is secret is not quoted.

use std::ops::Range;

use zeroize::Zeroizing;

use super::mistake::Span;

/// Stands in quoted lines for a secret of any length.
const HIDDEN: &str = "\"…\"";

/// A place in the file and the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters of `text`.
    pub column: usize,
    /// The line, without its end, secrets cut out.
    pub text: String,
    /// The bytes of `text` that are meant.
    pub marked: Range<usize>,
}

/// The text of the file and the parts of it that must not be quoted.
pub(super) struct Lines {
    text: Zeroizing<String>,
    /// Sorted, not overlapping.
    hidden: Vec<Span>,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str, mut hidden: Vec<Span>) -> Self {
        hidden.sort_by_key(|span| span.start);
        hidden.dedup_by(|later, earlier| {
            let overlap = later.start < earlier.end;
            earlier.end = if overlap {
                earlier.end.max(later.end)
            } else {
                earlier.end
            };
            overlap
        });
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            text: Zeroizing::new(text.to_owned()),
            hidden,
            starts,
        }
    }

    /// The place a span begins at. What of it is in later lines is left out.
    pub(super) fn place(&self, span: Span) -> Place {
        let index = self
            .starts
            .partition_point(|start| *start <= span.start)
            .saturating_sub(1);
        let line = self.line(index);
        let text = self.quotable(&line);
        let marked = self.moved(&line, span.start)..self.moved(&line, span.end.max(span.start));
        let column = text
            .get(..marked.start)
            .map_or(1, |before| before.chars().count() + 1);
        Place {
            line: index + 1,
            column,
            text,
            marked,
        }
    }

    fn line(&self, index: usize) -> Span {
        let start = self.starts.get(index).copied().unwrap_or(0);
        let next = self
            .starts
            .get(index + 1)
            .map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..next).unwrap_or_default();
        start..start + text.trim_end_matches('\r').len()
    }

    /// The hidden parts of a line, cut to it.
    fn hidden_in(&self, line: &Span) -> impl Iterator<Item = Span> {
        let first = self.hidden.partition_point(|span| span.end <= line.start);
        let later = self.hidden.get(first..).unwrap_or_default().iter();
        let within = later.take_while(|span| span.start < line.end);
        within.map(|span| span.start.max(line.start)..span.end.min(line.end))
    }

    fn quotable(&self, line: &Span) -> String {
        let mut text = String::new();
        let mut from = line.start;
        for hidden in self.hidden_in(line) {
            text.push_str(self.text.get(from..hidden.start).unwrap_or_default());
            text.push_str(HIDDEN);
            from = hidden.end;
        }
        text.push_str(self.text.get(from..line.end).unwrap_or_default());
        text
    }

    /// Where a byte of the file is found in the line as quoted.
    fn moved(&self, line: &Span, at: usize) -> usize {
        let at = self.char_start(at.clamp(line.start, line.end));
        let mut moved = at - line.start;
        for hidden in self.hidden_in(line).take_while(|hidden| hidden.start < at) {
            moved += HIDDEN.len();
            moved -= hidden.end.min(at) - hidden.start;
        }
        moved
    }

    fn char_start(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}
