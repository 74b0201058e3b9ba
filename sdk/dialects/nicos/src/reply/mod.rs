//! Neutral replies in NICOS's shapes.

mod banner;
mod login;
mod messages;
mod status;

use patchbay_sdk::{Fault, FaultKind, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use login::login_reply;

/// What a reply has to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Handed on.
    Same,
    /// `null`.
    Null,
    /// The job's id.
    Job,
    /// The value of an expression.
    Value,
    /// The same as text.
    ValueText,
    /// `getbanner`.
    Banner,
    /// `getversion`.
    Version,
    /// `getstatus`.
    Status,
    /// `getscript`.
    Script,
    /// `getmessages`.
    Messages,
}

impl Shape {
    pub fn apply(self, body: &RawJson) -> Result<RawJson, Fault> {
        match self {
            Self::Same => Ok(body.clone()),
            Self::Null => Ok(RawJson::null()),
            Self::Job => job(body),
            Self::Value => Ok(value(body)?.into()),
            Self::ValueText => value_text(body),
            Self::Banner => banner::banner(body),
            Self::Version => banner::version(body),
            Self::Status => status::status(body),
            Self::Script => status::script(body),
            Self::Messages => messages::messages(body),
        }
    }
}

/// `native` of a neutral reply: what the script server said itself.
#[derive(Deserialize, Default)]
struct Native<'a> {
    #[serde(borrow, default)]
    nicos: Option<&'a RawValue>,
}

fn read<'a, T: Deserialize<'a>>(body: &'a RawJson) -> Result<T, Fault> {
    serde_json::from_str(body.get()).map_err(|error| {
        Fault::new(
            FaultKind::Protocol,
            format!("the backend's reply is not in the form of the model: {error}"),
        )
    })
}

fn job(body: &RawJson) -> Result<RawJson, Fault> {
    #[derive(Deserialize)]
    struct Submitted {
        job: String,
    }
    RawJson::new(&read::<Submitted>(body)?.job)
}

fn value(body: &RawJson) -> Result<Box<RawValue>, Fault> {
    #[derive(Deserialize)]
    struct Evaluated {
        value: Box<RawValue>,
    }
    Ok(read::<Evaluated>(body)?.value)
}

fn value_text(body: &RawJson) -> Result<RawJson, Fault> {
    let value = value(body)?;
    if value.get().starts_with('"') {
        Ok(value.into())
    } else {
        RawJson::new(value.get())
    }
}
