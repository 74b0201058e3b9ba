//! NumPy's scalars and arrays.

use std::borrow::Cow;

use super::json::Part;
use super::node::{Id, Node};
use super::object::{Form, Instance, bytes_of, int_of, items_of, short_text_of};
use super::output::Output;
use super::{Pickle, PickleError};

/// An array of numbers, or with no dimensions a scalar.
pub(super) struct Array<'p> {
    kind: Kind,
    big_endian: bool,
    shape: Vec<usize>,
    /// First index fastest, as Fortran stores matrices.
    fortran: bool,
    data: Cow<'p, [u8]>,
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Int(usize),
    Uint(usize),
    Float(usize),
}

/// What a `numpy.dtype` says: the type code without byte order, and the order.
struct Dtype {
    code: String,
    order: char,
}

/// Longest type code looked at, as in `U1000`.
const LONGEST_CODE: usize = 32;

/// Most dimensions that NumPy can have, of version 2; version 1 has half. No key, because there are no others.
const MOST_DIMENSIONS: usize = 64;

/// The form of a NumPy value, `None` if it is not one or not put together as NumPy does.
pub(super) fn recognise<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let function = instance.class.strip_prefix("numpy.")?;
    match function.strip_prefix("_").unwrap_or(function) {
        "core.multiarray.scalar" => scalar(pickle, instance),
        "core.multiarray._reconstruct" => reconstructed(pickle, instance),
        "core.numeric._frombuffer" => from_buffer(pickle, instance),
        _ => None,
    }
}

/// Writes the array as nested JSON arrays, a scalar as its value. An array without elements is `[]`.
pub(super) fn write(array: &Array<'_>, out: &mut Output<'_>) -> Result<(), PickleError> {
    out.look_at(array.data.len())?;
    let total: usize = array.shape.iter().product();
    out.count(total)?;
    if total == 0 {
        out.open('[')?;
        return out.close(']');
    }
    for index in 0..total {
        for _ in 0..array.edges(index) {
            out.open('[')?;
        }
        array.element(array.place(index), out)?;
        for _ in 0..array.edges(index + 1) {
            out.close(']')?;
        }
        if index + 1 < total {
            out.push(",")?;
        }
    }
    Ok(())
}

fn scalar<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let [dtype, data] = instance.args else {
        return None;
    };
    assemble(
        dtype_of(pickle, *dtype)?,
        Vec::new(),
        false,
        bytes_of(pickle, *data)?,
    )
}

fn reconstructed<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let [_version, shape, dtype, fortran, data] = items_of(pickle, instance.state?)? else {
        return None;
    };
    let shape = shape_of(pickle, *shape)?;
    let fortran = matches!(pickle.node(*fortran), Node::Bool(true) | Node::Int(1));
    if let (Node::List(items), 1) = (pickle.node(*data), shape.len()) {
        return Some(Form::Items(items));
    }
    assemble(
        dtype_of(pickle, *dtype)?,
        shape,
        fortran,
        bytes_of(pickle, *data)?,
    )
}

fn from_buffer<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let [data, dtype, shape, order] = instance.args else {
        return None;
    };
    let fortran = short_text_of(pickle, *order, 1)? == "F";
    assemble(
        dtype_of(pickle, *dtype)?,
        shape_of(pickle, *shape)?,
        fortran,
        bytes_of(pickle, *data)?,
    )
}

fn assemble(
    dtype: Dtype,
    shape: Vec<usize>,
    fortran: bool,
    data: Cow<'_, [u8]>,
) -> Option<Form<'_>> {
    let Some(kind) = kind(&dtype.code) else {
        return Some(opaque(&dtype, &shape, &data));
    };
    let elements = shape
        .iter()
        .try_fold(1usize, |total, &size| total.checked_mul(size))?;
    if elements.checked_mul(kind.size())? != data.len() {
        return None;
    }
    Some(Form::Numbers(Array {
        kind,
        big_endian: dtype.order == '>',
        shape,
        fortran,
        data,
    }))
}

