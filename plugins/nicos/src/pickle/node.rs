//! What a decoded payload consists of.

use std::borrow::Cow;
use std::num::NonZeroU32;

/// A value's place in the arena, counted from one, so that none costs nothing more. Several values may refer to the same one: that is how Python shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(NonZeroU32);

impl Id {
    /// The id of the value at a place.
    pub(super) fn of(place: usize) -> Option<Self> {
        u32::try_from(place)
            .ok()?
            .checked_add(1)
            .and_then(NonZeroU32::new)
            .map(Self)
    }

    /// Where it is.
    pub(super) fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

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
