//! Bytes that are read by many and copied by nobody.

use abi_stable::StableAbi;
use abi_stable::std_types::{RArc, RVec};

/// Immutable bytes, reference-counted; a clone costs one atomic increment on either side.
///
/// ```
/// use patchbay_abi::Buffer;
/// let image = Buffer::from(vec![0x89, b'P', b'N', b'G']);
/// assert_eq!(image.clone()[1..], *b"PNG");
/// assert_eq!(Buffer::from(String::from("text")).as_str(), Ok("text"));
/// ```
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Buffer {
    bytes: RArc<RVec<u8>>,
}

impl Buffer {
    /// An empty buffer.
    pub fn empty() -> Self {
        Vec::new().into()
    }

    /// The bytes as text, lossless or not at all.
    ///
    /// # Errors
    /// If the bytes are not UTF-8.
    pub fn as_str(&self) -> Result<&str, std::str::Utf8Error> {
        std::str::from_utf8(self)
    }
}

impl From<Vec<u8>> for Buffer {
    /// Moves the bytes; nothing is copied.
    fn from(bytes: Vec<u8>) -> Self {
        Buffer {
            bytes: RArc::new(RVec::from(bytes)),
        }
    }
}

impl From<String> for Buffer {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

impl std::fmt::Debug for Buffer {
    /// The length only: bodies are scripts and data, and do not belong in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
