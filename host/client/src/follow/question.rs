//! What somebody at the terminal can be asked while a script is watched.

use std::io::stdin;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::Prompt;
use crate::screen::{STRONG, WARN, clean, paint};
use crate::unix;

/// A question that waits for a line.
#[derive(Debug)]
pub(super) enum Question {
    /// Ctrl-C was pressed; so many other scripts wait.
    WhatNow { waiting: usize },
    /// The script asks.
    Script(Prompt),
}

impl Question {
    /// As it is asked.
    pub(super) fn text(&self) -> String {
        match self {
            Self::WhatNow { waiting } => {
                let others = match waiting {
                    0 => String::new(),
                    1 => " (NICOS then also removes the script that waits)".to_owned(),
                    count => format!(" (NICOS then also removes the {count} scripts that wait)"),
                };
                let question = format!(
                    "Stop the script [s]{others}, only stop watching [w], or go on [Enter]?"
                );
                paint(STRONG, question)
            }
            Self::Script(prompt) => ask(prompt),
        }
    }
}

fn ask(prompt: &Prompt) -> String {
    let mut text = format!("The script asks: {}", clean(&prompt.text));
    for (index, choice) in prompt.choices.iter().flatten().enumerate() {
        text += &format!("\n  {}  {}", index + 1, clean(&word(choice)));
    }
    text += &match (prompt.input, &prompt.default) {
        (false, _) => " [Enter goes on]".to_owned(),
        (true, Some(default)) => format!(" [{}]", clean(&word(default))),
        (true, None) => String::new(),
    };
    paint(WARN, text)
}

/// The line that somebody types within so long, if there is one; `None` inside at the end of all input.
pub(super) fn typed(within: Duration) -> Option<Option<String>> {
    if !unix::input_waits(within) {
        return None;
    }
    let mut line = String::new();
    match stdin().read_line(&mut line) {
        Ok(0) | Err(_) => Some(None),
        Ok(_) => Some(Some(line.trim().to_owned())),
    }
}

/// The arguments of `answer` for what somebody has typed.
///
/// # Errors
/// A sentence, when that is no answer.
pub(crate) fn answer_to(prompt: &Prompt, typed: &str) -> Result<Value, String> {
    let mut args = json!({"prompt": prompt.prompt});
    match (prompt.input, typed) {
        (false, "") => return Ok(args),
        (false, _) => return Err("it only asks whether to go on; give no value".to_owned()),
        (true, "") if prompt.default.is_some() => return Ok(args),
        (true, "") => return Err("a value is needed".to_owned()),
        (true, _) => {}
    }
    args["value"] = match &prompt.choices {
        None => typed.into(),
        Some(choices) => choose(choices, typed)?,
    };
    Ok(args)
}

/// By its text, or by its number in the list.
fn choose(choices: &[Value], typed: &str) -> Result<Value, String> {
    let by_text = choices.iter().find(|choice| word(choice) == typed);
    let number = typed.parse::<usize>().ok();
    let by_number = || choices.get(number?.checked_sub(1)?);
    by_text.or_else(by_number).cloned().ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(word).collect();
        format!("it must be one of: {}", words.join(", "))
    })
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(fields: Value) -> Prompt {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn a_value_is_wanted_or_not() {
        let go_on = prompt(json!({"prompt": "1", "text": "Ready?"}));
        assert_eq!(answer_to(&go_on, "").unwrap(), json!({"prompt": "1"}));
        assert!(answer_to(&go_on, "yes").is_err());
        let value = prompt(json!({"prompt": "1", "text": "Angle?", "input": true}));
        assert!(answer_to(&value, "").is_err());
        assert_eq!(answer_to(&value, "3.5").unwrap()["value"], "3.5");
        let usual = prompt(json!({"prompt": "1", "input": true, "default": 7}));
        assert_eq!(answer_to(&usual, "").unwrap(), json!({"prompt": "1"}));
    }

    #[test]
    fn a_choice_is_said_by_its_text_or_its_number() {
        let choice = prompt(json!({"prompt": "1", "input": true, "choices": ["up", "down", 1]}));
        let value = |typed| answer_to(&choice, typed).map(|args| args["value"].clone());
        assert_eq!(value("down").unwrap(), "down");
        assert_eq!(value("2").unwrap(), "down");
        assert_eq!(value("1").unwrap(), 1);
        assert!(value("4").unwrap_err().contains("up, down, 1"));
        assert!(value("0").is_err());
    }
}
