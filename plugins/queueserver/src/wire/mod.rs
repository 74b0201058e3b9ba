//! Connections: [`Socket`] is one, [`Control`] asks over several, [`feed`] listens to what is published.

mod control;
pub mod feed;
mod socket;

pub use control::{Control, Urgency};
pub use socket::Socket;
