//! A request's text, understood: in NICOS's words or in the neutral form.

use std::collections::BTreeMap;

use patchbay_dialect_nicos::{Fields, Request as DialectRequest};
use patchbay_sdk::model;
use patchbay_sdk::{Fault, FaultKind, RawJson, Secret};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{Contract, Form};
use crate::wish::{Call, Wish};

/// No longer name of a request comes back, and no longer key is kept, in bytes.
const LONGEST_NAME: usize = 256;

/// Operations that frontends do themselves, beside those of the model.
const OWN: [&str; 5] = ["login", "logout", "ping", "subscribe", "unsubscribe"];

/// What a client sent.
#[derive(Debug)]
pub struct Request {
    /// How it is to be answered; known even where the rest is wrong, as far as can be.
    pub form: Form,
    /// What it wants, or what is wrong with it.
    pub wish: Result<Wish, Fault>,
}

/// Reads a request's text.
///
/// ```
/// use patchbay_dialect_json::{Wish, read};
///
/// let wrong = read(r#"{"op": "stauts"}"#).wish.unwrap_err();
/// assert!(wrong.message.contains("`status`"), "{wrong}");
/// assert!(matches!(read(r#"{"command": "quit"}"#).wish, Ok(Wish::Logout)));
/// ```
pub fn read(text: &str) -> Request {
    let unreadable = |fault| Request {
        form: Form::UNKNOWN,
        wish: Err(fault),
    };
    let mut members = match read_object(text) {
        Ok(members) => members,
        Err(fault) => return unreadable(fault),
    };
    let id = match take_id(&mut members) {
        Ok(id) => id,
        Err(fault) => return unreadable(fault),
    };
    let (contract, wish) = read_members(members);
    Request {
        form: Form { contract, id },
        wish,
    }
}

fn take_id(members: &mut Members) -> Result<Option<RawJson>, Fault> {
    match members.remove("id") {
        Some(id) if id.get().len() > LONGEST_NAME => Err(invalid(format!(
            "the field `id` is longer than {LONGEST_NAME} bytes"
        ))),
        id => Ok(id.map(RawJson::from)),
    }
}

fn take_key(members: &mut Members) -> Result<Option<String>, Fault> {
    let Some(key) = members.remove("key") else {
        return Ok(None);
    };
    match serde_json::from_str::<String>(key.get()) {
        Ok(key) if (1..=LONGEST_NAME).contains(&key.len()) => Ok(Some(key)),
        _ => Err(invalid(format!(
            "the field `key` must be text of at most {LONGEST_NAME} bytes"
        ))),
    }
}

fn read_members(members: Members) -> (Contract, Result<Wish, Fault>) {
    match (members.contains_key("command"), members.contains_key("op")) {
        (true, false) => (Contract::Nicos, read_command(members)),
        (false, true) => (Contract::Neutral, read_op(members)),
        (true, true) => (
            Contract::Unknown,
            Err(invalid(
                "the request has both `command` and `op`; send one of them",
            )),
        ),
        (false, false) => {
            let help = r#"the request has neither `command`, as in {"command": "getstatus"}, nor `op`, as in {"op": "status"}"#;
            (Contract::Unknown, Err(invalid(help)))
        }
    }
}

type Members = BTreeMap<String, Box<RawValue>>;

