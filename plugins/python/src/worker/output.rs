//! Bytes of any kind, as lines of bounded length.

/// Cuts lines out of a stream.
pub(super) struct Lines {
    line: Vec<u8>,
    left_out: usize,
    longest: usize,
}

impl Lines {
    /// No line is longer than this, in bytes, without the word that it was cut.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            line: Vec::new(),
            left_out: 0,
            longest,
        }
    }

    /// Takes bytes; the lines that have ended.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut parts = bytes.split(|byte| *byte == b'\n');
        if let Some(first) = parts.next() {
            self.append(first);
        }
        for part in parts {
            lines.push(self.line());
            self.append(part);
        }
        lines
    }

    /// What has not ended by a newline, if anything.
    pub(super) fn rest(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.line())
    }

    fn append(&mut self, part: &[u8]) {
        let room = self.longest - self.line.len();
        let taken = part.len().min(room);
        self.line.extend_from_slice(&part[..taken]);
        self.left_out += part.len() - taken;
    }

    fn line(&mut self) -> String {
        let mut line = String::from_utf8_lossy(&self.line).into_owned();
        if self.left_out > 0 {
            line += &format!("… ({} more bytes were cut)", self.left_out);
        }
        self.line.clear();
        self.left_out = 0;
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_out_however_they_arrive() {
        let mut lines = Lines::new(8);
        assert!(lines.take(b"ab").is_empty());
        assert_eq!(lines.take(b"c\n\nd"), ["abc", ""]);
        assert_eq!(lines.rest().as_deref(), Some("d"));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut lines = Lines::new(8);
        assert!(lines.take(&[b'x'; 100]).is_empty());
        let cut = lines.take(b"x\n");
        assert_eq!(cut, ["xxxxxxxx… (93 more bytes were cut)"]);
        assert_eq!(lines.take(b"\xff\n"), ["\u{fffd}"]);
    }
}
