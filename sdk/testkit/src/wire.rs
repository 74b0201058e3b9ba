//! How messages cross in a test.

use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Message, Port, frame};

/// No message in a test is larger, in bytes.
const LARGEST: usize = 256 << 20;

/// How messages cross in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// As they are, as in a loaded plugin.
    InProcess,
    /// Written as bytes and read again, as between processes.
    Bytes,
}

impl Wire {
    pub(crate) fn wrap(self, port: Port) -> Port {
        match self {
            Wire::InProcess => port,
            Wire::Bytes => Port::new(Recoded(port)),
        }
    }
}

struct Recoded(Port);

impl Deliver for Recoded {
    fn deliver(&self, message: Message) -> Delivery {
        let bytes = frame::encode(&message, LARGEST).expect("a message that fits into a frame");
        let (again, used) = frame::decode(&bytes, LARGEST)
            .expect("a frame that was just written")
            .expect("a whole frame");
        assert_eq!(used, bytes.len());
        self.0.deliver(again)
    }
}
