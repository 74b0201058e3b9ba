//! Submits: the host carries each out once at the most, by a key that says which it is.

use patchbay_dialect_json::{Call, Wish};
use patchbay_sdk::{Fault, FaultKind, Side};
use serde_json::json;

use crate::client::Ticket;
use crate::desk::Desk;
use crate::key::Key;
use crate::member::Member;
use crate::refusals;

/// Whether the host notes that call of that message, so that it knows whether it was done.
pub fn is_noted(message: Option<&Key>, call: &Call) -> bool {
    let once = call.known.is_some_and(|op| op.once);
    once && (call.key.is_some() || message.is_some())
}

/// The host's key for a call: the client's own, which is its user's alone, so that nobody can use up those of others or
/// ask what became of them; or that of the message. `None`: there is none, or it is not known whose it is.
pub fn key(message: Option<&Key>, member: Option<&Member>, call: &Call) -> Option<String> {
    let user = member.map(|member| &*member.user);
    key_of(message, user, call)
}

fn key_of(message: Option<&Key>, user: Option<&str>, call: &Call) -> Option<String> {
    match &call.key {
        _ if !is_noted(message, call) => None,
        Some(own) => user.map(|user| json!([user, own]).to_string()),
        None => message.map(Key::text),
    }
}

/// The gateway was too busy, or too ill, to look a key up; an earlier life of it may have known it.
pub fn unsure(ticket: &Ticket, call: &Call, fault: Fault) -> Fault {
    match ticket.redelivered && fault.retry && fault.side == Side::Gateway {
        true => refusals::may_be_done(call),
        false => fault,
    }
}

impl Desk {
    /// What became of a request that is not carried out now: a submit may have been before. Otherwise `fault`.
    pub async fn recall_wish(
        &self,
        ticket: &Ticket,
        member: Option<&Member>,
        wish: Wish,
        fault: Fault,
    ) -> Result<String, Fault> {
        let call = match wish {
            Wish::Call(call) if is_noted(ticket.key.as_ref(), &call) => call,
            _ => return Err(fault),
        };
        let Some(key) = key(ticket.key.as_ref(), member, &call) else {
            // Under whose key it may have been done nobody knows before the next login.
            return Err(match ticket.redelivered {
                true => refusals::may_be_done(&call),
                false => fault,
            });
        };
        let args = call.args.clone();
        let known = match member {
            Some(member) => member.session.recall(&call.op, args, &key).await,
            None => self.gateway.recall(&call.op, args, &key).await,
        };
        match known {
            Ok(reply) => self.shape(ticket, call, reply).await,
            Err(unknown) if unknown.kind == FaultKind::Unauthorized => Err(fault),
            Err(known) => Err(unsure(ticket, &call, known)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, user: Option<&str>, message: (&str, &str, u8)) -> Option<String> {
        let (reply_to, message_id, digest) = message;
        let message = Key {
            reply_to: reply_to.into(),
            message_id: message_id.into(),
            digest: [digest; 32],
        };
        match patchbay_dialect_json::read(text).wish.unwrap() {
            Wish::Call(call) => key_of(Some(&message), user, &call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_two_requests_share_a_key_unless_their_user_says_so() {
        let submit = r#"{"op":"submit","args":{"code":"1"}}"#;
        let own = r#"{"op":"submit","args":{"code":"1"},"key":"message /queue/a 1"}"#;
        let (one, other) = (Some("one"), Some("other"));
        let keys = [
            key(submit, one, ("/queue/a", "1", 0)),
            key(submit, one, ("/queue/a", "1", 1)),
            key(submit, one, ("/queue/a", "1 1", 0)),
            key(submit, one, ("/queue/a1", "1", 0)),
            key(submit, one, ("/queue/b", "1", 0)),
            key(own, one, ("/queue/a", "1", 0)),
            key(own, other, ("/queue/a", "1", 0)),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(key.is_some() && !keys[..number].contains(key), "{keys:?}");
        }
        assert_eq!(key(own, one, ("/queue/b", "2", 3)), keys[5]);
        assert_eq!(key(own, None, ("/queue/a", "1", 0)), None);
        assert_eq!(key(submit, None, ("/queue/a", "1", 0)), keys[0]);
        let status = r#"{"op":"status","key":"x"}"#;
        assert_eq!(key(status, one, ("/queue/a", "1", 0)), None);
    }
}
