//! What a program is not sent, because readers of JSON choke on it: Python's gives up at a thousand levels and at numbers
//! of 4300 digits, and whoever wrote the program has hardly thought of that.

use patchbay_abi::{Fault, FaultKind};

#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Arrays and objects within each other.
    pub(crate) nesting: usize,
    /// Characters of a number.
    pub(crate) digits: usize,
}

impl Bounds {
    /// Looks at a JSON text.
    ///
    /// # Errors
    /// `TooLarge`, with the bound.
    pub(crate) fn check(self, json: &[u8]) -> Result<(), Fault> {
        let (mut depth, mut digits) = (0_usize, 0_usize);
        let mut bytes = json.iter();
        while let Some(byte) = bytes.next() {
            digits = match byte {
                b'0'..=b'9' => digits + 1,
                _ => 0,
            };
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b'"' => skip_text(&mut bytes),
                _ => {}
            }
            if depth > self.nesting {
                return Err(too_much(
                    "is nested deeper than",
                    self.nesting,
                    "levels (program.nesting_most)",
                ));
            }
            if digits > self.digits {
                return Err(too_much(
                    "has a number of more than",
                    self.digits,
                    "digits (program.digits_most)",
                ));
            }
        }
        Ok(())
    }
}

/// To the end of a text that has begun.
fn skip_text(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

fn too_much(what: &str, most: usize, of: &str) -> Fault {
    let text = format!("what is to be sent to the program {what} {most} {of}");
    Fault::new(FaultKind::TooLarge, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_digits_are_bounded_outside_of_texts() {
        let bounds = Bounds {
            nesting: 3,
            digits: 4,
        };
        let fits = |json: &str| bounds.check(json.as_bytes()).is_ok();
        assert!(fits(r#"[{"a":[1234,-1234.1234e10]},[[]],[[]]]"#));
        assert!(fits(r#"{"[[[[\"[[[[":"[[[[12345678\\"}"#));
        assert!(!fits("[[[[]]]]"));
        assert!(!fits(r#"{"a":"\\","b":12345}"#));
        assert!(!fits("12345"));
    }
}
