//! What the daemon's values look like, read from their JSON. Fields that are not used here are not read.
//!
//! Source: `getstatus` in NICOS's `nicos/services/daemon/handler.py`, `serialize` in `script.py` and the log handler in
//! `utils.py` beside it.

use serde::{Deserialize, Deserializer};

use patchbay_sdk::{Fault, FaultKind, RawJson};

/// A script that was asked for: in `getstatus`, and in the events `request`, `processing`, `updated` and `done`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// NICOS's id of it, which clients see as the job's id.
    #[serde(deserialize_with = "id")]
    pub reqid: String,
    /// The script's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its text. An emergency stop is a request without one.
    #[serde(default)]
    pub script: Option<String>,
    /// Who asked.
    #[serde(default, deserialize_with = "user")]
    pub user: Option<String>,
    /// How it ended; in `done` only.
    #[serde(default)]
    pub success: Option<bool>,
}

/// Longest request id that is believed, in bytes; NICOS's own have 36.
const LONGEST_ID: usize = 256;

/// Whether this can be a request's id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
}

/// A request's id. NICOS has had texts since 2.12; should it be a number, that is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Number(u64),
        }
        let text = match Either::deserialize(deserializer)? {
            Either::Text(text) => text,
            Either::Number(number) => number.to_string(),
        };
        match is_id(&text) {
            true => Ok(Self(text)),
            false => Err(serde::de::Error::custom(
                "a request id is empty or absurdly long",
            )),
        }
    }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Id::deserialize(deserializer).map(|id| id.0)
}

/// Daemons before protocol 18 send a `nicos.core.utils.User` of name and level, and not the name.
fn user<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum User {
        Name(String),
        Instance {
            #[serde(rename = "$args")]
            name_and_level: (String, i64),
        },
    }
    let user = Option::<User>::deserialize(deserializer)?;
    Ok(user.map(|user| match user {
        User::Name(name) => name,
        User::Instance {
            name_and_level: (name, _),
        } => name,
    }))
}

/// What `getstatus` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// The execution's state and line; see [`code`].
    pub status: (i64, i64),
    /// The text of the script that runs, or that ran last.
    #[serde(default)]
    pub script: String,
    /// Its name.
    #[serde(default)]
    pub scriptname: Option<String>,
    /// What is queued, without the script that runs.
    #[serde(default)]
    pub requests: Vec<Request>,
}

/// The numbers of the execution's states.
pub mod code {
    /// Nothing runs, and the last script was stopped or failed.
    pub const IDLE_AFTER_FAILURE: i64 = -2;
    /// Nothing runs; also between the blocks of a running script.
    pub const IDLE: i64 = -1;
    /// A script runs.
    pub const RUNNING: i64 = 0;
    /// A script is held.
    pub const PAUSED: i64 = 1;
    /// A script is being stopped.
    pub const STOPPING: i64 = 2;
}

/// A message: logger, time in Unix seconds, level, text, traceback, id of the request that last began.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Message(
    pub String,
    pub f64,
    pub i64,
    pub String,
    pub Option<String>,
    #[serde(default)] pub Option<String>,
);

/// Reads a value.
///
/// # Errors
/// `Protocol`, saying what was to be read and what is wrong with it.
pub fn read<'a, T: Deserialize<'a>>(what: &str, json: &'a RawJson) -> Result<T, Fault> {
    serde_json::from_str(json.get()).map_err(|error| {
        Fault::new(
            FaultKind::Protocol,
            format!("NICOS's {what} is not what it should be: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_and_more_is_ignored() {
        let json = r#"{"status":[0,3],"script":"a","scriptname":"n","eta":[1,-1],"requests":[{"reqid":"r","name":null,"script":"b","user":"u"}]}"#;
        let status: Status = serde_json::from_str(json).unwrap();
        assert_eq!(
            (status.status, status.requests[0].reqid.as_str()),
            ((0, 3), "r")
        );
    }

    #[test]
    fn a_request_with_an_absurd_id_is_not_believed() {
        for id in [String::new(), "x".repeat(257)] {
            let json = serde_json::json!({ "reqid": id }).to_string();
            assert!(serde_json::from_str::<Request>(&json).is_err());
        }
    }

    #[test]
    fn an_old_daemons_user_and_number_are_read() {
        let json = r#"{"reqid":7,"user":{"$class":"nicos.core.utils.User","$args":["me",10]}}"#;
        let request: Request = serde_json::from_str(json).unwrap();
        assert_eq!(
            (&*request.reqid, request.user.as_deref()),
            ("7", Some("me"))
        );
        let nobody: Request = serde_json::from_str(r#"{"reqid":"r","user":null}"#).unwrap();
        assert_eq!(nobody.user, None);
    }

    #[test]
    fn a_message_is_read() {
        let message: Message =
            serde_json::from_str(r#"["nicos",1.5,20,"hello\n",null,"r"]"#).unwrap();
        assert_eq!(
            message,
            Message(
                "nicos".into(),
                1.5,
                20,
                "hello\n".into(),
                None,
                Some("r".into())
            )
        );
    }
}
