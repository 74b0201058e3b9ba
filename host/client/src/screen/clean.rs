//! Text of others, made safe for a terminal.

use std::borrow::Cow;

/// The text with control characters made visible, as in `␛[2J`: nobody's script may write over somebody's screen.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.contains(is_harmful) {
        false => text.into(),
        true => text.chars().map(visible).collect(),
    }
}

fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{7f}' => '␡',
        c if u32::from(c) < 0x20 => char::from_u32(0x2400 + u32::from(c)).unwrap_or('�'),
        c if c.is_control() => '�',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_of_whoever_reads() {
        assert_eq!(clean("a\tb\nµ→"), "a\tb\nµ→");
        assert_eq!(clean("\u{1b}[2Jgone\u{7}\u{9b}x\r"), "␛[2Jgone␇�x␍");
    }
}
