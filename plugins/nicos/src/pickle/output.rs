//! The JSON text that is being written, and what it may cost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Limits, PickleError, number, text};

/// JSON written so far. Every method checks the limit that it may hit before it spends anything.
pub(super) struct Output<'p> {
    limits: &'p Limits,
    json: String,
    depth: usize,
    nodes: usize,
    looked_at: usize,
}

impl<'p> Output<'p> {
    pub(super) fn new(limits: &'p Limits) -> Self {
        Self {
            limits,
            json: String::new(),
            depth: 0,
            nodes: 0,
            looked_at: 0,
        }
    }

    pub(super) fn finish(self) -> String {
        self.json
    }

    pub(super) fn big_int(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        match number::to_i128(bytes).and_then(|wide| u64::try_from(wide).ok()) {
            Some(number) => self.push(&number.to_string()),
            None => self.tagged("$int", &number::to_decimal(bytes)),
        }
    }

    pub(super) fn digits(&mut self, digits: &[u8]) -> Result<(), PickleError> {
        let digits = text::lossy(digits);
        match digits.parse::<u64>() {
            Ok(number) => self.push(&number.to_string()),
            Err(_) => self.tagged("$int", &digits),
        }
    }

    pub(super) fn float(&mut self, number: f64) -> Result<(), PickleError> {
        match number {
            _ if number.is_nan() => self.push(r#"{"$float":"nan"}"#),
            f64::INFINITY => self.push(r#"{"$float":"inf"}"#),
            f64::NEG_INFINITY => self.push(r#"{"$float":"-inf"}"#),
            _ => self.push(&serde_json::to_string(&number).unwrap_or_default()),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        self.tagged("$bytes", &STANDARD.encode(bytes))
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), PickleError> {
        self.room(text.len())?;
        // Serializing text to memory cannot fail.
        self.push(&serde_json::to_string(text).unwrap_or_default())
    }

    pub(super) fn tagged(&mut self, tag: &str, text: &str) -> Result<(), PickleError> {
        self.open('{')?;
        self.push(&format!("\"{tag}\":"))?;
        self.text(text)?;
        self.close('}')
    }

    // ---- output and its limits

    pub(super) fn push(&mut self, text: &str) -> Result<(), PickleError> {
        self.room(text.len())?;
        self.json.push_str(text);
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
        self.push(bracket.encode_utf8(&mut [0; 4]))
    }

    pub(super) fn close(&mut self, bracket: char) -> Result<(), PickleError> {
        self.depth = self.depth.saturating_sub(1);
        self.push(bracket.encode_utf8(&mut [0; 4]))
    }

    pub(super) fn name(&mut self, name: &str) -> Result<(), PickleError> {
        self.comma()?;
        self.push(&format!("\"{name}\":"))
    }

    /// A comma, unless something was just opened or named.
    pub(super) fn comma(&mut self) -> Result<(), PickleError> {
        match self.json.as_bytes().last() {
            None | Some(b'[' | b'{' | b':') => Ok(()),
            Some(_) => self.push(","),
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