fn opaque<'p>(dtype: &Dtype, shape: &[usize], data: &[u8]) -> Form<'p> {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(data);
    let dtype = serde_json::Value::from(format!("{}{}", dtype.order, dtype.code));
    let parts = vec![
        Part::Name("dtype"),
        Part::Json(dtype.to_string()),
        Part::Name("shape"),
        Part::Json(serde_json::Value::from(shape).to_string()),
        Part::Name("data"),
        Part::Json(format!(r#"{{"$bytes":"{data}"}}"#)),
    ];
    Form::Instance {
        class: "numpy.ndarray".to_owned(),
        parts,
    }
}

fn dtype_of(pickle: &Pickle<'_>, id: Id) -> Option<Dtype> {
    let Node::Object(object) = pickle.node(id) else {
        return None;
    };
    let code = *items_of(pickle, object.args)?.first()?;
    let code = short_text_of(pickle, code, LONGEST_CODE)?.into_owned();
    let state = object.state.and_then(|state| items_of(pickle, state));
    let order = state.and_then(|state| short_text_of(pickle, *state.get(1)?, 1));
    let order = order.and_then(|order| order.chars().next()).unwrap_or('|');
    Some(Dtype { code, order })
}

fn shape_of(pickle: &Pickle<'_>, id: Id) -> Option<Vec<usize>> {
    let sizes = items_of(pickle, id)?;
    if sizes.len() > MOST_DIMENSIONS {
        return None;
    }
    sizes
        .iter()
        .map(|&size| usize::try_from(int_of(pickle, size)?).ok())
        .collect()
}

fn kind(code: &str) -> Option<Kind> {
    let kind = match code {
        "b1" => Kind::Bool,
        "i1" | "i2" | "i4" | "i8" => Kind::Int(code[1..].parse().ok()?),
        "u1" | "u2" | "u4" | "u8" => Kind::Uint(code[1..].parse().ok()?),
        "f4" | "f8" => Kind::Float(code[1..].parse().ok()?),
        _ => return None,
    };
    Some(kind)
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int(size) | Self::Uint(size) | Self::Float(size) => size,
        }
    }
}

impl Array<'_> {
    /// How many arrays begin before the element at `index`, which is also how many end after the one before it.
    fn edges(&self, index: usize) -> usize {
        let mut row = 1usize;
        self.shape
            .iter()
            .rev()
            .take_while(|&&size| {
                row = row.saturating_mul(size);
                index.is_multiple_of(row)
            })
            .count()
    }

    /// Where the element that is `index`-th in C order lies.
    fn place(&self, index: usize) -> usize {
        if !self.fortran {
            return index;
        }
        let (mut rest, mut place) = (index, 0);
        let total: usize = self.shape.iter().product();
        let mut stride = total;
        for &size in self.shape.iter().rev() {
            stride /= size;
            place += (rest % size) * stride;
            rest /= size;
        }
        place
    }

    fn element(&self, place: usize, out: &mut Output<'_>) -> Result<(), PickleError> {
        let size = self.kind.size();
        let mut wide = [0u8; 8];
        // Little-endian, widened with zeros.
        let bytes = self
            .data
            .get(place * size..(place + 1) * size)
            .unwrap_or_default();
        for (index, byte) in bytes.iter().enumerate() {
            wide[if self.big_endian {
                size - 1 - index
            } else {
                index
            }] = *byte;
        }
        let unsigned = u64::from_le_bytes(wide);
        match self.kind {
            Kind::Bool => out.push(if unsigned == 0 { "false" } else { "true" }),
            Kind::Uint(_) => out.uint(unsigned),
            Kind::Int(size) => {
                let shift = 64 - 8 * size;
                let signed = i64::from_le_bytes((unsigned << shift).to_le_bytes()) >> shift;
                out.int(signed)
            }
            Kind::Float(4) => out.single(f32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]])),
            Kind::Float(_) => out.float(f64::from_le_bytes(wide)),
        }
    }
}