fn read_object(text: &str) -> Result<Members, Fault> {
    if text.trim().is_empty() {
        return Err(invalid("the request is empty; it must be a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() {
            "is JSON, but no object"
        } else {
            "is no JSON"
        };
        invalid(format!(
            "the request {what} (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

fn read_command(mut members: Members) -> Result<Wish, Fault> {
    let key = take_key(&mut members)?;
    let command = members
        .remove("command")
        .and_then(|command| serde_json::from_str::<String>(command.get()).ok());
    let command = command.ok_or_else(|| invalid("the field `command` must be text"))?;
    Ok(
        match patchbay_dialect_nicos::read(&command, &Fields::new(members)?)? {
            DialectRequest::Login(login) => Wish::Login {
                user: login.user,
                secret: login.secret,
            },
            DialectRequest::Logout => Wish::Logout,
            DialectRequest::Nothing => Wish::Nothing,
            DialectRequest::Call(call) => Wish::Call(Call {
                op: call.op.to_owned(),
                args: call.args.clone(),
                known: model::find_op(call.op),
                key,
                dialect: Some(call),
            }),
        },
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    secret: String,
}

fn read_op(mut members: Members) -> Result<Wish, Fault> {
    let key = take_key(&mut members)?;
    let op = members
        .remove("op")
        .and_then(|op| serde_json::from_str::<String>(op.get()).ok());
    let op = op.ok_or_else(|| invalid("the field `op` must be text"))?;
    let args = match members.remove("args") {
        None => RawJson::from_string("{}".into())?,
        Some(args) if args.get().starts_with('{') => RawJson::from(args),
        Some(_) => return Err(invalid("the field `args` must be a JSON object")),
    };
    if let Some(name) = members.keys().next() {
        let shown: String = name.chars().take(60).collect();
        let help = "`op`, `args`, `id` and `key` are the fields of a request; what the operation needs goes into `args`";
        return Err(invalid(format!("there is no field `{shown}`: {help}")));
    }
    match &*op {
        "login" => read_login(&args),
        "logout" => Ok(Wish::Logout),
        "ping" => Ok(Wish::Nothing),
        "subscribe" => args.parse().map(Wish::Subscribe),
        "unsubscribe" => Ok(Wish::Unsubscribe),
        _ => match model::find_op(&op) {
            Some(known) => Ok(Wish::Call(Call {
                op,
                args,
                known: Some(known),
                key,
                dialect: None,
            })),
            None => Err(unknown(&op)),
        },
    }
}

fn read_login(args: &RawJson) -> Result<Wish, Fault> {
    // serde's message could quote the secret.
    let wrong = |_| invalid(r#"`login` needs "args": {"user": text, "secret": text}"#);
    let login: Credentials = args.parse().map_err(wrong)?;
    Ok(Wish::Login {
        user: login.user,
        secret: Secret::new(login.secret),
    })
}

fn unknown(op: &str) -> Fault {
    let names = model::OPS.iter().map(|op| op.name).chain(OWN);
    let hint =
        model::nearest(op, names).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let shown: String = op.chars().take(60).collect();
    Fault::new(
        FaultKind::Unsupported,
        format!("there is no operation `{shown}`{hint}"),
    )
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (Contract, String) {
        let request = read(text);
        (request.form.contract, request.wish.unwrap_err().message)
    }

    fn call(text: &str) -> Call {
        match read(text).wish {
            Ok(Wish::Call(call)) => call,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn both_forms_ask_for_the_same_operation() {
        let nicos = call(r#"{"command":"stop","level":1}"#);
        let neutral = call("{\"op\":\"stop\",\n\"args\":{\"at\":\"line\"}}");
        assert_eq!(
            (nicos.op.as_str(), nicos.args.get()),
            (neutral.op.as_str(), neutral.args.get())
        );
        assert!(nicos.urgent() && nicos.changes() && neutral.urgent());
        assert!(!call(r#"{"op":"status"}"#).changes());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_cause() {
        let cases = [
            ("", Contract::Unknown, "empty"),
            ("hello", Contract::Unknown, "no JSON"),
            ("{\"op\":1", Contract::Unknown, "no JSON"),
            ("[1]", Contract::Unknown, "no object"),
            ("{} x", Contract::Unknown, "no JSON"),
            ("{}", Contract::Unknown, "neither `command`"),
            (
                r#"{"op":"status","command":"getstatus"}"#,
                Contract::Unknown,
                "both",
            ),
            (
                r#"{"command":7}"#,
                Contract::Nicos,
                "`command` must be text",
            ),
            (
                r#"{"command":"getstatsu"}"#,
                Contract::Nicos,
                "did you mean `getstatus`",
            ),
            (
                r#"{"command":"queue","name":"x"}"#,
                Contract::Nicos,
                "`code`",
            ),
            (
                r#"{"op":"stauts"}"#,
                Contract::Neutral,
                "did you mean `status`",
            ),
            (
                r#"{"op":"status","args":[]}"#,
                Contract::Neutral,
                "`args` must be a JSON object",
            ),
            (r#"{"op":"status","extra":1}"#, Contract::Neutral, "extra"),
            (
                r#"{"op":"login","args":{"user":"x"}}"#,
                Contract::Neutral,
                "secret",
            ),
        ];
        for (text, contract, part) in cases {
            let (found, message) = fault(text);
            assert_eq!(found, contract, "{text}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn a_password_is_in_no_error() {
        for text in [
            r#"{"op":"login","args":{"user":"x","secret":"hunter2","y":1}}"#,
            r#"{"command":"authenticate","login":5,"passwd":"hunter2"}"#,
            r#"{"command":"authenticate","passwd":"hunter2""#,
        ] {
            assert!(!fault(text).1.contains("hunter2"), "{text}");
        }
    }
}
