//! A Python value that is to be sent.

use super::number;

/// A value for a command: what Python has, and JSON only in part.
///
/// Writing one recurses as deep as it is nested. [`Arg::from_json`] bounds that; whoever builds one by hand does too.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// `None`.
    None,
    /// A `bool`.
    Bool(bool),
    /// An `int` that 64 bits hold.
    Int(i64),
    /// Any other `int`.
    BigInt(BigInt),
    /// A `float`; `nan` and the infinities too.
    Float(f64),
    /// A `str`.
    Text(String),
    /// A `bytes`.
    Bytes(Vec<u8>),
    /// A `list`.
    List(Vec<Arg>),
    /// A `tuple`.
    Tuple(Vec<Arg>),
    /// A `dict`, in this order. Of equal keys Python keeps the first, with the last value.
    Dict(Vec<(Arg, Arg)>),
}

/// An integer beyond 64 bits, as its decimal digits: no leading zeros, `-` in front if it is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInt(String);

impl Arg {
    /// The `int` with these decimal digits, which `-` may precede. `None` if they are no such digits, have zeros in front,
    /// or are more than `most` where 64 bits do not hold them.
    #[must_use]
    pub fn int(digits: &str, most: usize) -> Option<Self> {
        match number::check_digits(digits.as_bytes())? {
            Some(small) => Some(Self::Int(small)),
            None if digits.trim_start_matches('-').len() > most => None,
            None => Some(Self::BigInt(BigInt(digits.to_owned()))),
        }
    }
}

impl BigInt {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
