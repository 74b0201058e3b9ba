//! Submits: the host carries each out once at the most, by a key that says which it is.

use patchbay_dialect_json::{Call, Wish};
use patchbay_sdk::{Fault, FaultKind, Reply, Session, Side};

use crate::client::Ticket;
use crate::desk::Desk;
use crate::key::Key;
use crate::refusals;

/// Puts the host's key in the place of the client's own, if it has one, or makes one of who asked and the message's id.
/// Operations that the host does not carry out by key lose theirs.
pub fn keyed(wish: Wish, message: Option<&Key>) -> Wish {
    match wish {
        Wish::Call(call) => {
            let own = call.key.as_deref().map(|key| format!("client {key}"));
            let key = own.or_else(|| message.map(Key::text));
            let once = call.known.is_some_and(|op| op.once);
            Wish::Call(Call {
                key: key.filter(|_| once),
                ..call
            })
        }
        other => other,
    }
}

impl Desk {
    /// Carries out a call with a key, in this session; without one it can only be told what became of it before.
    pub async fn call_once(
        &self,
        session: Option<&Session>,
        call: &Call,
        key: &str,
        redelivered: bool,
    ) -> Result<Reply, Fault> {
        let args = call.args.clone();
        let done = match session {
            Some(session) => session.call_once(&call.op, args, key).await,
            None => self.gateway.recall(&call.op, args, key).await,
        };
        // The gateway was too busy, or too ill, to look the key up; an earlier life of it may have known it.
        let unsure = |fault: &Fault| redelivered && fault.retry && fault.side == Side::Gateway;
        done.map_err(|fault| match unsure(&fault) {
            true => refusals::may_be_done(call),
            false => fault,
        })
    }

    /// What became of a request that is not carried out now: a call with a key may have been before. Otherwise `fault`.
    pub async fn recall_wish(
        &self,
        ticket: &Ticket,
        wish: Wish,
        fault: Fault,
    ) -> Result<String, Fault> {
        let call = match wish {
            Wish::Call(call) if call.key.is_some() => call,
            _ => return Err(fault),
        };
        match self.perform(ticket, None, call).await {
            Err(unknown) if unknown.kind == FaultKind::Unauthorized => Err(fault),
            known => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, reply_to: &str, message_id: &str) -> Option<String> {
        let message = Key {
            reply_to: reply_to.into(),
            message_id: message_id.into(),
            digest: [7; 32],
        };
        let wish = patchbay_dialect_json::read(text).wish.unwrap();
        match keyed(wish, Some(&message)) {
            Wish::Call(call) => call.key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_two_requests_share_a_key_unless_their_clients_say_so() {
        let submit = r#"{"op":"submit","args":{"code":"1"}}"#;
        let own = r#"{"op":"submit","args":{"code":"1"},"key":"message /queue/a 1"}"#;
        let keys = [
            key(submit, "/queue/a", "1"),
            key(submit, "/queue/a", "1 1"),
            key(submit, "/queue/a1", "1"),
            key(submit, "/queue/b", "1"),
            key(own, "/queue/a", "1"),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(key.is_some() && !keys[..number].contains(key), "{keys:?}");
        }
        assert_eq!(key(own, "/queue/b", "2"), keys[4]);
        assert_eq!(key(r#"{"op":"status","key":"x"}"#, "/queue/a", "1"), None);
    }
}
