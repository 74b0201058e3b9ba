//! A password on its way to the one who checks it.

use abi_stable::StableAbi;
use abi_stable::std_types::RVec;
use zeroize::Zeroize;

/// Text that is never printed and is wiped from memory when dropped.
///
/// ```
/// let secret = patchbay_abi::Secret::new("hunter2");
/// assert_eq!(secret.expose(), "hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// ```
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Secret {
    text: RVec<u8>,
}

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Secret {
            text: RVec::from(text.into().into_bytes()),
        }
    }

    /// The text itself, for the call that needs it. Empty if a peer sent what is no text.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Compares without telling by its timing where the difference is.
    pub fn matches(&self, other: &Secret) -> bool {
        let (a, b) = (self.text.as_slice(), other.text.as_slice());
        let differences = a.iter().zip(b).fold(0u8, |sum, (x, y)| sum | (x ^ y));
        a.len() == b.len() && differences == 0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.text.as_mut_slice().zeroize();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_matches() {
        assert!(Secret::new("abc").matches(&Secret::new("abc")));
        for other in ["", "ab", "abcd", "abd"] {
            assert!(!Secret::new("abc").matches(&Secret::new(other)), "{other}");
        }
    }
}
