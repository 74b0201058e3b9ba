//! A failure as one sentence for the person at the client.

use patchbay_sdk::{Fault, FaultKind};

/// What to show. NICOS's clients can show nothing but text, so what the kind and the retry flag say is put into words.
///
/// ```
/// use patchbay_sdk::{Fault, FaultKind};
///
/// let said = patchbay_dialect_nicos::sentence(&Fault::new(FaultKind::Busy, "too many requests"));
/// assert!(said.starts_with("too many requests"));
/// ```
pub fn sentence(fault: &Fault) -> String {
    let message = fault.message.trim();
    let mut text = if message.is_empty() {
        fallback(&fault.kind).to_owned()
    } else {
        message.to_owned()
    };
    if fault.kind == FaultKind::UnknownOutcome && !text.contains("may") {
        text.push_str("; it may or may not have been done, look before you try again");
    }
    text
}

fn fallback(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Invalid => "the request is malformed",
        FaultKind::Unsupported => "the script server cannot do this",
        FaultKind::Unauthorized => "the login was not accepted",
        FaultKind::Forbidden => "you are not allowed to do this",
        FaultKind::NotFound => "there is no such thing at the script server",
        FaultKind::Conflict => "this cannot be done in the present state of the script server",
        FaultKind::Busy => "the gateway is busy, try again",
        FaultKind::TooLarge => "the request is too large",
        FaultKind::Timeout => {
            "the script server did not answer in time; it may or may not have been done"
        }
        FaultKind::Unavailable => {
            "the script server cannot be reached at present, nothing was done"
        }
        FaultKind::ShuttingDown => "the gateway is being shut down, nothing was done",
        FaultKind::Cancelled => "the request was cancelled",
        FaultKind::UnknownOutcome => "the connection to the script server broke",
        FaultKind::Protocol => "the script server gave an answer that makes no sense",
        FaultKind::Internal | FaultKind::Other(_) => "the gateway failed, see its log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faults_own_words_go_first_and_there_is_always_a_sentence() {
        assert_eq!(
            sentence(&Fault::new(FaultKind::Conflict, "a script is running")),
            "a script is running"
        );
        assert!(sentence(&Fault::new(FaultKind::Unavailable, " ")).contains("nothing was done"));
        assert!(
            sentence(&Fault::new(FaultKind::UnknownOutcome, "the link broke"))
                .contains("look before")
        );
    }
}
