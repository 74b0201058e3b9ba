//! Reading the values that clients send: the forms of [`Pickle::to_json`](super::Pickle::to_json), the other way round.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Fault, FaultKind};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::arg::Arg;
use super::{Limits, MOST_DIGITS};

/// The fields of an object in their order, doubles included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

/// Where a value stands decides what an array becomes: Python's dicts take tuples for keys, but no lists.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Value,
    Key,
}

impl Arg {
    /// The value whose JSON form this is. `{"$bytes"}`, `{"$float"}`, `{"$int"}` and `{"$dict"}` are what they are in
    /// [`Pickle::to_json`](super::Pickle::to_json), an array is a list (a tuple as, or in, the key of a dict), and an integer keeps
    /// its exact value however long it is.
    ///
    /// # Errors
    /// `Invalid`, saying what, if no such value is meant: another name that begins with `$`, an integer of more than
    /// [`MOST_DIGITS`] digits, a finite number beyond what a float holds, half a surrogate pair, a dict as a key, or
    /// nesting deeper than [`Limits::depth`] is by default.
    pub fn from_json(json: &RawValue) -> Result<Self, Fault> {
        value(json, Place::Value, Limits::default().depth)
    }
}

/// `depth` is how many levels may still follow. Each level scans its text anew, which is why they are few.
fn value(json: &RawValue, place: Place, depth: usize) -> Result<Arg, Fault> {
    let text = json.get();
    let value = match text.as_bytes().first() {
        Some(b'{' | b'[') if depth == 0 => return Err(too_deep()),
        Some(b'{') => return object(parse::<Fields<'_>>(json)?.0, place, depth - 1),
        Some(b'[') => {
            let items = items(json, place, depth - 1)?;
            return Ok(match place {
                Place::Value => Arg::List(items),
                Place::Key => Arg::Tuple(items),
            });
        }
        Some(b'"') => Arg::Text(parse(json)?),
        Some(b't' | b'f') => Arg::Bool(parse(json)?),
        Some(b'n') => Arg::None,
        _ => return number(text),
    };
    Ok(value)
}

fn items(json: &RawValue, place: Place, depth: usize) -> Result<Vec<Arg>, Fault> {
    let items: Vec<&RawValue> = parse(json)?;
    items
        .into_iter()
        .map(|item| value(item, place, depth))
        .collect()
}

fn number(text: &str) -> Result<Arg, Fault> {
    if !text.contains(['.', 'e', 'E']) {
        return Arg::int(text).ok_or_else(too_long);
    }
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Ok(Arg::Float(number)),
        _ => Err(invalid("a number is beyond what a float holds")),
    }
}

fn object(fields: Vec<(String, &RawValue)>, place: Place, depth: usize) -> Result<Arg, Fault> {
    if let Some((name, content)) = fields.iter().find(|(name, _)| name.starts_with('$')) {
        if fields.len() > 1 {
            return Err(invalid(format!(
                "`{name}` does not stand alone in its object"
            )));
        }
        return tagged(name, content, place, depth);
    }
    refuse_key(place)?;
    let entry = |(name, content)| Ok((Arg::Text(name), value(content, Place::Value, depth)?));
    fields
        .into_iter()
        .map(entry)
        .collect::<Result<_, _>>()
        .map(Arg::Dict)
}

fn tagged(name: &str, content: &RawValue, place: Place, depth: usize) -> Result<Arg, Fault> {
    match name {
        "$bytes" => {
            let bytes = STANDARD.decode(parse::<String>(content)?);
            bytes
                .map(Arg::Bytes)
                .map_err(|_| invalid("`$bytes` is no base64"))
        }
        "$float" => match &parse::<String>(content)?[..] {
            "nan" => Ok(Arg::Float(f64::NAN)),
            "inf" => Ok(Arg::Float(f64::INFINITY)),
            "-inf" => Ok(Arg::Float(f64::NEG_INFINITY)),
            _ => Err(invalid("`$float` is none of nan, inf and -inf")),
        },
        "$int" => Arg::int(&parse::<String>(content)?).ok_or_else(too_long),
        "$dict" => {
            refuse_key(place)?;
            let pairs: Vec<&RawValue> = parse(content)?;
            pairs
                .into_iter()
                .map(|entry| pair(entry, depth))
                .collect::<Result<_, _>>()
                .map(Arg::Dict)
        }
        _ => Err(invalid(format!("a value cannot be given by `{name}`"))),
    }
}

fn pair(entry: &RawValue, depth: usize) -> Result<(Arg, Arg), Fault> {
    let [key, content]: [&RawValue; 2] = parse(entry)?;
    // The arrays of a `$dict` and of its pair are levels, too.
    let depth = depth.checked_sub(2).ok_or_else(too_deep)?;
    Ok((
        value(key, Place::Key, depth)?,
        value(content, Place::Value, depth)?,
    ))
}

fn refuse_key(place: Place) -> Result<(), Fault> {
    match place {
        Place::Value => Ok(()),
        Place::Key => Err(invalid("a dict cannot be the key of a dict")),
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(json.get())
        .map_err(|error| invalid(format!("a value cannot be read: {error}")))
}

fn too_deep() -> Fault {
    invalid("the value is nested too deeply")
}

fn too_long() -> Fault {
    invalid(format!(
        "an integer is not one to {MOST_DIGITS} decimal digits"
    ))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(InOrder).map(Self)
    }
}
