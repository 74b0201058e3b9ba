//! Lines of bounded length.

use std::io::{self, BufRead, Read};

/// No line from a gateway is longer, in bytes.
pub(crate) const LONGEST: u64 = 64 << 20;

/// The next line, without its end; `None` at the end of all.
///
/// # Errors
/// When the line is longer than `longest`, is cut off, or cannot be read.
pub(crate) fn read(input: &mut impl BufRead, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    input.take(longest + 1).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() as u64 >= longest => Err(io::Error::other(format!(
            "a line of more than {longest} bytes came"
        ))),
        Some(_) => Err(io::Error::other("it was cut off in the middle of a line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_up_to_their_bound() {
        let mut input = &b"one\n\nthree"[..];
        assert_eq!(read(&mut input, 10).unwrap().unwrap(), b"one");
        assert_eq!(read(&mut input, 10).unwrap().unwrap(), b"");
        assert!(read(&mut input, 10).is_err(), "cut off");
        assert_eq!(read(&mut input, 10).unwrap(), None);
        assert!(read(&mut &b"12345\n"[..], 4).is_err(), "too long");
        assert_eq!(read(&mut &b"1234\n"[..], 4).unwrap().unwrap(), b"1234");
    }
}
