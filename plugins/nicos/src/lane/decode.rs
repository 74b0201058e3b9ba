//! Decoding payloads without holding up the runtime.

use bytes::Bytes;
use patchbay_sdk::{Fault, FaultKind};
use serde_json::value::RawValue;

use crate::pickle::{self, Limits, PickleError, Raised};

/// Payloads longer than this are decoded on another thread, in bytes.
const ASIDE: usize = 64 * 1024;

/// Longest text of a refusal or exception that is passed on, in characters.
const LONGEST_TEXT: usize = 2000;

/// An empty list is written in fewer bytes.
const SHORT: usize = 32;

/// A refusal is one text.
const REFUSAL: Limits = Limits {
    input_bytes: ASIDE,
    depth: 8,
    nodes: 100,
    output_bytes: 8 * ASIDE,
    int_bytes: 16,
};

/// A payload's JSON, and the exception that it is, if it is one.
///
/// # Errors
/// `Protocol` if the daemon's bytes are no pickle, `TooLarge` if they exceed the limits.
pub async fn decode(
    payload: Bytes,
    limits: &Limits,
) -> Result<(Box<RawValue>, Option<Raised>), Fault> {
    if payload.len() <= ASIDE {
        return convert(&payload, limits).map_err(fault);
    }
    let limits = limits.clone();
    let aside = tokio::task::spawn_blocking(move || convert(&payload, &limits));
    match aside.await {
        Ok(result) => result.map_err(fault),
        Err(_) => Err(Fault::new(
            FaultKind::Internal,
            "decoding the daemon's reply was broken off",
        )),
    }
}

/// Whether the value is a list without items.
pub(super) fn is_empty_list(payload: &[u8]) -> bool {
    // However it is written, it is short.
    payload.len() <= SHORT && convert(payload, &REFUSAL).is_ok_and(|(json, _)| json.get() == "[]")
}

/// The text of a refusal. One that is no text, or a very long one, is described instead.
#[must_use]
pub fn refusal_text(payload: &[u8]) -> String {
    if payload.len() > ASIDE {
        return "(a refusal too long to read)".to_owned();
    }
    let text = convert(payload, &REFUSAL)
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

fn convert(
    payload: &[u8],
    limits: &Limits,
) -> Result<(Box<RawValue>, Option<Raised>), PickleError> {
    let pickle = pickle::decode(payload, limits)?;
    let raised = pickle.raised().map(|raised| Raised {
        text: shortened(raised.text),
        ..raised
    });
    Ok((pickle.to_json()?, raised))
}

fn fault(error: PickleError) -> Fault {
    let kind = match error {
        PickleError::Limit { .. } => FaultKind::TooLarge,
        _ => FaultKind::Protocol,
    };
    Fault::new(kind, format!("the daemon's reply cannot be read: {error}"))
}
