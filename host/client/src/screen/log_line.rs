//! A message of the script server, as people read it.

use super::{BAD, DIM, WARN, clean, paint};
use crate::model::LogLine;

/// One or more lines; with the hour if `now` is given.
pub(crate) fn log_line(line: &LogLine, now: Option<f64>) -> String {
    let text = clean(&line.text);
    let text = match line.level.as_str() {
        "error" => paint(BAD, format_args!("error: {text}")),
        "warning" => paint(WARN, format_args!("warning: {text}")),
        // The text of a script; which one it is says enough.
        "input" => paint(DIM, text.lines().next().unwrap_or_default()),
        "action" | "debug" => paint(DIM, text),
        _ => text.into_owned(),
    };
    let clock = now.map(|now| paint(DIM, super::time::clock(line.time, now)) + "  ");
    let mut shown = clock.unwrap_or_default() + &text;
    let trace = line.traceback.as_deref().map(clean);
    for line in trace.iter().flat_map(|trace| of_script(trace).lines()) {
        shown += &paint(DIM, format_args!("\n    {line}"));
    }
    shown
}

/// The part of a traceback that is in the script itself: what is below it in the server helps nobody who wrote it.
fn of_script(trace: &str) -> &str {
    let begin = trace.find("File \"<script>\"").unwrap_or(0);
    trace[begin..].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(level: &str, text: &str, traceback: Option<&str>) -> String {
        let line = LogLine {
            level: level.into(),
            text: text.into(),
            traceback: traceback.map(String::from),
            ..LogLine::default()
        };
        anstream::adapter::strip_str(&log_line(&line, None)).to_string()
    }

    #[test]
    fn an_error_is_said_to_be_one_and_shows_where_in_the_script_it_was_raised() {
        let trace =
            "Traceback:\n  File \"server.py\"\n  File \"<script>\", line 3\n    1/0\nOops\n";
        let shown = plain("error", "no\u{1b}", Some(trace));
        let meant = "error: no␛\n    File \"<script>\", line 3\n        1/0\n    Oops";
        assert_eq!(shown, meant);
        assert_eq!(
            plain("warning", "hot", Some("all")),
            "warning: hot\n    all"
        );
    }

    #[test]
    fn of_a_scripts_text_only_its_title_is_shown() {
        assert_eq!(
            plain("input", ">>> scan.py\ncount(1)\n---", None),
            ">>> scan.py"
        );
    }
}
