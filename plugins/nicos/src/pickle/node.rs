//! What a decoded payload consists of.

use std::borrow::Cow;

/// A value's place in the arena. Several values may refer to the same one: that is how Python shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// One decoded value. Nothing here does anything: a class is only its name.
#[derive(Debug)]
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// Little-endian two's complement, when it needs more than 64 bits.
    BigInt(&'a [u8]),
    /// Decimal digits with an optional sign, as protocol 0 writes integers beyond 64 bits.
    Digits(&'a [u8]),
    Float(f64),
    /// UTF-8, in which lone surrogates may stand as three bytes.
    Text(Cow<'a, [u8]>),
    /// A Python 2 `str`: text or bytes, nobody knows.
    OldText(Cow<'a, [u8]>),
    Bytes(&'a [u8]),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by name. The parts stay nodes, so that sharing a long name costs nothing.
    Global {
        module: Id,
        name: Id,
    },
    Object(Box<Object>),
}

/// The inert record of "call this, then set that": what Python would have executed.
#[derive(Debug)]
pub(super) struct Object {
    /// The class, or the function that would have made the instance.
    pub(super) callee: Id,
    pub(super) args: Id,
    pub(super) kwargs: Option<Id>,
    pub(super) state: Option<Id>,
    pub(super) items: Vec<Id>,
    pub(super) entries: Vec<(Id, Id)>,
}

impl Object {
    pub(super) fn new(callee: Id, args: Id) -> Self {
        Self {
            callee,
            args,
            kwargs: None,
            state: None,
            items: Vec::new(),
            entries: Vec::new(),
        }
    }
}
