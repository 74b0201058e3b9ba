//! What is added to an answer that was kept. Its text is an object, as [`is_object`] has seen, so that members can be put
//! in front without reading it.

use serde_json::value::RawValue;
use serde_json::{json, to_vec};
use std::collections::BTreeMap;
use std::time::Duration;

/// Why there is nothing newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stale {
    /// What `link` is now, if not what it was.
    pub(super) link: Option<&'static str>,
    /// For people.
    pub(super) why: String,
}

/// Whether a reply's text, which is JSON, is an object.
pub(super) fn is_object(body: &[u8]) -> bool {
    body.starts_with(b"{")
}

/// With its age.
pub(super) fn aged(body: &[u8], age: Duration) -> Vec<u8> {
    in_front(body, &format!("\"age_s\":{:.3}", age.as_secs_f64()))
}

/// With its age, why it is not newer, and how the link is now.
pub(super) fn stale(body: &[u8], age: Duration, stale: &Stale) -> Vec<u8> {
    let relinked = stale.link.and_then(|link| relinked(body, link));
    let body = relinked.as_deref().unwrap_or(body);
    let members = format!(
        "\"age_s\":{:.3},\"stale\":{}",
        age.as_secs_f64(),
        json!(stale.why)
    );
    in_front(body, &members)
}

fn in_front(body: &[u8], members: &str) -> Vec<u8> {
    let rest = body.strip_prefix(b"{").unwrap_or(body).trim_ascii_start();
    let mut text = Vec::with_capacity(body.len() + members.len() + 2);
    text.push(b'{');
    text.extend_from_slice(members.as_bytes());
    if rest != b"}" {
        text.push(b',');
    }
    text.extend_from_slice(rest);
    text
}

fn relinked(body: &[u8], link: &str) -> Option<Vec<u8>> {
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    let link = serde_json::value::to_raw_value(link).ok()?;
    members.insert("link", &link);
    to_vec(&members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const AGE: Duration = Duration::from_millis(1500);

    #[test]
    fn an_age_stands_beside_what_was_said() {
        assert_eq!(aged(b"{\"a\":1}", AGE), b"{\"age_s\":1.500,\"a\":1}");
        assert_eq!(aged(b"{ }", AGE), b"{\"age_s\":1.500}");
    }

    #[test]
    fn what_is_known_of_a_server_that_is_down_does_not_say_that_it_is_up() {
        let body = br#"{"link":"up","run":"running","native":{"x":{"link":"up"}}}"#;
        let why = Stale {
            link: Some("down"),
            why: "\"gone\"".to_owned(),
        };
        let told: Value = serde_json::from_slice(&stale(body, AGE, &why)).unwrap();
        let expected = json!({"age_s": 1.5, "stale": "\"gone\"", "link": "down", "run": "running",
                              "native": {"x": {"link": "up"}}});
        assert_eq!(told, expected);
    }
}
