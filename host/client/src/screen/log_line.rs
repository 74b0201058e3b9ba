//! A message of the script server, as people read it.

use super::{BAD, DIM, WARN, clean, paint};
use crate::model::LogLine;

/// One or more lines; with the hour if `now` is given.
pub(crate) fn log_line(line: &LogLine, now: Option<f64>) -> String {
    let text = clean(&line.text);
    let trace = line.traceback.as_deref().map(clean);
    // The last line of a traceback is what the message says already.
    let text = match line.level.as_str() {
        "error" => paint(BAD, format_args!("error: {text}")),
        "warning" => paint(WARN, format_args!("warning: {text}")),
        "input" | "action" | "debug" => paint(DIM, text),
        _ => text.into_owned(),
    };
    let clock = now.map(|now| paint(DIM, super::time::clock(line.time, now)) + "  ");
    let mut shown = clock.unwrap_or_default() + &text;
    for trace in trace.iter().flat_map(|trace| trace.trim_end().lines()) {
        shown += &paint(DIM, format_args!("\n    {trace}"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_said_to_be_one_and_shows_where_it_was_raised() {
        let line = LogLine {
            level: "error".into(),
            text: "no\u{1b}".into(),
            traceback: Some("Traceback:\n  line 3\n".into()),
            ..LogLine::default()
        };
        let shown = anstream::adapter::strip_str(&log_line(&line, None)).to_string();
        assert_eq!(shown, "error: no␛\n    Traceback:\n      line 3");
    }
}
