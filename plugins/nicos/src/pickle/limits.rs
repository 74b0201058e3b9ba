//! How much one payload may cost.

/// Bounds on decoding one payload. Each is checked before the memory or time it guards is spent.
///
/// A payload is small where it shares: sixty bytes can describe a billion values. Decoding keeps shares as references,
/// so it costs no more than the payload is long; writing JSON expands them, and is what `nodes`, `depth` and
/// `output_bytes` bound. Together that takes no more memory than 150 bytes for each value, 16 for each byte of the payload
/// and 3 for each byte of JSON that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest payload, in bytes. Default 4 MiB.
    pub input_bytes: usize,
    /// Deepest nesting of arrays and objects in the JSON. Default 100, below the 128 that JSON readers commonly allow.
    pub depth: usize,
    /// Most values, counted both as they stand in the payload and once per use when shares are expanded.
    /// Default 500,000: more than the largest list of messages that fits a 4 MiB frame.
    pub nodes: usize,
    /// Longest JSON text, and most bytes of binary buffers looked at to write it. Default 16 MiB.
    pub output_bytes: usize,
    /// Longest integer, in bytes of its binary form. Default 256 (617 decimal digits).
    pub int_bytes: usize,
    /// Longest part of a class's name, in bytes; names are looked at wherever a class is used. Default 1000.
    pub name_bytes: usize,
}

impl Limits {
    /// As many decimal digits as the longest integer has.
    #[must_use]
    pub fn int_digits(&self) -> usize {
        // Each bit but the sign's is 0.30103 of a digit.
        let bits = self.int_bytes.saturating_mul(8).saturating_sub(1);
        bits.saturating_mul(30_103) / 100_000 + 1
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 4 << 20,
            depth: 100,
            nodes: 500_000,
            output_bytes: 16 << 20,
            int_bytes: 256,
            name_bytes: 1000,
        }
    }
}
