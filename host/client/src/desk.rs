//! What every verb works with: the screen, and a session that is opened when it is first needed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::Place;
use crate::complaint::{Complaint, Result};
use crate::credentials::Access;
use crate::saved::Saved;
use crate::screen::Screen;
use crate::session::Session;
use crate::wire::{Failure, Tap};

/// The place where one person works.
pub(crate) struct Desk {
    pub(crate) screen: Screen,
    pub(crate) place: Place,
    session: Option<Session>,
    tap: Option<Tap>,
}

impl Desk {
    pub(crate) fn new(place: Place, json: bool) -> Self {
        Self {
            screen: Screen::new(json),
            place,
            session: None,
            tap: None,
        }
    }

    /// Lets somebody see all events first, from the next connection on.
    pub(crate) fn tap(&mut self, tap: Tap) {
        self.tap = Some(tap);
        self.session = None;
    }

    /// The session; logs in if there is none.
    pub(crate) fn session(&mut self) -> Result<&mut Session> {
        self.both().map(|(session, _)| session)
    }

    /// The session together with the screen.
    pub(crate) fn both(&mut self) -> Result<(&mut Session, &mut Screen)> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let access = Access::find(&self.place, &Saved::load()?)?;
                Session::open(access, self.tap.clone())?
            }
        };
        Ok((self.session.insert(session), &mut self.screen))
    }

    /// Logs in so, in place of whoever was logged in.
    pub(crate) fn enter(&mut self, access: Access) -> Result<&mut Session> {
        let session = Session::open(access, self.tap.clone())?;
        Ok(self.session.insert(session))
    }

    /// Whether somebody is logged in.
    pub(crate) fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Asks, and waits for the answer. A session whose connection is broken is given up.
    pub(crate) fn ask(&mut self, op: &str, args: &Value) -> Result<Value> {
        let answer = self.session()?.ask(op, args);
        if matches!(answer, Err(Failure::Broken(_))) {
            self.session = None;
        }
        let changes = patchbay_sdk::model::find_op(op).is_none_or(|op| op.changes);
        answer.map_err(|failure| match failure {
            Failure::Broken(why) if !changes => Complaint::connect(why),
            failure => failure.into(),
        })
    }

    /// Asks for something of a known shape.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, op: &str, args: &Value) -> Result<T> {
        let answer = self.ask(op, args)?;
        read(op, answer)
    }

    /// Ends the session.
    pub(crate) fn leave(&mut self) {
        self.session = None;
    }
}

/// An answer in its shape.
pub(crate) fn read<T: DeserializeOwned>(op: &str, answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|error| {
        let message = format!("the answer to `{op}` is not understood: {error}");
        Complaint::local(message)
    })
}
