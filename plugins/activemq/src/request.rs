//! A request's text, understood: in NICOS's words or in the neutral form.

use std::collections::BTreeMap;

use patchbay_dialect_nicos::{Call as DialectCall, Fields, Request as DialectRequest};
use patchbay_sdk::model::{self, Op};
use patchbay_sdk::{Fault, FaultKind, RawJson, Secret};
use serde::Deserialize;
use serde_json::value::RawValue;

/// In which form the client speaks, and so wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// `{"command": …}` → `{"success": …, "payload": …}`.
    Nicos,
    /// `{"op": …, "args": …}` → `{"ok": …}` or `{"error": …}`.
    Neutral,
    /// The request could not be read so far; an error is told in both forms at once.
    Unknown,
}

/// What the client wants.
#[derive(Debug)]
pub enum Wish {
    /// To log in.
    Login {
        /// Who.
        user: String,
        /// The password, as sent.
        secret: Secret,
    },
    /// To end the session.
    Logout,
    /// Nothing: a keep-alive.
    Nothing,
    /// An operation of the neutral model.
    Call(Call),
}

/// An operation of the neutral model.
#[derive(Debug)]
pub struct Call {
    /// Its name.
    pub op: String,
    /// Its arguments, an object.
    pub args: RawJson,
    /// What the model says of it.
    pub known: Option<&'static Op>,
    /// For clients that speak NICOS's words: what the reply has to become.
    pub dialect: Option<DialectCall>,
}

impl Call {
    /// Must not be done twice unasked. What the model does not know may change anything.
    pub fn changes(&self) -> bool {
        self.known.is_none_or(|op| op.changes)
    }

    /// Must not wait behind the client's other requests.
    pub fn urgent(&self) -> bool {
        self.known.is_some_and(|op| op.urgent)
    }
}

/// Reads a request's text. The contract is known even where the rest is wrong, as far as can be.
pub fn read(text: &str) -> (Contract, Result<Wish, Fault>) {
    let members = match read_object(text) {
        Ok(members) => members,
        Err(fault) => return (Contract::Unknown, Err(fault)),
    };
    match (members.contains_key("command"), members.contains_key("op")) {
        (true, false) => (Contract::Nicos, read_command(members)),
        (false, true) => (Contract::Neutral, read_op(text)),
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
        return Err(invalid(
            "the message is empty; a request is a JSON object in a TextMessage",
        ));
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
                dialect: Some(call),
            }),
        },
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Neutral {
    op: String,
    #[serde(default)]
    args: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    secret: String,
}

fn read_op(text: &str) -> Result<Wish, Fault> {
    let request: Neutral =
        serde_json::from_str(text).map_err(|error| invalid(format!("the request: {error}")))?;
    let args = match request.args {
        None => RawJson::from_string("{}".into())?,
        Some(args) if args.get().starts_with('{') => RawJson::from(args),
        Some(_) => return Err(invalid("the field `args` must be a JSON object")),
    };
    match &*request.op {
        "login" => read_login(&args),
        "logout" => Ok(Wish::Logout),
        op => match model::find_op(op) {
            Some(known) => Ok(Wish::Call(Call {
                op: request.op,
                args,
                known: Some(known),
                dialect: None,
            })),
            None => Err(unknown(op)),
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
    let names = model::OPS
        .iter()
        .map(|op| op.name)
        .chain(["login", "logout"]);
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
        let (contract, wish) = read(text);
        (contract, wish.unwrap_err().message)
    }

    fn call(text: &str) -> Call {
        match read(text).1 {
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
