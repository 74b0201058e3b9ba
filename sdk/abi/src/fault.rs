//! Why a request has no answer.

use serde::{Deserialize, Serialize};

/// An error that says whose it is, whether asking again can help, and what to do. In JSON `side` and `retry` may be left
/// out; they follow from the kind then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "Told")]
#[error("{message}")]
pub struct Fault {
    /// Who has to change something.
    pub side: Side,
    /// What went wrong, for programs.
    pub kind: FaultKind,
    /// What went wrong and what to do, one sentence for people; no secrets.
    pub message: String,
    /// Whether the same request may succeed later, without harm if it has been done already.
    pub retry: bool,
}

/// Who has to change something.
///
/// ```
/// use patchbay_abi::{Fault, FaultKind, Side};
/// let taken = Fault::new(FaultKind::Unavailable, "port 1310 is taken").side(Side::Gateway);
/// assert_eq!(serde_json::to_value(taken.side)?, "gateway");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The one who asked.
    Client,
    /// This process, its configuration or a plugin.
    Gateway,
    /// The script server.
    Backend,
}

/// What went wrong, for programs. In JSON: the name in kebab-case.
///
/// ```
/// use patchbay_abi::FaultKind;
/// assert_eq!(serde_json::to_value(FaultKind::UnknownOutcome)?, "unknown-outcome");
/// let of_a_newer_side: FaultKind = serde_json::from_str("\"out-of-beam\"")?;
/// assert_eq!(of_a_newer_side, FaultKind::Other("out-of-beam".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The request is malformed: no JSON, a missing field, a value out of range.
    Invalid,
    /// The script server, or its plugin, cannot do this.
    Unsupported,
    /// Who is asking is not known: no login, or a wrong one.
    Unauthorized,
    /// Who is asking may not do this.
    Forbidden,
    /// There is no such job, device, ….
    NotFound,
    /// Not in the present state: nothing runs, it is paused already, ….
    Conflict,
    /// A limit on how much may go on at once was hit.
    Busy,
    /// A limit on size was hit.
    TooLarge,
    /// No answer in time; the request may or may not have been carried out.
    Timeout,
    /// The script server or the plugin is not there at present; nothing was done.
    Unavailable,
    /// The gateway is being shut down; nothing was done.
    ShuttingDown,
    /// The one who asked does not want it any more.
    Cancelled,
    /// It may or may not have been done; look before asking again.
    UnknownOutcome,
    /// The script server said something that makes no sense.
    Protocol,
    /// A bug, in the host or in a plugin.
    Internal,
    /// A kind of a newer side.
    #[serde(untagged)]
    Other(String),
}

/// A fault as somebody writes it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Told {
    kind: FaultKind,
    message: String,
    side: Option<Side>,
    retry: Option<bool>,
}

impl From<Told> for Fault {
    fn from(told: Told) -> Self {
        let usual = Fault::new(told.kind, told.message);
        Fault {
            side: told.side.unwrap_or(usual.side),
            retry: told.retry.unwrap_or(usual.retry),
            ..usual
        }
    }
}

impl Fault {
    /// A fault whose side and retry follow from its kind.
    ///
    /// ```
    /// use patchbay_abi::{Fault, FaultKind, Side};
    /// let fault = Fault::new(FaultKind::Invalid, "`code` is missing");
    /// assert_eq!((fault.side, fault.retry), (Side::Client, false));
    /// ```
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        use FaultKind::*;
        let side = match kind {
            Invalid | Unauthorized | Forbidden | NotFound | Conflict | TooLarge | Cancelled => {
                Side::Client
            }
            Busy | ShuttingDown | Internal | Other(_) => Side::Gateway,
            Unsupported | Timeout | Unavailable | UnknownOutcome | Protocol => Side::Backend,
        };
        let retry = matches!(kind, Busy | Unavailable | ShuttingDown);
        Fault {
            side,
            kind,
            message: message.into(),
            retry,
        }
    }

    /// With another side than the kind's usual one.
    #[must_use]
    pub fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// With another word on asking again than the kind's usual one.
    #[must_use]
    pub fn retry(mut self, retry: bool) -> Self {
        self.retry = retry;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_kebab_case_and_unknown_kinds_survive() {
        let json = serde_json::to_value(Fault::new(FaultKind::TooLarge, "x")).unwrap();
        assert_eq!(json["kind"], "too-large");
        let kind: FaultKind = serde_json::from_str("\"out-of-beam\"").unwrap();
        assert_eq!(kind, FaultKind::Other("out-of-beam".into()));
        assert_eq!(serde_json::to_string(&kind).unwrap(), "\"out-of-beam\"");
    }

    #[test]
    fn side_and_retry_follow_from_the_kind_unless_they_are_told() {
        let read = |json: &str| serde_json::from_str::<Fault>(json).unwrap();
        let short = read(r#"{"kind":"busy","message":"x"}"#);
        assert_eq!(short, Fault::new(FaultKind::Busy, "x"));
        let whole = Fault::new(FaultKind::Busy, "x")
            .side(Side::Backend)
            .retry(false);
        assert_eq!(read(&serde_json::to_string(&whole).unwrap()), whole);
    }
}
