//! The text of answers, in ASCII only: a JMS client throws on a raw character above U+FFFF.

use patchbay_dialect_nicos::{login_reply, sentence};
use patchbay_sdk::{Fault, RawJson, Session};
use serde_json::json;

use crate::request::Contract;
use crate::stomp::text::ascii_json;

/// `body` as a success.
pub fn success(contract: Contract, body: &RawJson) -> String {
    let json = match contract {
        Contract::Neutral => format!(r#"{{"ok":{}}}"#, body.get()),
        Contract::Nicos | Contract::Unknown => {
            format!(r#"{{"success":true,"payload":{}}}"#, body.get())
        }
    };
    ascii_json(&json).into_owned()
}

/// `fault` as a failure: a sentence for people, or kind, message and retry.
pub fn failure(contract: Contract, fault: &Fault) -> String {
    let error = json!({"kind": fault.kind, "message": fault.message, "retry": fault.retry});
    let value = match contract {
        Contract::Neutral => json!({"error": error}),
        Contract::Nicos => json!({"success": false, "payload": sentence(fault)}),
        Contract::Unknown => json!({"success": false, "payload": sentence(fault), "error": error}),
    };
    ascii_json(&value.to_string()).into_owned()
}

/// What a login is answered with.
pub fn welcome(contract: Contract, session: &Session) -> String {
    if contract != Contract::Neutral {
        return success(contract, &login_reply(session.role(), session.detail()));
    }
    let detail = session.detail().map_or("null", RawJson::get);
    let body = format!(
        r#"{{"ok":{{"session":{},"role":"{}","detail":{detail}}}}}"#,
        session.id(),
        session.role()
    );
    ascii_json(&body).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_sdk::FaultKind;

    #[test]
    fn each_contract_has_its_form() {
        let body = RawJson::from_string(r#"{"a":"é😀"}"#.into()).unwrap();
        assert_eq!(
            success(Contract::Nicos, &body),
            r#"{"success":true,"payload":{"a":"\u00e9\ud83d\ude00"}}"#
        );
        assert_eq!(
            success(Contract::Neutral, &body),
            r#"{"ok":{"a":"\u00e9\ud83d\ude00"}}"#
        );
        let fault = Fault::new(FaultKind::Busy, "später");
        assert_eq!(
            failure(Contract::Nicos, &fault),
            r#"{"payload":"sp\u00e4ter","success":false}"#
        );
        assert_eq!(
            failure(Contract::Neutral, &fault),
            r#"{"error":{"kind":"busy","message":"sp\u00e4ter","retry":true}}"#
        );
    }

    #[test]
    fn an_error_to_somebody_unknown_is_told_in_both_forms() {
        let text = failure(
            Contract::Unknown,
            &Fault::new(FaultKind::Invalid, "no JSON"),
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["success"], &value["payload"]),
            (&json!(false), &json!("no JSON"))
        );
        assert_eq!(value["error"]["kind"], "invalid");
    }
}
