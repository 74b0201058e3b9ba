//! Reading and writing Python pickles without Python.
//!
//! [`decode`] reads any protocol from 0 to 5 into an arena of inert nodes: a class is a name, a call is a record of what
//! Python would have called, and nothing is ever executed. [`Pickle::to_json`] writes the result as compact JSON:
//!
//! | Python | JSON |
//! | --- | --- |
//! | `None`, `bool`, `str`, finite `float`, `int` within 64 bits | as JSON has them |
//! | `int` beyond 64 bits | `{"$int": "digits"}` |
//! | `nan`, `inf`, `-inf` | `{"$float": "nan"}`, `"inf"`, `"-inf"` |
//! | `bytes`, `bytearray` | `{"$bytes": "base64"}` |
//! | `tuple`, `list`, `set`, `frozenset`, `deque`, NICOS's `readonlylist` | `[…]` |
//! | `dict`, `OrderedDict`, `defaultdict`, `Counter`, `readonlydict` | `{…}`, or `{"$dict": [[key, value], …]}` if a key is no text or begins with `$` |
//! | a class or function itself | `{"$global": "module.name"}` |
//! | `datetime`, `date`, `time` | `{"$class": "datetime.datetime", "iso": "2026-11-22T10:00:00"}` |
//! | `time.struct_time` | `{"$class": "time.struct_time", "tm_year": 2026, …}` |
//! | `uuid.UUID` | `{"$class": "uuid.UUID", "hex": "8-4-4-4-12"}` |
//! | NumPy scalar, array of booleans, integers or floats | the number (32 bits: with as many digits as they have), nested arrays (an empty array is `[]`) |
//! | NumPy array of objects with one dimension | `[…]` |
//! | any other NumPy array | `{"$class": "numpy.ndarray", "dtype": "<c16", "shape": [2], "data": {"$bytes": …}}` |
//! | any other instance | `{"$class": "module.name", "$args": […], "$kwargs": …, "$items": […], "$entries": [[k, v], …], …state}` |
//!
//! The parts of an instance that are empty are left out; a state that is no dict with plain keys stands under `"$state"`.
//! Python 2's names of built-in things are given as Python 3's, so that the same value gives the same JSON whatever protocol
//! carried it.
//! Text that is no valid UTF-8 gets replacement characters. A value that contains itself is an error.
//!
//! The other way, [`Arg::from_json`] reads those forms, [`encode`] writes them as the arguments of a command, and
//! [`Arg::literal`] as Python source.
//!
//! Source: Python's `pickletools.py`, which describes every instruction.

mod arg;
mod array;
mod cursor;
mod encode;
mod error;
mod from_json;
mod instructions;
mod json;
mod limits;
mod literal;
mod machine;
mod memo;
mod moment;
mod name;
mod node;
mod number;
mod object;
mod opcode;
mod output;
mod text;

pub use arg::{Arg, BigInt};
pub use encode::encode;
pub use error::PickleError;
pub use limits::Limits;

use machine::Machine;
use node::{Id, Node};
use patchbay_sdk::RawJson;

/// A decoded payload.
#[derive(Debug)]
pub struct Pickle<'a> {
    arena: Vec<Node<'a>>,
    root: Id,
    limits: Limits,
}

/// What an exception object says, when a payload is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The class, as in `builtins.NameError`.
    pub class: String,
    /// Its argument if it is one text, else its arguments as JSON.
    pub text: String,
}

/// Reads one payload, which must hold exactly one value.
///
/// # Errors
/// [`PickleError`] if the payload is no pickle of protocol 0 to 5, refers to anything outside itself, or exceeds `limits`.
pub fn decode<'a>(payload: &'a [u8], limits: &Limits) -> Result<Pickle<'a>, PickleError> {
    if payload.len() > limits.input_bytes {
        return Err(PickleError::Limit {
            what: "bytes in one payload",
            limit: limits.input_bytes,
        });
    }
    let finished = Machine::new(payload, limits).run()?;
    Ok(Pickle {
        arena: finished.arena,
        root: finished.root,
        limits: limits.clone(),
    })
}

impl Pickle<'_> {
    /// The whole value as compact JSON.
    ///
    /// # Errors
    /// [`PickleError`] if the value contains itself or its JSON would exceed the limits it was decoded with.
    pub fn to_json(&self) -> Result<RawJson, PickleError> {
        // What is written is JSON, which tests and fuzzing hold; to check it would take a quarter of the time.
        json::write(self, self.root).map(RawJson::vouched)
    }

    /// The exception that the value is, if it is an instance of one. Python sends `NameError(…)` like any other value.
    #[must_use]
    pub fn raised(&self) -> Option<Raised> {
        object::raised(self, self.root)
    }

    fn node(&self, id: Id) -> &Node<'_> {
        // Ids come only from this arena.
        self.arena.get(id.place()).unwrap_or(&Node::None)
    }
}
