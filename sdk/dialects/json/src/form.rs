//! In which form a client speaks, and so is answered.

use patchbay_dialect_nicos::{login_reply, sentence};
use patchbay_sdk::{Fault, RawJson, Session};
use serde_json::json;

/// Which of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// `{"command": …}` → `{"success": …, "payload": …}`.
    Nicos,
    /// `{"op": …, "args": …}` → `{"ok": …}` or `{"error": …}`.
    Neutral,
    /// The request could not be read so far; an error is told in both forms at once.
    Unknown,
}

/// How one request is to be answered.
///
/// ```
/// use patchbay_dialect_json::read;
/// use patchbay_sdk::{Fault, FaultKind};
///
/// let busy = Fault::new(FaultKind::Busy, "too many requests");
/// let neutral = read(r#"{"id": 7, "op": "status"}"#).form;
/// assert_eq!(
///     neutral.failure(&busy),
///     r#"{"id":7,"error":{"kind":"busy","message":"too many requests","retry":true}}"#
/// );
/// let of_nicos = read(r#"{"command": "getstatus"}"#).form;
/// assert!(of_nicos.failure(&busy).starts_with(r#"{"success":false,"payload":"too many requests"#));
/// ```
#[derive(Debug, Clone)]
pub struct Form {
    /// In which words.
    pub contract: Contract,
    /// What the client called its request; comes back as it was.
    pub id: Option<RawJson>,
}

impl Form {
    /// Of a request that could not be read at all.
    pub const UNKNOWN: Form = Form {
        contract: Contract::Unknown,
        id: None,
    };

    /// `body` as a success.
    pub fn success(&self, body: &RawJson) -> String {
        let body = body.get();
        match self.contract {
            Contract::Neutral => self.object(&format!(r#""ok":{body}"#)),
            Contract::Nicos | Contract::Unknown => {
                self.object(&format!(r#""success":true,"payload":{body}"#))
            }
        }
    }

    /// `fault` as a failure: a sentence for people, or kind, message and retry.
    pub fn failure(&self, fault: &Fault) -> String {
        let error = json!({"kind": fault.kind, "message": fault.message, "retry": fault.retry});
        let sentence = || json!(sentence(fault));
        self.object(&match self.contract {
            Contract::Neutral => format!(r#""error":{error}"#),
            Contract::Nicos => format!(r#""success":false,"payload":{}"#, sentence()),
            Contract::Unknown => format!(
                r#""success":false,"payload":{},"error":{error}"#,
                sentence()
            ),
        })
    }

    /// What a login is answered with.
    pub fn welcome(&self, session: &Session) -> String {
        if self.contract != Contract::Neutral {
            return self.success(&login_reply(session.role(), session.detail()));
        }
        let detail = session.detail().map_or("null", RawJson::get);
        self.object(&format!(
            r#""ok":{{"session":{},"role":"{}","detail":{detail}}}"#,
            session.id(),
            session.role()
        ))
    }

    /// With the client's id first, so that a person who reads along sees what belongs together.
    fn object(&self, members: &str) -> String {
        match &self.id {
            Some(id) => format!(r#"{{"id":{},{members}}}"#, id.get()),
            None => format!("{{{members}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_sdk::FaultKind;

    fn form(contract: Contract) -> Form {
        Form { contract, id: None }
    }

    #[test]
    fn each_contract_has_its_form() {
        let body = RawJson::from_string(r#"{"a":"é"}"#.into()).unwrap();
        assert_eq!(
            form(Contract::Nicos).success(&body),
            r#"{"success":true,"payload":{"a":"é"}}"#
        );
        assert_eq!(
            form(Contract::Neutral).success(&body),
            r#"{"ok":{"a":"é"}}"#
        );
        let fault = Fault::new(FaultKind::Busy, "später");
        assert_eq!(
            form(Contract::Nicos).failure(&fault),
            r#"{"success":false,"payload":"später"}"#
        );
        assert_eq!(
            form(Contract::Neutral).failure(&fault),
            r#"{"error":{"kind":"busy","message":"später","retry":true}}"#
        );
    }

    #[test]
    fn an_error_to_somebody_unknown_is_told_in_both_forms() {
        let text = Form::UNKNOWN.failure(&Fault::new(FaultKind::Invalid, "no JSON"));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["success"], &value["payload"]),
            (&json!(false), &json!("no JSON"))
        );
        assert_eq!(value["error"]["kind"], "invalid");
    }

    #[test]
    fn an_id_comes_back_as_it_was() {
        let form = Form {
            id: Some(RawJson::from_string(r#"["a",1.50]"#.into()).unwrap()),
            ..form(Contract::Neutral)
        };
        assert_eq!(
            form.success(&RawJson::null()),
            r#"{"id":["a",1.50],"ok":null}"#
        );
    }
}
