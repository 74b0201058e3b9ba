//! Watching a script until it ends, whatever happens to the connection meanwhile.

mod again;
mod choice;
mod question;
mod seen;
mod watch;
mod watcher;

pub(crate) use again::{Outage, again};
pub(crate) use choice::{Choice, choose};
pub(crate) use question::answer_to;
pub(crate) use seen::Seen;
pub(crate) use watcher::{Script, Watcher};
