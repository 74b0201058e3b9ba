//! Writing the arguments of a command.

use serde_pickle::{SerOptions, Value, value_to_vec};

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A `str`.
    Text(String),
    /// An `int`.
    Int(i64),
    /// A `bool`.
    Bool(bool),
    /// A `list` of `str`.
    Texts(Vec<String>),
    /// A `dict` with `str` keys and values.
    Fields(Vec<(&'static str, String)>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The arguments as a tuple in pickle protocol 2, which every Python reads.
#[must_use]
pub fn encode(args: Vec<Arg>) -> Vec<u8> {
    let tuple = Value::Tuple(args.into_iter().map(value).collect());
    // Writing these few types to memory cannot fail; an empty payload would be refused by the daemon, not misread.
    value_to_vec(&tuple, SerOptions::new().proto_v2()).unwrap_or_default()
}

fn value(arg: Arg) -> Value {
    match arg {
        Arg::Text(text) => Value::String(text),
        Arg::Int(number) => Value::I64(number),
        Arg::Bool(flag) => Value::Bool(flag),
        Arg::Texts(texts) => Value::List(texts.into_iter().map(Value::String).collect()),
        Arg::Fields(fields) => {
            let pair = |(key, text): (&str, String)| {
                (
                    serde_pickle::HashableValue::String(key.to_owned()),
                    Value::String(text),
                )
            };
            Value::Dict(fields.into_iter().map(pair).collect())
        }
    }
}
