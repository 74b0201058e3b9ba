//! Bodies, as they may be shown.

use serde_json::Value;

/// A longer body is not looked through for secrets, and so not shown, in bytes.
const LONGEST: usize = 256 * 1024;

/// What a key has in it behind which there may be a secret.
const SECRET: &[&str] = &[
    "passw",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "privatekey",
    "private_key",
];

/// Whole keys of that kind.
const SECRET_WHOLE: &[&str] = &["pw", "pwd", "pass", "pin"];

/// What stands in a secret's place.
const HIDDEN: &str = "(hidden)";

/// The first bytes of a body, without what sounds like a secret.
pub(super) fn shown(body: &[u8], most: usize) -> String {
    if most == 0 || body.is_empty() {
        return String::new();
    }
    if body.len() > LONGEST {
        return "(too long to be shown)".to_owned();
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return "(no JSON)".to_owned();
    };
    hide(&mut value);
    let mut text = value.to_string();
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}

/// Serde has bounded how deep this goes.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match is_secret(key) {
                    true => *value = Value::String(HIDDEN.to_owned()),
                    false => hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET_WHOLE.contains(&key.as_str()) || SECRET.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_like_a_secret_is_hidden_however_deep_it_lies() {
        let body =
            br#"{"user":"anna","Password":"a","x":[{"accessToken":{"y":"b"}}],"pw":"c","n":1}"#;
        let text = shown(body, 1000);
        assert_eq!(
            text,
            r#"{"Password":"(hidden)","n":1,"pw":"(hidden)","user":"anna","x":[{"accessToken":"(hidden)"}]}"#
        );
    }

    #[test]
    fn bodies_are_shortened_and_what_cannot_be_looked_through_is_not_shown() {
        assert_eq!(shown("\"ääää\"".as_bytes(), 4), "\"ä…");
        assert_eq!(shown(b"1", 0), "");
        let long = format!("\"{}\"", "x".repeat(LONGEST));
        assert_eq!(shown(long.as_bytes(), 100), "(too long to be shown)");
        assert_eq!(shown(b"{\"password\":\"a", 100), "(no JSON)");
    }
}
