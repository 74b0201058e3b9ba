//! Reading the values that clients send: the forms of [`Pickle::to_json`](super::Pickle::to_json), the other way round.
//!
//! The text is well-formed JSON already, so it is read in one go, by the brackets; serde would turn long integers into floats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Fault, FaultKind};
use serde_json::value::RawValue;

use super::Limits;
use super::arg::Arg;

impl Arg {
    /// The value whose JSON form this is. `{"$bytes"}`, `{"$float"}`, `{"$int"}` and `{"$dict"}` are what they are in
    /// [`Pickle::to_json`](super::Pickle::to_json), an array is a list (a tuple as, or in, the key of a dict), and an integer keeps
    /// its exact value however long it is.
    ///
    /// # Errors
    /// `Invalid`, saying what, if no such value is meant: another name that begins with `$`, a finite number beyond
    /// what a float holds, half a surrogate pair, a dict as a key, or more than `limits` let in the other way: deeper
    /// nesting, more values, an integer of more digits.
    pub fn from_json(json: &RawValue, limits: &Limits) -> Result<Self, Fault> {
        let mut reader = Reader {
            rest: json.get(),
            depth: limits.depth,
            nodes: limits.nodes,
            digits: limits.int_digits(),
        };
        reader.value(Place::Value)
    }
}

/// What is still to be read, and how much more there may be of it.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    nodes: usize,
    /// Most digits of an integer.
    digits: usize,
}

/// Where a value stands decides what an array becomes: Python's dicts take tuples for keys, but no lists.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Value,
    Key,
}

impl Reader<'_> {
    fn value(&mut self, place: Place) -> Result<Arg, Fault> {
        let left = self.nodes.checked_sub(1);
        self.nodes = left.ok_or_else(|| invalid("the value consists of too many values"))?;
        match self.peek() {
            Some(b'{') => self.object(place),
            Some(b'[') => {
                let mut items = Vec::new();
                self.array(|reader| {
                    items.push(reader.value(place)?);
                    Ok(())
                })?;
                Ok(match place {
                    Place::Value => Arg::List(items),
                    Place::Key => Arg::Tuple(items),
                })
            }
            Some(b'"') => self.text().map(Arg::Text),
            _ => {
                let digits = self.digits;
                scalar(self.word(), digits)
            }
        }
    }

    fn object(&mut self, place: Place) -> Result<Arg, Fault> {
        let (mut entries, mut special) = (Vec::new(), None);
        self.enclosed(b'{', b'}', |reader| {
            let name = reader.text()?;
            reader.skip(b':')?;
            if name.starts_with('$') || special.is_some() {
                alone(entries.is_empty() && special.is_none(), &name)?;
                special = Some(reader.tagged(&name, place)?);
                return Ok(());
            }
            entries.push((Arg::Text(name), reader.value(Place::Value)?));
            Ok(())
        })?;
        match special {
            Some(value) => Ok(value),
            None => dict(entries, place),
        }
    }

    fn tagged(&mut self, name: &str, place: Place) -> Result<Arg, Fault> {
        match name {
            "$bytes" => {
                let bytes = STANDARD.decode(self.text()?);
                bytes
                    .map(Arg::Bytes)
                    .map_err(|_| invalid("`$bytes` is no base64"))
            }
            "$float" => match &self.text()?[..] {
                "nan" => Ok(Arg::Float(f64::NAN)),
                "inf" => Ok(Arg::Float(f64::INFINITY)),
                "-inf" => Ok(Arg::Float(f64::NEG_INFINITY)),
                _ => Err(invalid("`$float` is none of nan, inf and -inf")),
            },
            "$int" => int(&self.text()?, self.digits),
            "$dict" => {
                let mut entries = Vec::new();
                self.array(|reader| {
                    entries.push(reader.pair()?);
                    Ok(())
                })?;
                dict(entries, place)
            }
            _ => Err(invalid(format!("a value cannot be given by `{name}`"))),
        }
    }

    fn pair(&mut self) -> Result<(Arg, Arg), Fault> {
        let (mut key, mut value) = (None, None);
        self.array(|reader| {
            match (&key, &value) {
                (None, _) => key = Some(reader.value(Place::Key)?),
                (_, None) => value = Some(reader.value(Place::Value)?),
                _ => return Err(invalid("an entry of `$dict` is no pair")),
            }
            Ok(())
        })?;
        key.zip(value)
            .ok_or_else(|| invalid("an entry of `$dict` is no pair"))
    }

    // ---- the text

    fn array(&mut self, item: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.enclosed(b'[', b']', item)
    }

    /// Reads what stands between brackets, separated by commas.
    fn enclosed(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.skip(open)?;
        let above = self.depth;
        self.depth = above
            .checked_sub(1)
            .ok_or_else(|| invalid("the value is nested too deeply"))?;
        while self.peek() != Some(close) {
            item(self)?;
            if self.peek() == Some(b',') {
                self.skip(b',')?;
            }
        }
        self.depth = above;
        self.skip(close)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    fn skip(&mut self, byte: u8) -> Result<(), Fault> {
        let rest = self.rest.trim_ascii_start().strip_prefix(char::from(byte));
        self.rest = rest.ok_or_else(|| {
            invalid(format!(
                "a value has no `{}` where it should",
                char::from(byte)
            ))
        })?;
        Ok(())
    }

    fn text(&mut self) -> Result<String, Fault> {
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter();
        let text = texts.next().unwrap_or(Ok(String::new()));
        let text = text.map_err(|error| invalid(format!("a text cannot be read: {error}")))?;
        self.rest = self.rest.get(texts.byte_offset()..).unwrap_or_default();
        Ok(text)
    }

    /// A number or a word, up to what may follow one.
    fn word(&mut self) -> &str {
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\r', '\t']);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }
}

fn scalar(word: &str, digits: usize) -> Result<Arg, Fault> {
    match word {
        "null" => Ok(Arg::None),
        "true" => Ok(Arg::Bool(true)),
        "false" => Ok(Arg::Bool(false)),
        number if !number.contains(['.', 'e', 'E']) => int(number, digits),
        number => match number.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Arg::Float(number)),
            _ => Err(invalid("a number is beyond what a float holds")),
        },
    }
}

fn dict(entries: Vec<(Arg, Arg)>, place: Place) -> Result<Arg, Fault> {
    match place {
        Place::Value => Ok(Arg::Dict(entries)),
        Place::Key => Err(invalid("a dict cannot be the key of a dict")),
    }
}

fn alone(is_alone: bool, name: &str) -> Result<(), Fault> {
    match is_alone {
        true => Ok(()),
        false => Err(invalid(format!(
            "`{name}` does not stand alone in its object"
        ))),
    }
}

fn int(digits: &str, most: usize) -> Result<Arg, Fault> {
    let refused = || invalid(format!("an integer is not one to {most} decimal digits"));
    Arg::int(digits, most).ok_or_else(refused)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}
