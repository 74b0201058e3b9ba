//! Text between STOMP and JMS: header escapes, and the two encodings in which a JMS text arrives.

use std::borrow::Cow;

/// Undoes STOMP 1.2 header escapes: `\\`, `\n`, `\r` and `\c`. An unknown escape stays as it is, because refusing it
/// would lose the whole message.
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('\\') => plain.push('\\'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('c') => plain.push(':'),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

/// Escapes a header value as STOMP 1.2 asks.
pub fn escape(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b':' => out.extend_from_slice(b"\\c"),
            other => out.push(other),
        }
    }
}

/// Escapes a value of CONNECT. STOMP 1.2 says that CONNECT is not escaped, yet ActiveMQ unescapes it; a colon may stay.
pub fn escape_connect(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(other),
        }
    }
}

/// Decodes a text body or header: UTF-8 where it is valid, else Java's "modified UTF-8", which ActiveMQ passes on
/// unchanged (characters above U+FFFF as two surrogates of three bytes each, U+0000 as C0 80). What is neither becomes
/// U+FFFD.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(decode_modified(bytes)),
    }
}

fn decode_modified(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let (c, used) = match first {
            0..=0x7f => (char::from(first), 1),
            0xc0 if rest.get(1) == Some(&0x80) => ('\0', 2),
            0xed => surrogate_pair(rest).unwrap_or_else(|| plain_char(rest)),
            _ => plain_char(rest),
        };
        text.push(c);
        rest = rest.get(used..).unwrap_or_default();
    }
    text
}

/// `ED A0..AF xx ED B0..BF xx` is one character above U+FFFF.
fn surrogate_pair(bytes: &[u8]) -> Option<(char, usize)> {
    let &[0xed, a, b, 0xed, c, d, ..] = bytes else {
        return None;
    };
    let tails = [b, c, d].iter().all(|byte| byte & 0xc0 == 0x80);
    if !tails || a & 0xf0 != 0xa0 || c & 0xf0 != 0xb0 {
        return None;
    }
    let high = (u32::from(a & 0x0f) << 6) | u32::from(b & 0x3f);
    let low = (u32::from(c & 0x0f) << 6) | u32::from(d & 0x3f);
    Some((char::from_u32(0x1_0000 + (high << 10) + low)?, 6))
}

/// One ordinary UTF-8 character, or U+FFFD for one byte.
fn plain_char(bytes: &[u8]) -> (char, usize) {
    for length in 2..=4.min(bytes.len()) {
        if let Some(c) = std::str::from_utf8(&bytes[..length])
            .ok()
            .and_then(|text| text.chars().next())
        {
            return (c, length);
        }
    }
    (char::REPLACEMENT_CHARACTER, 1)
}

/// JSON that a JMS client can read: it throws on a raw character above U+FFFF.
pub fn ascii(json: String) -> String {
    match ascii_json(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(ascii) => ascii,
    }
}

/// Writes every character above U+007F of a JSON text as `\uXXXX`, which both sides of the broker read in the same way:
/// a JMS client throws on a raw four-byte character. In JSON such characters occur inside strings only.
pub fn ascii_json(json: &str) -> Cow<'_, str> {
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut ascii = String::with_capacity(json.len() + json.len() / 2);
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            push_unit(&mut ascii, *unit);
        }
    }
    Cow::Owned(ascii)
}

fn push_unit(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        let digit = u32::from(unit >> shift) & 0xf;
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_java_pair_of_surrogates_is_one_character() {
        assert_eq!(decode(b"a\xed\xa0\xbd\xed\xb8\x80b"), "a\u{1f600}b");
        assert_eq!(decode(b"x\xc0\x80y"), "x\0y");
        assert_eq!(
            decode("d\u{e9}j\u{e0} \u{20ac}".as_bytes()),
            "d\u{e9}j\u{e0} \u{20ac}"
        );
    }

    #[test]
    fn lone_surrogates_and_rubbish_become_replacement_characters() {
        assert_eq!(decode(b"a\xed\xa0\xbdb"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(decode(b"\xff{\xc3\xa9}"), "\u{fffd}{\u{e9}}");
    }

    #[test]
    fn json_becomes_ascii_and_means_the_same() {
        let text = "{\"a\":\"\u{e9}\u{1f600}\"}";
        assert_eq!(ascii_json(text), r#"{"a":"\u00e9\ud83d\ude00"}"#);
    }

    #[test]
    fn connect_keeps_its_colons() {
        let mut out = Vec::new();
        escape_connect(r"a:b\n", &mut out);
        assert_eq!(out, br"a:b\\n");
    }

    fn modified(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for unit in text.encode_utf16() {
            match unit {
                1..=0x7f => out.push(unit as u8),
                0 | 0x80..=0x7ff => {
                    out.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8])
                }
                _ => out.extend([
                    0xe0 | (unit >> 12) as u8,
                    0x80 | (unit >> 6 & 0x3f) as u8,
                    0x80 | (unit & 0x3f) as u8,
                ]),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn whatever_java_wrote_is_read(text in any::<String>()) {
            let java = modified(&text);
            prop_assert_eq!(decode(&java), text.as_str());
        }

        #[test]
        fn escapes_are_undone(text in any::<String>()) {
            let mut out = Vec::new();
            escape(&text, &mut out);
            let wire = String::from_utf8(out).unwrap();
            prop_assert!(!wire.contains([':', '\n', '\r']));
            prop_assert_eq!(unescape(&wire), text.as_str());
        }

        #[test]
        fn no_bytes_stop_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn ascii_json_is_the_same_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let ascii = ascii_json(&json);
            prop_assert!(ascii.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&ascii).unwrap(), text);
        }
    }
}
