//! Reading the payload's bytes in order.

use super::PickleError;

/// A position in a payload; every read is checked against its end.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count).ok_or(PickleError::Truncated {
            at: self.bytes.len(),
        })?;
        self.at += count;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, PickleError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, PickleError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PickleError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, PickleError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, PickleError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Pickle's only big-endian number.
    pub(super) fn f64(&mut self) -> Result<f64, PickleError> {
        self.array().map(f64::from_be_bytes)
    }

    /// Bytes after a length of 1, 4 or 8 bytes, given as a number already read.
    pub(super) fn sized(&mut self, length: u64) -> Result<&'a [u8], PickleError> {
        // A length that does not fit usize cannot fit the payload either.
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Bytes up to a line feed, which is consumed; the text instructions of protocol 0 end so.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or(PickleError::Truncated {
            at: self.bytes.len(),
        })?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
}
