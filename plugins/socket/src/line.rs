//! Lines out of bytes, however the network cuts them.

use bytes::{Buf, BytesMut};

/// What a line turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Its bytes, without what ends it.
    Whole(BytesMut),
    /// It is longer than the limit; it is skipped up to its end. Told once, as soon as it is known.
    TooLong,
}

/// Cuts bytes into lines. No more than one line's limit is ever kept of what a client sends.
#[derive(Debug, Default)]
pub struct Cutter {
    /// How much of the beginning is known to hold no end of a line.
    searched: usize,
    skipping: bool,
}

impl Cutter {
    /// Takes the next line out of `bytes`, if there is one; the rest stays. Called again with more bytes at the end until
    /// there is one.
    pub fn cut(&mut self, bytes: &mut BytesMut, limit: usize) -> Option<Line> {
        loop {
            let found = bytes[self.searched..]
                .iter()
                .position(|&byte| byte == b'\n');
            let Some(end) = found.map(|at| self.searched + at) else {
                return self.wait(bytes, limit);
            };
            self.searched = 0;
            let mut line = bytes.split_to(end);
            bytes.advance(1);
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if line.last() == Some(&b'\r') {
                line.truncate(line.len() - 1);
            }
            return Some(match line.len() <= limit {
                true => Line::Whole(line),
                false => Line::TooLong,
            });
        }
    }

    /// There is no end of a line yet.
    fn wait(&mut self, bytes: &mut BytesMut, limit: usize) -> Option<Line> {
        self.searched = bytes.len();
        // One more, because a `\r` before the end does not count.
        if !self.skipping && bytes.len() <= limit + 1 {
            return None;
        }
        bytes.clear();
        self.searched = 0;
        let told = std::mem::replace(&mut self.skipping, true);
        (!told).then_some(Line::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 8;

    fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Line> {
        let (mut cutter, mut bytes, mut lines) = (Cutter::default(), BytesMut::new(), Vec::new());
        for piece in pieces {
            bytes.extend_from_slice(piece);
            lines.extend(std::iter::from_fn(|| cutter.cut(&mut bytes, LIMIT)));
            assert!(bytes.len() <= LIMIT + 1, "no more than a line is kept");
        }
        lines
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().into())
    }

    #[test]
    fn a_line_ends_at_a_newline_and_may_have_a_carriage_return() {
        let found = lines([&b"one\r\n\ntw"[..], b"o\nrest"]);
        assert_eq!(found, [whole("one"), whole(""), whole("two")]);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_a_longer_one_is_told_once_and_skipped() {
        let found = lines([&b"12345678\r\n123456789"[..], b"endless", b"\nnext\n"]);
        assert_eq!(found, [whole("12345678"), Line::TooLong, whole("next")]);
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_lines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x')], 0..80),
            cuts in proptest::collection::vec(1_usize..12, 1..80),
        ) {
            let mut rest = &bytes[..];
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(lines(pieces), lines(bytes.chunks(1)));
        }
    }
}
