//! The JSON text that is being written, and what it may cost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Limits, PickleError, number, text};

/// Bytes of JSON for each value, roughly, where there are many values.
const USUAL_LENGTH: usize = 16;

/// JSON written so far. Every method checks the limit that it may hit before it spends anything.
pub(super) struct Output<'p> {
    limits: &'p Limits,
    json: String,
    depth: usize,
    nodes: usize,
    looked_at: usize,
}

impl<'p> Output<'p> {
    /// For the JSON of about so many values.
    pub(super) fn new(limits: &'p Limits, values: usize) -> Self {
        Self {
            limits,
            json: String::with_capacity((values * USUAL_LENGTH).min(limits.output_bytes)),
            depth: 0,
            nodes: 0,
            looked_at: 0,
        }
    }

    pub(super) fn finish(self) -> String {
        self.json
    }

    pub(super) fn int(&mut self, number: i64) -> Result<(), PickleError> {
        self.push(itoa::Buffer::new().format(number))
    }

    pub(super) fn uint(&mut self, number: u64) -> Result<(), PickleError> {
        self.push(itoa::Buffer::new().format(number))
    }

    pub(super) fn big_int(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        match number::to_i128(bytes).and_then(|wide| u64::try_from(wide).ok()) {
            Some(number) => self.uint(number),
            None => self.tagged("$int", &number::to_decimal(bytes)),
        }
    }

    pub(super) fn digits(&mut self, digits: &[u8]) -> Result<(), PickleError> {
        let digits = text::lossy(digits);
        match digits.parse::<u64>() {
            Ok(number) => self.uint(number),
            Err(_) => self.tagged("$int", &digits),
        }
    }

    pub(super) fn float(&mut self, number: f64) -> Result<(), PickleError> {
        match number {
            _ if number.is_nan() => self.push(r#"{"$float":"nan"}"#),
            f64::INFINITY => self.push(r#"{"$float":"inf"}"#),
            f64::NEG_INFINITY => self.push(r#"{"$float":"-inf"}"#),
            _ => self.push(zmij::Buffer::new().format_finite(number)),
        }
    }

    /// A 32-bit float with the digits that 32 bits deserve: 0.1, not 0.10000000149011612.
    pub(super) fn single(&mut self, number: f32) -> Result<(), PickleError> {
        match number.is_finite() {
            true => self.push(zmij::Buffer::new().format_finite(number)),
            false => self.float(f64::from(number)),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        // Before the base64 is made, which is longer.
        self.room(bytes.len())?;
        self.tagged("$bytes", &STANDARD.encode(bytes))
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), PickleError> {
        self.put('"')?;
        self.escaped(text)?;
        self.put('"')
    }

    /// Text in UTF-8, except where it is none.
    pub(super) fn lossy_text(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        self.put('"')?;
        text::each_piece(bytes, |piece| self.escaped(piece))?;
        self.put('"')
    }

    /// The text between the quotes.
    fn escaped(&mut self, text: &str) -> Result<(), PickleError> {
        let mut rest = text;
        loop {
            let (plain, tail) = rest.split_at(plain_length(rest.as_bytes()));
            self.push(plain)?;
            if tail.is_empty() {
                return Ok(());
            }
            // What needs an escape is ASCII, so a character ends after it.
            let (special, tail) = tail.split_at(1);
            self.escape(special)?;
            rest = tail;
        }
    }

    fn escape(&mut self, special: &str) -> Result<(), PickleError> {
        match special {
            "\"" => self.push("\\\""),
            "\\" => self.push("\\\\"),
            "\n" => self.push("\\n"),
            "\r" => self.push("\\r"),
            "\t" => self.push("\\t"),
            "\u{8}" => self.push("\\b"),
            "\u{c}" => self.push("\\f"),
            other => {
                let code = other.bytes().next().unwrap_or_default();
                self.push(&format!("\\u{code:04x}"))
            }
        }
    }

    pub(super) fn tagged(&mut self, tag: &str, text: &str) -> Result<(), PickleError> {
        self.open('{')?;
        self.name(tag)?;
        self.text(text)?;
        self.close('}')
    }

    // ---- output and its limits

    pub(super) fn push(&mut self, text: &str) -> Result<(), PickleError> {
        self.room(text.len())?;
        self.json.push_str(text);
        Ok(())
    }

    fn put(&mut self, character: char) -> Result<(), PickleError> {
        self.room(character.len_utf8())?;
        self.json.push(character);
        Ok(())
    }

    /// Counts a value, or one use of a shared one.
    pub(super) fn count(&mut self, nodes: usize) -> Result<(), PickleError> {
        self.nodes = self.nodes.saturating_add(nodes);
        match self.nodes > self.limits.nodes {
            true => Err(PickleError::Limit {
                what: "values",
                limit: self.limits.nodes,
            }),
            false => Ok(()),
        }
    }

    /// Counts the bytes of a buffer that is read anew at each use, whatever little it may print.
    pub(super) fn look_at(&mut self, bytes: usize) -> Result<(), PickleError> {
        self.looked_at = self.looked_at.saturating_add(bytes);
        self.within(self.looked_at)
    }

    pub(super) fn open(&mut self, bracket: char) -> Result<(), PickleError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.too_deep());
        }
        self.put(bracket)
    }

    pub(super) fn close(&mut self, bracket: char) -> Result<(), PickleError> {
        self.depth = self.depth.saturating_sub(1);
        self.put(bracket)
    }

    pub(super) fn name(&mut self, name: &str) -> Result<(), PickleError> {
        self.comma()?;
        self.put('"')?;
        self.push(name)?;
        self.push("\":")
    }

    /// A comma, unless something was just opened or named.
    pub(super) fn comma(&mut self) -> Result<(), PickleError> {
        match self.json.as_bytes().last() {
            None | Some(b'[' | b'{' | b':') => Ok(()),
            Some(_) => self.put(','),
        }
    }

    fn room(&self, more: usize) -> Result<(), PickleError> {
        self.within(self.json.len().saturating_add(more))
    }

    fn within(&self, bytes: usize) -> Result<(), PickleError> {
        match bytes > self.limits.output_bytes {
            true => Err(PickleError::Limit {
                what: "bytes of JSON",
                limit: self.limits.output_bytes,
            }),
            false => Ok(()),
        }
    }

    fn too_deep(&self) -> PickleError {
        PickleError::Limit {
            what: "levels of nesting",
            limit: self.limits.depth,
        }
    }
}

/// How many bytes there are before the first that JSON cannot have as it is in a text. Whole blocks are looked at without
/// branching, which the compiler turns into a few instructions.
fn plain_length(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let special = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    let plain = bytes.chunks_exact(BLOCK).take_while(|block| {
        !block
            .iter()
            .fold(false, |found, byte| found | special(byte))
    });
    let start = plain.count() * BLOCK;
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(special).unwrap_or(rest.len())
}
