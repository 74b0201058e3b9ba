//! What the IBEX client of 2017 makes of an answer.

use serde_json::Value;

/// The password that every IBEX client sends, whoever uses it.
pub const IBEX_PASSWORD: &str = "c2ba1bbb1d5bcc3e2bb6be3f0a0e9d4f8e7a6b51";

const UNREADABLE: &str = "Error converting message from the script server.";

/// What a person at the IBEX client sees after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IbexSees {
    /// The login was accepted, or the script was sent.
    Accepted,
    /// Neither, with this text.
    Refused(String),
}

impl IbexSees {
    /// Reads an answer's text as that client does.
    pub fn of_answer(text: &str) -> Self {
        if text.is_empty() || text == "null" {
            return Self::Refused("Blank message sent from the script server.".into());
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(answer)) => Self::of_fields(
                answer.get("success"),
                answer.get("payload").unwrap_or(&Value::Null),
            ),
            _ => Self::Refused(UNREADABLE.into()),
        }
    }

    fn of_fields(success: Option<&Value>, payload: &Value) -> Self {
        let success = match success {
            None | Some(Value::Null) => false,
            Some(Value::Bool(success)) => *success,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(_) => return Self::Refused(UNREADABLE.into()),
        };
        match (success, payload) {
            (_, Value::Array(_)) => Self::Refused(UNREADABLE.into()),
            (_, Value::Object(fields)) if !has_good_level(fields.get("user_level")) => {
                Self::Refused(UNREADABLE.into())
            }
            (true, _) => Self::Accepted,
            (false, Value::String(text)) => Self::Refused(text.clone()),
            (false, Value::Object(_)) => Self::Refused("Initial connect".into()),
            (false, other) => Self::Refused(other.to_string()),
        }
    }
}

fn has_good_level(level: Option<&Value>) -> bool {
    match level {
        None | Some(Value::Null) => true,
        Some(Value::Number(level)) => level.is_i64(),
        Some(Value::String(level)) => level.parse::<i32>().is_ok(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> IbexSees {
        IbexSees::Refused(text.into())
    }

    #[test]
    fn success_is_accepted_with_any_payload_but_a_list() {
        for payload in ["null", "\"id\"", "5", "true", "{}", r#"{"user_level":20}"#] {
            let answer = format!(r#"{{"success":true,"payload":{payload}}}"#);
            assert_eq!(IbexSees::of_answer(&answer), IbexSees::Accepted, "{answer}");
        }
        assert_eq!(
            IbexSees::of_answer(r#"{"payload":[],"success":true}"#),
            refused(UNREADABLE)
        );
    }

    #[test]
    fn a_refusal_shows_the_payload_text() {
        let answer = r#"{"success":false,"payload":"Wrong password."}"#;
        assert_eq!(IbexSees::of_answer(answer), refused("Wrong password."));
    }

    #[test]
    fn what_is_no_answer_is_refused_with_the_clients_own_words() {
        assert_eq!(IbexSees::of_answer("[]"), refused(UNREADABLE));
        assert_eq!(
            IbexSees::of_answer(""),
            refused("Blank message sent from the script server.")
        );
        let level = r#"{"success":true,"payload":{"user_level":"admin"}}"#;
        assert_eq!(IbexSees::of_answer(level), refused(UNREADABLE));
    }
}
