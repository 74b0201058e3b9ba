//! Decoding payloads without holding up the runtime.

use std::sync::Arc;

use bytes::Bytes;
use patchbay_sdk::{Fault, FaultKind, RawJson};
use tokio::sync::Semaphore;

use crate::pickle::{self, Limits, PickleError, Raised};

/// What is decoded where it is needed. The instance has one thread, and this takes a millisecond of it; whatever turns
/// out to be more, or longer than that many bytes, is decoded aside. It decides where, not whether, so it is no key.
const SMALL: Limits = Limits {
    input_bytes: 64 * 1024,
    depth: 100,
    nodes: 5_000,
    output_bytes: 256 * 1024,
    int_bytes: 256,
    name_bytes: 1000,
};

/// Longest text of a refusal or exception that is passed on, in characters.
const LONGEST_TEXT: usize = 2000;

/// An empty list is written in fewer bytes.
const SHORT: usize = 32;

/// A payload as JSON, and the exception that it is, if it is one.
pub type Decoded = (RawJson, Option<Raised>);

/// Decodes payloads of any size within the configured limits, a few of the large ones at a time: each of these may take
/// much memory.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    small: Limits,
    /// Who may decode aside.
    aside: Arc<Semaphore>,
}

impl Decoder {
    /// One that decodes at most `aside` large payloads at a time.
    #[must_use]
    pub fn new(limits: Limits, aside: usize) -> Self {
        Self {
            small: least(&limits, &SMALL),
            limits,
            aside: Arc::new(Semaphore::new(aside)),
        }
    }

    /// A payload's JSON, and the exception that it is, if it is one.
    ///
    /// # Errors
    /// `Protocol` if the daemon's bytes are no pickle, `TooLarge` if they exceed the limits.
    pub async fn decode(&self, payload: Bytes) -> Result<Decoded, Fault> {
        match convert(&payload, &self.small) {
            // A few bytes can describe very much.
            Err(PickleError::Limit { .. }) => self.decode_aside(payload).await,
            converted => converted.map_err(fault),
        }
    }

    async fn decode_aside(&self, payload: Bytes) -> Result<Decoded, Fault> {
        let broken_off = |()| {
            let message = "decoding the daemon's reply was broken off";
            Fault::new(FaultKind::Internal, message)
        };
        let permit = Arc::clone(&self.aside).acquire_owned().await;
        let (permit, limits) = (permit.map_err(|_| broken_off(()))?, self.limits.clone());
        let aside = tokio::task::spawn_blocking(move || {
            // Kept until it is done, also if nobody waits for it any more.
            let _permit = permit;
            convert(&payload, &limits)
        });
        let converted = aside.await.map_err(|_| broken_off(()))?;
        converted.map_err(fault)
    }
}

/// The JSON of a payload that is small unless the daemon is none.
///
/// # Errors
/// As [`Decoder::decode`].
pub(super) fn decode_small(payload: &[u8]) -> Result<RawJson, Fault> {
    let (json, _) = convert(payload, &SMALL).map_err(fault)?;
    Ok(json)
}

/// Whether the value is a list without items.
pub(super) fn is_empty_list(payload: &[u8]) -> bool {
    is_short(payload, "[]")
}

/// Whether the value is Python's `None`.
pub(super) fn is_none(payload: &[u8]) -> bool {
    is_short(payload, "null")
}

/// However it is written, it is short.
fn is_short(payload: &[u8], json: &str) -> bool {
    payload.len() <= SHORT && convert(payload, &SMALL).is_ok_and(|(value, _)| value.get() == json)
}

/// The text of a refusal. One that is no text, or a very long one, is described instead.
#[must_use]
pub fn refusal_text(payload: &[u8]) -> String {
    if payload.len() > SMALL.input_bytes {
        return "(a refusal too long to read)".to_owned();
    }
    let text = convert(payload, &SMALL)
        .ok()
        .and_then(|(json, _)| serde_json::from_str(json.get()).ok());
    let text: String = text.unwrap_or_else(|| "(a refusal without a text)".to_owned());
    shortened(text)
}

/// A text that goes into an error message, not longer than somebody might read.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn convert(payload: &[u8], limits: &Limits) -> Result<Decoded, PickleError> {
    let pickle = pickle::decode(payload, limits)?;
    let raised = pickle.raised().map(|raised| Raised {
        text: shortened(raised.text),
        ..raised
    });
    Ok((pickle.to_json()?, raised))
}

/// The lower of each.
fn least(one: &Limits, other: &Limits) -> Limits {
    Limits {
        input_bytes: one.input_bytes.min(other.input_bytes),
        depth: one.depth.min(other.depth),
        nodes: one.nodes.min(other.nodes),
        output_bytes: one.output_bytes.min(other.output_bytes),
        int_bytes: one.int_bytes.min(other.int_bytes),
        // A name that is too long is none, which is final.
        name_bytes: one.name_bytes,
    }
}

fn fault(error: PickleError) -> Fault {
    let kind = match error {
        PickleError::Limit { .. } => FaultKind::TooLarge,
        _ => FaultKind::Protocol,
    };
    Fault::new(kind, format!("the daemon's reply cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn lists(number: usize) -> Bytes {
        [&b"\x80\x02("[..], &b"]".repeat(number), b"t."]
            .concat()
            .into()
    }

    #[tokio::test]
    async fn what_is_small_is_decoded_at_once_and_what_only_looks_so_aside() {
        let decoder = Decoder::new(Limits::default(), 1);
        assert!(decoder.decode(lists(1000)).now_or_never().is_some());
        assert!(decoder.decode(lists(10_000)).now_or_never().is_none());
        let (json, _) = decoder.decode(lists(10_000)).await.unwrap();
        assert_eq!(json.get().len(), 30_001);
    }

    #[tokio::test]
    async fn the_configured_limits_hold_for_what_is_small_too() {
        let limits = Limits {
            nodes: 100,
            ..Limits::default()
        };
        let fault = Decoder::new(limits, 1)
            .decode(lists(200))
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooLarge);
        assert!(fault.message.contains("limit of 100 values"), "{fault}");
    }
}
