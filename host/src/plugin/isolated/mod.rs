//! An instance in a process of its own: the same file, the same messages, in a child that only runs this plugin. What
//! ends the child (a segfault, an abort, an exit) costs one life of the instance and nothing else.
//!
//! The child is this very program (`patchbay plugin-host`). It inherits two descriptors: a socket as its standard input,
//! over which messages go as [`patchbay_abi::frame`] writes them, and the plugin's file, open, as its standard output.
//! So it runs the build that was admitted, also when another one has taken the file's place since.
//!
//! `outlet` and `inlet` are the two directions, the same on both sides. `here` is the gateway's side, `child`
//! the other one, `process` the child as the gateway sees it. To everybody else an isolated instance is a port like any other.
//!
//! *How it ends.* The gateway lets go of the port: it closes its direction of the socket. The child lets go of the
//! plugin's port, waits until the plugin's threads have ended, and exits; if it has not within `GRACE`, it is
//! killed with what it has started in its own group (programs of `python` and `process` are in groups of their own, and end
//! when their input does). When the gateway dies, the socket is gone, and the child kills itself.

pub mod child;
mod here;
mod inlet;
mod outlet;
mod process;

pub(super) use here::{open, schema};
pub use process::run_by;

use super::Room;
use patchbay_abi::{Fault, FaultKind, Kind, Message};
use std::time::Duration;

/// How long a child may take to exit when it was let go of; less than what is waited for a life to be gone.
const GRACE: Duration = Duration::from_secs(2);

/// How long the plugin's threads in it may take to end; the SDK gives blocking work a second.
const THREADS: Duration = Duration::from_millis(1500);

/// The child's first message: it has loaded the plugin. Body: the schema of an instance's configuration.
const LOADED: Kind = Kind(u16::MAX);

/// What a frame takes beside a body of the largest size: heads, and the lengths of blobs.
const BESIDE_BODY: usize = 512 * 1024;

impl Room {
    /// Of one frame.
    fn frame(self) -> usize {
        self.body_bytes.saturating_add(BESIDE_BODY)
    }

    /// Of what waits in one direction. What an operator or an emergency needs finds room when all else does not.
    fn backlog(self, urgent: bool) -> usize {
        self.frame().saturating_mul(if urgent { 3 } else { 2 })
    }
}

fn failed(why: impl Into<String>) -> Message {
    Message::new(Kind::FAILED, 0, &Fault::new(FaultKind::Internal, why))
}
