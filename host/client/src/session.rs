//! A connection that is logged in.

use serde_json::{Value, json};

use crate::complaint::{Complaint, Result};
use crate::credentials::Access;
use crate::wire::{Connection, Cursor, Failure, Tap};

/// What people want to hear of; live pictures are not for a terminal.
pub(crate) const KINDS: &[&str] = &[
    "job",
    "log",
    "state",
    "queue",
    "link",
    "prompt",
    "prompt-done",
    "gap",
];

/// Logged in, and able to do so again.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) access: Access,
    /// `view`, `user`, `expert` or `admin`.
    pub(crate) role: String,
    tap: Option<Tap>,
}

impl Session {
    /// Connects and logs in.
    pub(crate) fn open(access: Access, tap: Option<Tap>) -> Result<Self> {
        let (connection, role) = enter(&access, tap.clone())?;
        Ok(Self {
            connection,
            access,
            role,
            tap,
        })
    }

    /// As at first, over a new connection.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        (self.connection, self.role) = enter(&self.access, self.tap.clone())?;
        Ok(())
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, op: &str, args: &Value) -> Result<Value, Failure> {
        self.connection.ask(op, args, None)
    }

    /// Events from now on, or all after that one; the number of the one before the first.
    pub(crate) fn subscribe(
        &mut self,
        kinds: &[&str],
        since: Option<Cursor>,
    ) -> Result<Option<Cursor>, Failure> {
        let mut args = json!({"kinds": kinds});
        if let Some(since) = since {
            args["since"] = json!(since);
        }
        let answer = self.ask("subscribe", &args)?;
        Ok(serde_json::from_value(answer).ok())
    }
}

fn enter(access: &Access, tap: Option<Tap>) -> Result<(Connection, String)> {
    let mut connection = Connection::open(&access.address, tap)?;
    let args = json!({"user": access.user, "secret": *access.secret});
    match connection.ask("login", &args, None) {
        Ok(answer) => {
            let role = answer["role"].as_str().unwrap_or("unknown").to_owned();
            Ok((connection, role))
        }
        Err(Failure::Refused(refusal)) if refusal.kind == "unauthorized" => {
            let message = format!("{} is not let in: {}", access.user, refusal.message);
            Err(Complaint::login(message).advice("check the user and the password"))
        }
        Err(Failure::Broken(why)) => Err(Complaint::connect(why)),
        Err(failure) => Err(failure.into()),
    }
}
