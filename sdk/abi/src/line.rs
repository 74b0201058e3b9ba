//! Messages as lines of JSON, for a program in another language.
//!
//! One message, one line: `{"kind": "call", "id": 7, "head": {…}, "body": …, "blobs": ["base64", …], "secret": "…"}`. Only
//! `kind` is always there; what is left out is 0 or empty. Head and body pass as the text that they are, so that numbers
//! keep all their digits.

use crate::{Buffer, Kind, Message, Secret};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Why a message is no line, or a line no message.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A message of a newer side.
    #[error("a message of the unknown kind `{0}`")]
    UnknownKind(String),
    /// A head or a body that would be more than one line.
    #[error("a message with a newline in its head or body")]
    Newline,
    /// Not what this page says.
    #[error("it is no message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A blob that is no base64.
    #[error("its blob {0} is no base64")]
    Blob(usize),
}

/// Writes one line, with its end. It may hold a password, and is wiped when it is dropped.
///
/// # Errors
/// If the kind has no name, or head or body are more than one line.
pub fn encode(message: &Message) -> Result<Zeroizing<Vec<u8>>, LineError> {
    let kind = message.kind;
    let name = kind
        .name()
        .ok_or_else(|| LineError::UnknownKind(kind.0.to_string()))?;
    let secret = message.secret.as_ref().map_or("", Secret::expose);
    // Enough for all of it, six bytes for each of the secret's, so that no copy of that is left behind by growing.
    let room = 128 + message.weight() * 4 / 3 + 8 * message.blobs.len() + 6 * secret.len();
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    let name = name.to_ascii_lowercase();
    line.extend(format!(r#"{{"kind":"{name}","id":{}"#, message.id).bytes());
    put(&mut line, "head", &message.head)?;
    put(&mut line, "body", &message.body)?;
    if !message.blobs.is_empty() {
        let blobs = message
            .blobs
            .iter()
            .map(|blob| BASE64_STANDARD.encode(&**blob));
        write(&mut line, "blobs", &blobs.collect::<Vec<_>>())?;
    }
    if message.secret.is_some() {
        write(&mut line, "secret", secret)?;
    }
    line.extend(b"}\n");
    Ok(line)
}

fn put(line: &mut Vec<u8>, name: &str, json: &Buffer) -> Result<(), LineError> {
    if json.contains(&b'\n') {
        return Err(LineError::Newline);
    }
    if !json.is_empty() {
        line.extend(format!(r#","{name}":"#).bytes());
        line.extend_from_slice(json);
    }
    Ok(())
}

fn write(
    line: &mut Vec<u8>,
    name: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<(), LineError> {
    line.extend(format!(r#","{name}":"#).bytes());
    Ok(serde_json::to_writer(line, value)?)
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: u64,
    #[serde(borrow, default)]
    head: Option<&'a RawValue>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    blobs: Vec<String>,
    #[serde(default)]
    secret: Option<String>,
}

/// Reads one line, without its end.
///
/// # Errors
/// If it is no JSON object of this form, or of a kind that is not known here.
pub fn decode(line: &[u8]) -> Result<Message, LineError> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let kind = Kind::from_name(&line.kind);
    let kind = kind.ok_or_else(|| LineError::UnknownKind(line.kind.into_owned()))?;
    let blobs = line.blobs.iter().enumerate().map(|(at, blob)| {
        let bytes = BASE64_STANDARD.decode(blob);
        bytes.map(Buffer::from).map_err(|_| LineError::Blob(at))
    });
    Ok(Message {
        kind,
        id: line.id,
        head: text(line.head),
        body: text(line.body),
        blobs: blobs.collect::<Result<Vec<_>, _>>()?.into(),
        secret: line.secret.map(Secret::new).into(),
    })
}

/// A carriage return stands between tokens only, and means nothing there.
fn text(raw: Option<&RawValue>) -> Buffer {
    raw.map_or_else(Buffer::empty, |raw| raw.get().replace('\r', " ").into())
}

/// What is known of a line that is no message: its kind and id, if they stand before what is wrong with it. So whoever waits
/// for an answer that is broken, or was cut off, can be told.
pub fn known(line: &[u8]) -> (Option<Kind>, Option<u64>) {
    let mut known = (None, None);
    // That there is an error further on is why this is called.
    let _ = serde_json::Deserializer::from_slice(line).deserialize_map(Known(&mut known));
    known
}

struct Known<'a>(&'a mut (Option<Kind>, Option<u64>));

impl<'de> Visitor<'de> for Known<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            match &*name {
                "kind" => self.0.0 = Kind::from_name(&fields.next_value::<Cow<'de, str>>()?),
                "id" => self.0.1 = Some(fields.next_value()?),
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        Message::new(Kind::LOGIN, u64::MAX, &serde_json::json!({"user": "é"}))
            .body(r#"{"big":123456789012345678901234567890}"#.to_owned())
            .secret(Secret::new("\u{1}\"s"))
            .blobs([Buffer::from(vec![0, 255]), Buffer::empty()])
    }

    #[test]
    fn a_message_comes_back_as_it_went() {
        let line = encode(&sample()).unwrap();
        let (end, text) = line.split_last().unwrap();
        assert!(*end == b'\n' && !text.contains(&b'\n'));
        assert!(line.capacity() >= line.len(), "it has not grown");
        let back = decode(text).unwrap();
        assert_eq!((back.kind, back.id), (Kind::LOGIN, u64::MAX));
        assert_eq!(&*back.head, "{\"user\":\"é\"}".as_bytes());
        assert_eq!(&*back.body, &*sample().body);
        assert_eq!(back.secret.as_ref().map_or("", Secret::expose), "\u{1}\"s");
        let blobs: Vec<_> = back.blobs.iter().map(|blob| blob.to_vec()).collect();
        assert_eq!(blobs, [vec![0, 255], vec![]]);
    }

    #[test]
    fn what_is_left_out_is_empty_and_what_is_not_known_is_ignored() {
        let read = |text: &str| decode(text.as_bytes()).unwrap();
        let bare = read(r#"{"kind":"ready","body":null,"new":[1]}"#);
        assert_eq!((bare.kind, bare.id, bare.weight()), (Kind::READY, 0, 0));
        assert_eq!(&*encode(&bare).unwrap(), b"{\"kind\":\"ready\",\"id\":0}\n");
        let spread = read("{\"id\":1,\"body\":[1,\r2],\"kind\":\"reply\"}\r");
        assert_eq!(&*spread.body, b"[1, 2]");
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for text in [
            "",
            "hello",
            "[]",
            r#"{"id":1}"#,
            r#"{"kind":"reply","id":-1}"#,
            r#"{"kind":"reply","body":NaN}"#,
            r#"{"kind":"reply","body":1} {}"#,
            r#"{"kind":"event","blobs":["?"]}"#,
        ] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
        let newer = decode(br#"{"kind":"sing"}"#).unwrap_err();
        assert!(matches!(newer, LineError::UnknownKind(kind) if kind == "sing"));
        let latin = decode(b"{\"kind\":\"log\",\"head\":{\"message\":\"\xe9\"}}");
        assert!(latin.is_err(), "what is not UTF-8 is refused");
    }

    #[test]
    fn a_body_of_several_lines_is_not_written() {
        let message = Message::bare(Kind::REPLY, 1).body("[1,\n2]".to_owned());
        assert!(matches!(encode(&message), Err(LineError::Newline)));
    }

    #[test]
    fn of_a_broken_line_the_beginning_is_known() {
        let known = |text: &str| known(text.as_bytes());
        let reply = Some(Kind::REPLY);
        assert_eq!(
            known(r#"{"kind":"reply","id":7,"body":[NaN]}"#),
            (reply, Some(7))
        );
        assert_eq!(
            known(r#"{"kind":"reply","id":7,"body":"cut of"#),
            (reply, Some(7))
        );
        assert_eq!(known(r#"{"body":"cut of"#), (None, None));
        assert_eq!(known("Traceback"), (None, None));
    }
}
