//! Bytes of any kind, as lines of bounded length.

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// As much of it as is kept.
    pub bytes: Vec<u8>,
    /// How many more it had.
    pub left_out: usize,
}

impl Line {
    /// For people: what is no text is replaced, and a line that was cut says so.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.left_out > 0 {
            text += &format!("… ({} more bytes were cut)", self.left_out);
        }
        text
    }
}

/// Cuts lines out of a stream.
pub struct Lines {
    line: Vec<u8>,
    left_out: usize,
    longest: usize,
}

impl Lines {
    /// No more than this is kept of a line, in bytes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self {
            line: Vec::new(),
            left_out: 0,
            longest,
        }
    }

    /// Takes bytes; the lines that have ended.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Line> {
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
    pub fn rest(&mut self) -> Option<Line> {
        (!self.line.is_empty()).then(|| self.line())
    }

    fn append(&mut self, part: &[u8]) {
        let room = self.longest - self.line.len();
        let taken = part.len().min(room);
        self.line.extend_from_slice(&part[..taken]);
        self.left_out += part.len() - taken;
    }

    fn line(&mut self) -> Line {
        Line {
            bytes: std::mem::take(&mut self.line),
            left_out: std::mem::take(&mut self.left_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: Vec<Line>) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn lines_are_cut_out_however_they_arrive() {
        let mut lines = Lines::new(8);
        assert!(lines.take(b"ab").is_empty());
        assert_eq!(texts(lines.take(b"c\n\nd")), ["abc", ""]);
        assert_eq!(lines.rest().unwrap().text(), "d");
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut lines = Lines::new(8);
        assert!(lines.take(&[b'x'; 100]).is_empty());
        let cut = lines.take(b"x\n");
        assert_eq!(texts(cut), ["xxxxxxxx… (93 more bytes were cut)"]);
        assert_eq!(texts(lines.take(b"\xff\n")), ["\u{fffd}"]);
    }
}
