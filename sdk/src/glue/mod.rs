//! Between the boundary's messages and an author's traits: each instance's runtime, its tasks, and
//! the walls around its panics.

mod backend;
mod contain;
mod frontend;
mod report;
mod runtime;

pub use backend::open_backend;
pub use frontend::open_frontend;

use crate::counts::Counts;
use crate::{Backend, Configuration, Frontend};
use patchbay_abi::module::Text;
use patchbay_abi::{Fault, FaultKind, Kind, Message, Port};

/// The JSON Schema of a backend's configuration.
pub extern "C" fn schema_backend<B: Backend>() -> Text {
    schema::<B::Config>()
}

/// The JSON Schema of a frontend's configuration.
pub extern "C" fn schema_frontend<F: Frontend>() -> Text {
    schema::<F::Config>()
}

/// An empty text if the author's schema panics; the host says so.
fn schema<C: Configuration>() -> Text {
    let written =
        std::panic::catch_unwind(|| serde_json::to_string(&C::schema()).unwrap_or_default());
    written.unwrap_or_default().into()
}

/// Reads an instance's configuration out of its `START`; author's code too, and as contained.
async fn read_config<C: Configuration>(start: Message) -> Result<C, Fault> {
    let read = async {
        let body: &[u8] = if start.body.is_empty() {
            b"{}"
        } else {
            &start.body
        };
        C::read(body)
    };
    contain::contain("reading its configuration", read)
        .await?
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("its configuration: {error}")))
}

/// Tells the host that the instance cannot go on, after what it has counted.
pub(crate) fn send_failed(host: &Port, counts: &Counts, mut fault: Fault) {
    counts.tell();
    shorten(&mut fault.message);
    host.deliver(Message::new(Kind::FAILED, 0, &fault));
}

/// No error needs more, in bytes; the host takes no message with a much longer one.
const LONGEST_MESSAGE: usize = 8 * 1024;

pub(crate) fn shorten(text: &mut String) {
    if text.len() > LONGEST_MESSAGE {
        text.truncate(text.floor_char_boundary(LONGEST_MESSAGE));
        text.push('…');
    }
}
