//! A message of the script server, as people read it.

use super::{BAD, DIM, WARN, clean, paint};
use patchbay_sdk::model::{Level, LogLine};

/// One or more lines; with the hour if `now` is given.
pub(crate) fn log_line(line: &LogLine, now: Option<f64>) -> String {
    let text = clean(&line.text);
    let text = match line.level {
        Level::Error => paint(BAD, format_args!("error: {text}")),
        Level::Warning => paint(WARN, format_args!("warning: {text}")),
        // The text of a script; which one it is says enough.
        Level::Input => paint(DIM, text.lines().next().unwrap_or_default()),
        Level::Action | Level::Debug => paint(DIM, text),
        Level::Info => text.into_owned(),
    };
    let clock = now.map(|now| paint(DIM, super::time::clock(line.time, now)) + "  ");
    let mut shown = clock.unwrap_or_default() + &text;
    let trace = line.traceback.as_deref().map(clean).unwrap_or_default();
    for line in of_script(&trace) {
        shown += &paint(DIM, format_args!("\n    {line}"));
    }
    shown
}

/// The lines of a traceback that are about the script itself: what is around it in the server helps nobody who wrote it.
fn of_script(trace: &str) -> Vec<&str> {
    const SCRIPT: &str = "File \"<script>\"";
    if !trace.contains(SCRIPT) {
        return trace.trim_end().lines().collect();
    }
    let mut is_script = false;
    let lines = trace.lines().skip(1).filter(|line| {
        let text = line.trim_start();
        if text.starts_with("File \"") {
            is_script = text.starts_with(SCRIPT);
        }
        let is_error = text.len() == line.len() && !text.is_empty();
        is_error || is_script
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(level: Level, text: &str, traceback: Option<&str>) -> String {
        let line = LogLine {
            level,
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
        let shown = plain(Level::Error, "no\u{1b}", Some(trace));
        let meant = "error: no␛\n      File \"<script>\", line 3\n        1/0\n    Oops";
        assert_eq!(shown, meant);
        assert_eq!(
            plain(Level::Warning, "hot", Some("all")),
            "warning: hot\n    all"
        );
    }

    #[test]
    fn of_a_scripts_text_only_its_title_is_shown() {
        assert_eq!(
            plain(Level::Input, ">>> scan.py\ncount(1)\n---", None),
            ">>> scan.py"
        );
    }
}
