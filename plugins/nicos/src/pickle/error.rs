//! Why a payload was refused.

/// Why a payload could not be decoded. `at` is the offset of the instruction in the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// The payload stops before its STOP instruction.
    #[error("the pickle ends too early, at byte {at}")]
    Truncated {
        /// Offset where more bytes were needed.
        at: usize,
    },
    /// No pickle protocol up to 5 has this instruction.
    #[error("the pickle has an unknown instruction 0x{code:02x} at byte {at}")]
    UnknownOpcode {
        /// The instruction byte.
        code: u8,
        /// Its offset.
        at: usize,
    },
    /// An instruction that only makes sense together with state outside the payload.
    #[error("the pickle uses {what} at byte {at}, which is not accepted")]
    Refused {
        /// What was used.
        what: &'static str,
        /// Its offset.
        at: usize,
    },
    /// The instructions do not fit together.
    #[error("the pickle is malformed at byte {at}: {what}")]
    Malformed {
        /// What does not fit.
        what: &'static str,
        /// Offset of the instruction.
        at: usize,
    },
    /// A value contains itself, which JSON cannot say.
    #[error("the pickled value contains itself, which JSON cannot express")]
    Recursive,
    /// One of the [`Limits`](super::Limits) was hit.
    #[error("the pickle exceeds the limit of {limit} {what}")]
    Limit {
        /// What is limited, with its unit.
        what: &'static str,
        /// The configured number.
        limit: usize,
    },
}
