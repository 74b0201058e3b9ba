//! Bounds on what is taken from the broker.

/// Bounds on what the broker may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A longer header line is dropped, the message survives. Bytes.
    pub header_line: usize,
    /// More header bytes than this are dropped, except those of the standard headers. Bytes.
    pub head: usize,
    /// A longer body is skipped; the message arrives without it. Bytes.
    pub body: usize,
    /// A longer head ends the connection, and a greater `content-length` is not believed. Above the 100 MiB that the
    /// broker itself lets pass. Bytes.
    pub frame: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_line: 16 << 10,
            head: 64 << 10,
            body: 4 << 20,
            frame: 128 << 20,
        }
    }
}
