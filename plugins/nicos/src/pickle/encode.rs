//! Writing the arguments of a command.
//!
//! Written here because no serializer of serde's keeps the order of dicts and has integers beyond 64 bits.

use super::arg::Arg;
use super::opcode as op;

/// The protocol that NICOS itself speaks, and every Python reads.
const PROTOCOL: u8 = 2;

/// The arguments as a tuple in pickle protocol 2. Bytes are written with the instructions of protocol 3, which every
/// Python 3 also reads here: protocol 2 would have to name a function for Python to call.
#[must_use]
pub fn encode(args: Vec<Arg>) -> Vec<u8> {
    let mut out = vec![op::PROTO, PROTOCOL];
    tuple(&args, &mut out);
    out.push(op::STOP);
    out
}

fn value(arg: &Arg, out: &mut Vec<u8>) {
    match arg {
        Arg::None => out.push(op::NONE),
        Arg::Bool(true) => out.push(op::NEWTRUE),
        Arg::Bool(false) => out.push(op::NEWFALSE),
        Arg::Int(number) => int(*number, out),
        Arg::BigInt(number) => {
            // Decimal, as protocol 0 has it: Python converts it sooner than we would.
            out.push(op::LONG);
            out.extend(number.digits().as_bytes());
            out.extend(b"L\n");
        }
        Arg::Float(number) => {
            out.push(op::BINFLOAT);
            out.extend(number.to_be_bytes());
        }
        Arg::Text(text) => sized(op::BINUNICODE, text.as_bytes(), out),
        Arg::Bytes(bytes) => sized(op::BINBYTES, bytes, out),
        Arg::List(items) => list(items, out),
        Arg::Tuple(items) => tuple(items, out),
        Arg::Dict(entries) => dict(entries, out),
    }
}

fn int(number: i64, out: &mut Vec<u8>) {
    match i32::try_from(number) {
        Ok(small) => {
            out.push(op::BININT);
            out.extend(small.to_le_bytes());
        }
        Err(_) => {
            out.extend([op::LONG1, 8]);
            out.extend(number.to_le_bytes());
        }
    }
}

fn sized(code: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(code);
    // No command comes near 4 GiB; one that did would be refused by the daemon, not misread.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(bytes);
}

fn list(items: &[Arg], out: &mut Vec<u8>) {
    out.extend([op::EMPTY_LIST, op::MARK]);
    items.iter().for_each(|item| value(item, out));
    out.push(op::APPENDS);
}

fn tuple(items: &[Arg], out: &mut Vec<u8>) {
    let end = match items.len() {
        0 => op::EMPTY_TUPLE,
        1 => op::TUPLE1,
        2 => op::TUPLE2,
        3 => op::TUPLE3,
        _ => {
            out.push(op::MARK);
            op::TUPLE
        }
    };
    items.iter().for_each(|item| value(item, out));
    out.push(end);
}

fn dict(entries: &[(Arg, Arg)], out: &mut Vec<u8>) {
    out.extend([op::EMPTY_DICT, op::MARK]);
    for (key, entry) in entries {
        value(key, out);
        value(entry, out);
    }
    out.push(op::SETITEMS);
}
