//! The commands: one table, in the order of NICOS's own list.

use patchbay_sdk::{Fault, FaultKind, RawJson, Secret};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::fields::Arguments;
use crate::reply::Shape;
use crate::request::{Call, Login, Request};

/// `getmessages *` asks for this many; the backend has its own limit.
const ALL_MESSAGES: u64 = 100_000;
const TEXT: &str = "text";

/// A command of NICOS.
pub(crate) struct Verb {
    name: &'static str,
    pub read: fn(Arguments<'_>) -> Result<Request, Fault>,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "start",
        read: |a| submit(a, true),
    },
    Verb {
        name: "simulate",
        read: simulate,
    },
    Verb {
        name: "queue",
        read: |a| submit(a, false),
    },
    Verb {
        name: "unqueue",
        read: unqueue,
    },
    Verb {
        name: "update",
        read: update,
    },
    Verb {
        name: "break",
        read: |a| call("pause", &json!({"at": level(a, false)?}), Shape::Null),
    },
    Verb {
        name: "continue",
        read: |_| plain("resume", Shape::Null),
    },
    Verb {
        name: "stop",
        read: |a| call("stop", &json!({"at": level(a, true)?}), Shape::Null),
    },
    Verb {
        name: "emergency",
        read: |_| plain("emergency", Shape::Null),
    },
    Verb {
        name: "finish",
        read: |_| plain("finish", Shape::Null),
    },
    Verb {
        name: "exec",
        read: exec,
    },
    Verb {
        name: "eval",
        read: eval,
    },
    Verb {
        name: "watch",
        read: |a| watch("watch", a),
    },
    Verb {
        name: "unwatch",
        read: |a| watch("unwatch", a),
    },
    Verb {
        name: "getversion",
        read: |_| plain("banner", Shape::Version),
    },
    Verb {
        name: "getbanner",
        read: |_| plain("banner", Shape::Banner),
    },
    Verb {
        name: "getstatus",
        read: |_| call("status", &json!({"native": true}), Shape::Status),
    },
    Verb {
        name: "getmessages",
        read: getmessages,
    },
    Verb {
        name: "getscript",
        read: |_| call("status", &json!({"native": true}), Shape::Script),
    },
    Verb {
        name: "gethistory",
        read: gethistory,
    },
    Verb {
        name: "gettrace",
        read: |_| plain("trace", Shape::Same),
    },
    Verb {
        name: "complete",
        read: complete,
    },
    Verb {
        name: "unlock",
        read: |_| plain("release_control", Shape::Null),
    },
    Verb {
        name: "quit",
        read: |_| Ok(Request::Logout),
    },
    Verb {
        name: "authenticate",
        read: authenticate,
    },
    Verb {
        name: "rearrange",
        read: rearrange,
    },
    Verb {
        name: "keepalive",
        read: |_| Ok(Request::Nothing),
    },
];

/// The names of all commands.
///
/// ```
/// assert!(patchbay_dialect_nicos::names().any(|name| name == "getstatus"));
/// ```
pub fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.name)
}

pub(crate) fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

fn call(
    op: &'static str,
    args: &(impl Serialize + ?Sized),
    shape: Shape,
) -> Result<Request, Fault> {
    Ok(Request::Call(Call {
        op,
        args: RawJson::new(args)?,
        shape,
    }))
}

fn plain(op: &'static str, shape: Shape) -> Result<Request, Fault> {
    call(op, &json!({}), shape)
}

fn authenticate(a: Arguments<'_>) -> Result<Request, Fault> {
    let user = a.need(0, &["login", "user"], TEXT)?;
    let secret: String = a.need(1, &["passwd", "password"], TEXT)?;
    Ok(Request::Login(Login {
        user,
        secret: Secret::new(secret),
    }))
}

fn submit(a: Arguments<'_>, start: bool) -> Result<Request, Fault> {
    let mut args = Map::new();
    let name: Option<String> = a.may(0, &["name"], TEXT)?;
    args.insert("code".into(), a.need::<String>(1, &["code"], TEXT)?.into());
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        args.insert("name".into(), name.into());
    }
    if start {
        args.insert("start".into(), true.into());
    }
    call("submit", &args, Shape::Job)
}

fn simulate(a: Arguments<'_>) -> Result<Request, Fault> {
    let name: Option<String> = a.may(0, &["name"], TEXT)?;
    let code: String = a.need(1, &["code"], TEXT)?;
    let mut args = Map::new();
    args.insert("name".into(), name.unwrap_or_default().into());
    args.insert("code".into(), code.into());
    if let Some(id) = a.may::<String>(2, &["uuid"], TEXT)? {
        args.insert("simulation".into(), id.into());
    }
    call("simulate", &args, Shape::Null)
}

fn unqueue(a: Arguments<'_>) -> Result<Request, Fault> {
    let job = job(a, 0)?.ok_or_else(|| missing(a, "reqid", "a request id or \"*\""))?;
    let args = if job == "*" {
        json!({"all": true})
    } else {
        json!({"job": job})
    };
    call("remove", &args, Shape::Null)
}

