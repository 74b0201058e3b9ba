//! A request in NICOS's words, understood.

use patchbay_sdk::{Fault, FaultKind, RawJson, Secret, model};

use crate::fields::{Arguments, Fields};
use crate::reply::Shape;
use crate::verbs;

/// What a client wants.
#[derive(Debug)]
pub enum Request {
    /// `authenticate`.
    Login(Login),
    /// `quit`: ends the session; the reply is `null`.
    Logout,
    /// `keepalive`: nothing to do; the reply is `null`.
    Nothing,
    /// An operation of the neutral model.
    Call(Call),
}

/// The credentials of `authenticate`.
#[derive(Debug)]
pub struct Login {
    /// Field `login`.
    pub user: String,
    /// Field `passwd`, as the client sent it: some send a hash.
    pub secret: Secret,
}

/// An operation of the neutral model, and what its reply has to become.
#[derive(Debug)]
pub struct Call {
    /// Its name, one of [`model::OPS`].
    pub op: &'static str,
    /// Its arguments.
    pub args: RawJson,
    pub(crate) shape: Shape,
}

impl Call {
    /// The neutral reply in NICOS's shape.
    ///
    /// # Errors
    /// `Protocol` if the backend's reply is not in the form of the model.
    pub fn reply(&self, body: &RawJson) -> Result<RawJson, Fault> {
        self.shape.apply(body)
    }
}

/// Reads a request.
///
/// # Errors
/// `Unsupported` for an unknown command, naming the nearest known one; `Invalid` naming the field at fault.
pub fn read(command: &str, fields: &Fields) -> Result<Request, Fault> {
    match verbs::find(command) {
        Some(verb) => (verb.read)(Arguments { command, fields }),
        None => Err(unknown(command)),
    }
}

fn unknown(command: &str) -> Fault {
    let shown: String = command.chars().take(60).collect();
    let hint = model::nearest(command, verbs::names())
        .map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    Fault::new(
        FaultKind::Unsupported,
        format!("there is no command `{shown}`{hint}"),
    )
}
