//! The arguments of operations, as [`Command::args`](crate::Command::args) reads them and a frontend writes them. Operations
//! that are not here take none, or are the host's own.

mod answer;
mod at;
mod code;
mod complete;
mod edit;
mod environment;
mod find;
mod history;
mod look;
mod native;
mod remove;
mod reorder;
mod simulate;
mod submit;
mod watch;
mod which;

pub use answer::Answer;
pub use at::{At, Point};
pub use code::Code;
pub use complete::Complete;
pub use edit::Edit;
pub use environment::{Do, Environment};
pub use find::Find;
pub use history::History;
pub use look::Look;
pub use native::Native;
pub use remove::Remove;
pub use reorder::Reorder;
pub use simulate::Simulate;
pub use submit::Submit;
pub use watch::Watch;
pub use which::Which;