fn update(a: Arguments<'_>) -> Result<Request, Fault> {
    let code: String = a.need(0, &["newcode", "code"], TEXT)?;
    let mut args = Map::new();
    args.insert("code".into(), code.into());
    if let Some(reason) = a.may::<String>(1, &["reason"], TEXT)? {
        args.insert("reason".into(), reason.into());
    }
    if let Some(job) = job(a, 2)? {
        args.insert("job".into(), job.into());
    }
    call("edit", &args, Shape::Null)
}

fn rearrange(a: Arguments<'_>) -> Result<Request, Fault> {
    let what = "a list of all waiting request ids in the new order";
    let ids: Vec<Value> = a.need(0, &["ids", "reqids"], what)?;
    let ids: Option<Vec<String>> = ids.into_iter().map(id_text).collect();
    let ids = ids.ok_or_else(|| {
        Fault::new(
            FaultKind::Invalid,
            format!("the field `ids` of `rearrange` must be {what}"),
        )
    })?;
    call("reorder", &json!({"jobs": ids}), Shape::Null)
}

fn exec(a: Arguments<'_>) -> Result<Request, Fault> {
    call(
        "exec",
        &json!({"code": a.need::<String>(0, &["code", "cmd"], TEXT)?}),
        Shape::Null,
    )
}

fn eval(a: Arguments<'_>) -> Result<Request, Fault> {
    let code: String = a.need(0, &["expr", "code"], TEXT)?;
    let as_text = a
        .may::<bool>(1, &["stringify"], "true or false")?
        .unwrap_or(false);
    call(
        "eval",
        &json!({"code": code}),
        if as_text {
            Shape::ValueText
        } else {
            Shape::Value
        },
    )
}

fn watch(op: &'static str, a: Arguments<'_>) -> Result<Request, Fault> {
    let expressions = a.raw(0, &["expressions", "varlist"], "a list of expressions")?;
    let expressions: Value = expressions.parse()?;
    call(op, &json!({"expressions": expressions}), Shape::Null)
}

fn getmessages(a: Arguments<'_>) -> Result<Request, Fault> {
    let what = "a number or \"*\"";
    let last = match a.need::<Value>(0, &["n", "count"], what)? {
        Value::String(all) if all == "*" => Some(ALL_MESSAGES),
        Value::String(digits) => digits.trim().parse().ok(),
        number => number.as_u64(),
    };
    let last = last.ok_or_else(|| {
        Fault::new(
            FaultKind::Invalid,
            format!("the field `n` of `getmessages` must be {what}"),
        )
    })?;
    // NICOS takes 0 for all.
    let last = if last == 0 { ALL_MESSAGES } else { last };
    call(
        "log",
        &json!({"last": last, "native": true}),
        Shape::Messages,
    )
}

fn gethistory(a: Arguments<'_>) -> Result<Request, Fault> {
    let key: String = a.need(0, &["key"], TEXT)?;
    let from: Value = a.need(1, &["fromtime", "from"], "a time")?;
    let to: Value = a.need(2, &["totime", "to"], "a time")?;
    call(
        "history",
        &json!({"key": key, "from": from, "to": to}),
        Shape::Same,
    )
}

fn complete(a: Arguments<'_>) -> Result<Request, Fault> {
    let line: String = a.need(0, &["line", "fullline"], TEXT)?;
    let word: String = a.need(1, &["lastword", "word"], TEXT)?;
    call(
        "complete",
        &json!({"line": line, "word": word}),
        Shape::Same,
    )
}

/// NICOS's levels of `break` and `stop`.
fn level(a: Arguments<'_>, stop: bool) -> Result<&'static str, Fault> {
    let what = if stop {
        "1 (line), 2 (step), 3 (now) or 5 (immediately)"
    } else {
        "1 (line), 2 (step) or 3 (now)"
    };
    match a.need::<Value>(0, &["level"], what)?.as_u64() {
        Some(1) => Ok("line"),
        Some(2) => Ok("step"),
        Some(3) => Ok("now"),
        Some(5) if stop => Ok("immediate"),
        _ => Err(Fault::new(
            FaultKind::Invalid,
            format!("the field `level` of `{}` must be {what}", a.command),
        )),
    }
}

/// A request id: text, or a number as old versions had it.
fn job(a: Arguments<'_>, position: usize) -> Result<Option<String>, Fault> {
    let Some(id) = a.may::<Value>(position, &["reqid", "id"], "a request id")? else {
        return Ok(None);
    };
    let wrong = || {
        Fault::new(
            FaultKind::Invalid,
            format!("the field `reqid` of `{}` must be a request id", a.command),
        )
    };
    id_text(id).map(Some).ok_or_else(wrong)
}

fn id_text(id: Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn missing(a: Arguments<'_>, field: &str, what: &str) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        format!("`{}` needs the field `{field}` ({what})", a.command),
    )
}
