//! `patchbay client`: what people and shell scripts say to a gateway, over its socket.
//!
//! [`Client`] is what can be said on the command line. It makes a `desk` with a screen and a session, and hands it to
//! one of the `verbs`, or to the `prompt`, which does so line by line. `follow` watches a script until it ends, over
//! broken connections too. `wire` is the protocol.
#![forbid(unsafe_code)]

mod address;
mod args;
mod complaint;
mod credentials;
mod desk;
mod exit;
mod follow;
mod hidden;
mod interrupt;
mod model;
mod prompt;
mod saved;
mod screen;
mod session;
mod unix;
mod verbs;
mod wire;

use std::process::ExitCode;

pub use args::Client;
use desk::Desk;
pub use hidden::ask_hidden;

impl Client {
    /// Does what was said; the exit status is said in the help.
    pub fn run(self) -> ExitCode {
        let mut desk = Desk::new(self.place, self.json);
        let done = match self.verb {
            Some(verb) => verbs::run(verb, &mut desk),
            None => prompt::run(&mut desk),
        };
        match done {
            Ok(exit) => exit.into(),
            Err(complaint) => {
                desk.screen.complain(&complaint);
                complaint.exit.into()
            }
        }
    }
}
