//! Text as the different protocols write it.

use std::borrow::Cow;
use std::convert::Infallible;

/// Text as Unicode: UTF-8 where it is, the replacement character for each lone surrogate and each stray byte.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    let piece = |piece: &str| {
        text.push_str(piece);
        Ok::<_, Infallible>(())
    };
    match each_piece(bytes, piece) {
        Ok(()) => Cow::Owned(text),
    }
}

/// Hands out text as [`lossy`] makes it, piece by piece, until one is not taken.
pub(super) fn each_piece<E>(
    bytes: &[u8],
    mut take: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    // Almost always all of it is text, which is found out faster at once.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return take(text);
    }
    let mut rest = bytes;
    while let Some(chunk) = rest.utf8_chunks().next() {
        take(chunk.valid())?;
        let invalid = rest.get(chunk.valid().len()..).unwrap_or_default();
        if invalid.is_empty() {
            break;
        }
        take("\u{fffd}")?;
        let skip = if is_surrogate(invalid) {
            3
        } else {
            chunk.invalid().len()
        };
        rest = invalid.get(skip..).unwrap_or_default();
    }
    Ok(())
}

/// A Python 2 `str` as text: UTF-8 if it is that, else Latin-1.
pub(super) fn from_python2(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// Undoes `str.encode('raw-unicode-escape')`, giving UTF-8 with surrogates as three bytes.
pub(super) fn raw_unicode_escape(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return Some(Cow::Borrowed(line));
    }
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = match (byte, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                push_code(u32::from(byte), &mut out);
                rest = tail;
                continue;
            }
        };
        push_code(hex(tail.get(1..=digits)?)?, &mut out);
        rest = tail.get(digits + 1..)?;
    }
    Some(Cow::Owned(out))
}

/// Undoes `repr()` of a Python 2 `str`, quotes included.
pub(super) fn unquote(line: &[u8]) -> Option<Vec<u8>> {
    let (&quote, rest) = line.split_first()?;
    let (&last, mut body) = rest.split_last()?;
    if quote != last || !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let mut out = Vec::with_capacity(body.len());
    while let Some((&byte, tail)) = body.split_first() {
        if byte == b'\\' {
            body = unescape(tail, &mut out)?;
        } else {
            out.push(byte);
            body = tail;
        }
    }
    Some(out)
}

fn is_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..])
}

/// Appends a code point as UTF-8, a surrogate as the three bytes it would have.
fn push_code(code: u32, out: &mut Vec<u8>) {
    if (0xd800..0xe000).contains(&code) {
        let [_, _, high, low] = code.to_be_bytes();
        out.extend([
            0xed,
            0x80 | ((high & 0x0f) << 2) | (low >> 6),
            0x80 | (low & 0x3f),
        ]);
        return;
    }
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn unescape<'a>(escape: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&kind, tail) = escape.split_first()?;
    let byte = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'\\' | b'\'' | b'"' => kind,
        b'x' => {
            out.push(u8::try_from(hex(tail.get(..2)?)?).ok()?);
            return tail.get(2..);
        }
        _ => return None,
    };
    out.push(byte);
    Some(tail)
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(())?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_becomes_one_replacement_character() {
        assert_eq!(lossy(b"a\xed\xb2\x80b"), "a\u{fffd}b");
    }

    #[test]
    fn stray_bytes_become_replacement_characters() {
        assert_eq!(lossy(b"\xff\xe2\x82"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn python_2_text_is_utf8_or_else_latin_1() {
        assert_eq!(from_python2("\u{b5}".as_bytes()), "\u{b5}");
        assert_eq!(from_python2(b"\xb5"), "\u{b5}");
    }

    #[test]
    fn quoted_text_is_undone() {
        assert_eq!(unquote(br"'a\n\x80\\'").unwrap(), b"a\n\x80\\");
        assert_eq!(unquote(b"'open"), None);
    }
}
