//! What the gateway publishes while a script runs, as lines for people.

use serde::Deserialize;
use serde_json::Value;

/// A message of the topics `ss_admin.events.…`.
#[derive(Debug, Deserialize)]
pub struct Update {
    kind: String,
    job: Option<String>,
    body: Value,
}

impl Update {
    /// Reads a message's text; `None` when it is no update.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it concerns that job, or no job in particular.
    pub fn concerns(&self, job: &str) -> bool {
        self.job.as_deref().is_none_or(|own| own == job)
    }

    /// Whether it concerns that job, and says so.
    pub fn is_of(&self, job: &str) -> bool {
        self.job.as_deref() == Some(job)
    }

    /// What a script has printed.
    pub fn output(&self) -> Option<&str> {
        let is_output = self.kind == "log" && self.text("level") == Some("info");
        self.text("text").filter(|_| is_output).map(str::trim_end)
    }

    /// Whether it says that `job` is over; with the outcome as the gateway names it.
    pub fn end_of(&self, job: &str) -> Option<&str> {
        let is_end = self.kind == "job" && self.text("state") == Some("finished");
        (is_end && self.is_of(job)).then(|| self.text("outcome").unwrap_or("unknown"))
    }

    /// The line to show, if it says something to people.
    pub fn line(&self) -> Option<String> {
        match self.kind.as_str() {
            "log" => self.log_line(),
            "job" => self.job_line(),
            "state" => self
                .body
                .get("line")?
                .as_i64()
                .filter(|&line| line > 0)
                .map(at_line),
            _ => None,
        }
    }

    fn log_line(&self) -> Option<String> {
        let text = self.text("text")?.trim_end();
        match self.text("level") {
            Some("warning" | "error") => Some(format!("  ! {text}")),
            // Transient, and the script's own text.
            Some("action" | "input" | "debug") => None,
            _ => Some(format!("  | {text}")),
        }
    }

    fn job_line(&self) -> Option<String> {
        match self.text("state")? {
            "progress" => self
                .body
                .get("line")?
                .as_i64()
                .filter(|&line| line > 0)
                .map(at_line),
            "finished" => Some(format!(
                "  . finished: {}",
                self.text("outcome").unwrap_or("unknown")
            )),
            state => Some(format!("  . {state}")),
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }
}

fn at_line(line: i64) -> String {
    format!("  > line {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(kind: &str, body: &str) -> Update {
        let text = format!(
            r#"{{"epoch":"e","seq":1,"time":1.5,"kind":"{kind}","job":"j","body":{body}}}"#
        );
        Update::parse(&text).unwrap()
    }

    #[test]
    fn output_is_shown_and_the_scripts_own_text_is_not() {
        let line =
            |level: &str| update("log", &format!(r#"{{"level":"{level}","text":"hi\n"}}"#)).line();
        assert_eq!(line("info").as_deref(), Some("  | hi"));
        assert_eq!(line("error").as_deref(), Some("  ! hi"));
        assert_eq!(line("input"), None);
    }

    #[test]
    fn the_line_under_way_is_shown() {
        assert_eq!(
            update("state", r#"{"run":"running","line":3}"#)
                .line()
                .as_deref(),
            Some("  > line 3")
        );
        assert_eq!(
            update("state", r#"{"run":"idle","line":null}"#).line(),
            None
        );
    }

    #[test]
    fn a_job_ends_with_its_own_finished_event() {
        let end = update("job", r#"{"state":"finished","outcome":"failed"}"#);
        assert_eq!(end.end_of("j"), Some("failed"));
        assert_eq!(end.end_of("another"), None);
        assert_eq!(update("job", r#"{"state":"started"}"#).end_of("j"), None);
    }

    #[test]
    fn what_is_no_update_is_none() {
        assert!(Update::parse("hello").is_none());
    }
}
