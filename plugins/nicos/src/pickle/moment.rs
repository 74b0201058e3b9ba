//! Dates, times and identifiers of the standard library.

use super::json::Part;
use super::node::{Id, Node};
use super::object::{Form, Instance, bytes_of, entries_of, entry, int_of, items_of};
use super::{Pickle, number};

/// The form of a date, time or UUID, `None` if it is not one or not put together as Python does.
pub(super) fn recognise<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let parts = match instance.class.as_str() {
        "datetime.datetime" => moment(pickle, instance, 10)?,
        "datetime.date" => moment(pickle, instance, 4)?,
        "datetime.time" => moment(pickle, instance, 6)?,
        "time.struct_time" => struct_time(pickle, instance)?,
        "uuid.UUID" => uuid(pickle, instance)?,
        _ => return None,
    };
    Some(Form::Instance {
        class: instance.class.clone(),
        parts,
    })
}

const STRUCT_TIME: [&str; 9] = [
    "tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst",
];

fn moment<'p>(
    pickle: &'p Pickle<'_>,
    instance: &Instance<'p>,
    length: usize,
) -> Option<Vec<Part<'p>>> {
    let (&packed, zone) = instance.args.split_first()?;
    let packed = bytes_of(pickle, packed).filter(|bytes| bytes.len() == length)?;
    let mut iso = match length {
        4 => date(&packed)?,
        6 => time(&packed)?,
        _ => format!("{}T{}", date(packed.get(..4)?)?, time(packed.get(4..)?)?),
    };
    let mut parts = vec![Part::Name("iso")];
    match zone.first() {
        Some(&zone) => match offset(pickle, zone) {
            Some(offset) => {
                iso.push_str(&offset);
                parts.push(Part::Json(format!("\"{iso}\"")));
            }
            None => parts.extend([
                Part::Json(format!("\"{iso}\"")),
                Part::Name("tzinfo"),
                Part::Value(zone),
            ]),
        },
        None => parts.push(Part::Json(format!("\"{iso}\""))),
    }
    Some(parts)
}

fn date(packed: &[u8]) -> Option<String> {
    let [high, low, month, day] = packed else {
        return None;
    };
    // The top bit of the month says which of two equal times at the end of summer time is meant.
    Some(format!(
        "{:04}-{:02}-{day:02}",
        u16::from_be_bytes([*high, *low]),
        month & 0x7f
    ))
}

fn time(packed: &[u8]) -> Option<String> {
    let [hour, minute, second, micro @ ..] = packed else {
        return None;
    };
    let [high, middle, low] = micro else {
        return None;
    };
    let micros = u32::from_be_bytes([0, *high, *middle, *low]);
    let fraction = if micros == 0 {
        String::new()
    } else {
        format!(".{micros:06}")
    };
    Some(format!(
        "{:02}:{minute:02}:{second:02}{fraction}",
        hour & 0x7f
    ))
}

/// `+01:00` for a `datetime.timezone` of whole minutes.
fn offset(pickle: &Pickle<'_>, zone: Id) -> Option<String> {
    let Node::Object(zone) = pickle.node(zone) else {
        return None;
    };
    if super::name::global_name(pickle, zone.callee) != "datetime.timezone" {
        return None;
    }
    let Node::Object(delta) = pickle.node(*items_of(pickle, zone.args)?.first()?) else {
        return None;
    };
    let [days, seconds, _] = items_of(pickle, delta.args)? else {
        return None;
    };
    let seconds = int_of(pickle, *days)?
        .checked_mul(86_400)?
        .checked_add(int_of(pickle, *seconds)?)?;
    let minutes = (seconds % 60 == 0).then_some(seconds / 60)?;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    Some(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}

fn struct_time<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Vec<Part<'p>>> {
    let (&fields, more) = instance.args.split_first()?;
    let fields = items_of(pickle, fields).filter(|fields| fields.len() == STRUCT_TIME.len())?;
    let mut parts = Vec::new();
    for (&name, &field) in STRUCT_TIME.iter().zip(fields) {
        parts.extend([
            Part::Name(name),
            Part::Json(int_of(pickle, field)?.to_string()),
        ]);
    }
    if let Some(entries) = more.first().and_then(|&more| entries_of(pickle, more)) {
        for name in ["tm_zone", "tm_gmtoff"] {
            if let Some(value) = entry(pickle, entries, name) {
                parts.extend([Part::Name(name), Part::Value(value)]);
            }
        }
    }
    Some(parts)
}

fn uuid<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Vec<Part<'p>>> {
    let state = entries_of(pickle, instance.state?)?;
    let value = match pickle.node(entry(pickle, state, "int")?) {
        Node::Int(small) => u128::try_from(*small).ok()?,
        Node::BigInt(bytes) => number::to_u128(bytes)?,
        Node::Digits(digits) => std::str::from_utf8(digits).ok()?.parse().ok()?,
        _ => return None,
    };
    let hex = format!("{value:032x}");
    let groups = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Some(vec![
        Part::Name("hex"),
        Part::Json(format!("\"{}\"", groups.join("-"))),
    ])
}
