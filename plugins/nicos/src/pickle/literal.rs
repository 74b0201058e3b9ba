//! Python source text of a value.

use std::fmt::Write;

use super::arg::Arg;

impl Arg {
    /// The value as a Python expression in printable ASCII on one line, for `eval`. It names nothing, so it means
    /// the same whatever a script has put under the name `float`. `ast.literal_eval` reads it, too, unless there is a
    /// `nan`, for which Python has no literal: it is written as a difference of infinities.
    #[must_use]
    pub fn literal(&self) -> String {
        let mut out = String::new();
        write(self, &mut out);
        out
    }
}

fn write(arg: &Arg, out: &mut String) {
    match arg {
        Arg::None => out.push_str("None"),
        Arg::Bool(true) => out.push_str("True"),
        Arg::Bool(false) => out.push_str("False"),
        Arg::Int(number) => out.push_str(&number.to_string()),
        Arg::BigInt(number) => out.push_str(number.digits()),
        Arg::Float(number) => float(*number, out),
        Arg::Text(text) => {
            out.push('\'');
            text.chars().for_each(|character| escaped(character, out));
            out.push('\'');
        }
        Arg::Bytes(bytes) => {
            out.push_str("b'");
            let characters = bytes.iter().map(|&byte| char::from(byte));
            characters.for_each(|character| escaped(character, out));
            out.push('\'');
        }
        Arg::List(items) => enclosed('[', items, write, ']', out),
        Arg::Tuple(items) => {
            // Every item of a tuple may be followed by a comma; an only one must be.
            out.push('(');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(')');
        }
        Arg::Dict(entries) => {
            let entry = |(key, value): &(Arg, Arg), out: &mut String| {
                write(key, out);
                out.push(':');
                write(value, out);
            };
            enclosed('{', entries, entry, '}', out);
        }
    }
}

fn enclosed<T>(
    open: char,
    items: &[T],
    each: impl Fn(&T, &mut String),
    close: char,
    out: &mut String,
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

fn float(number: f64, out: &mut String) {
    match number {
        _ if number.is_nan() => out.push_str("(1e999-1e999)"),
        // Beyond what a float holds, so it is infinite.
        f64::INFINITY => out.push_str("1e999"),
        f64::NEG_INFINITY => out.push_str("-1e999"),
        _ => out.push_str(&format!("{number:?}")),
    }
}

/// A character of a text, or a byte as the character of the same number.
fn escaped(character: char, out: &mut String) {
    let code = u32::from(character);
    // Writing to memory cannot fail.
    let _ = match code {
        _ if matches!(character, '\'' | '\\') => write!(out, "\\{character}"),
        0x20..=0x7e => write!(out, "{character}"),
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}
