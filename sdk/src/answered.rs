//! The end of a request, as a frontend hears of it.

use patchbay_abi::{Fault, FaultKind, Message, head};

/// What came of a request, and the host's number of it; 0 if it has none.
pub(crate) struct Answered {
    pub(crate) request: u64,
    pub(crate) outcome: Result<Message, Fault>,
}

impl Answered {
    pub(crate) fn failed(fault: Fault) -> Self {
        Answered {
            request: 0,
            outcome: Err(fault),
        }
    }

    pub(crate) fn read(reply: Message) -> Self {
        match reply.read_head::<head::Reply>() {
            Ok(head) => Answered {
                request: head.request,
                outcome: head.fault.map_or(Ok(reply), Err),
            },
            Err(error) => {
                let text = format!("a broken reply: {error}");
                Answered::failed(Fault::new(FaultKind::Internal, text))
            }
        }
    }
}
