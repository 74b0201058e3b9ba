//! What a script asks the people in front of it: a state machine fed by events and snapshots, without any I/O.
//!
//! NICOS repeats a prompt every minute while the script waits, and forgets to say that it is settled when the script is
//! stopped in it. So a prompt is told once, and is over when NICOS says so, when the script goes on, or when it ends.
//!
//! Source: `pause`, `userinput` and `breakCallback` in NICOS's `nicos/services/daemon/session.py`.

use std::collections::BTreeMap;

use patchbay_sdk::model::Prompt;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::shape::code;

/// What NICOS's event says.
#[derive(Debug)]
pub struct Asked {
    text: String,
    /// Daemons before protocol 24 give none.
    id: Option<String>,
    validator: Option<Box<RawValue>>,
    default: Option<Box<RawValue>>,
}

/// The prompt of the script that runs; there can be only one.
#[derive(Debug, Default)]
pub struct Prompts {
    open: Option<Open>,
    /// The one before, in case that NICOS repeats it.
    over: Option<Over>,
    /// Numbers prompts of daemons that do not.
    count: u64,
}

#[derive(Debug)]
struct Over {
    id: String,
    /// NICOS said so, or its script has ended. Only a state may also have been an older one than the look that showed the
    /// prompt; then the prompt is asked again among the events that follow.
    surely: bool,
}

#[derive(Debug)]
struct Open {
    prompt: Prompt,
    /// The script has been seen waiting for it.
    waited: bool,
}

/// How NICOS writes that there is no default.
const NO_DEFAULT: &str = r#"{"$global":"builtins.Ellipsis"}"#;

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Vec::<Box<RawValue>>::deserialize(deserializer)?.into_iter();
        let text = |field: Option<Box<RawValue>>| -> Result<Option<String>, D::Error> {
            field
                .map(|field| serde_json::from_str(field.get()))
                .transpose()
                .map_err(serde::de::Error::custom)
        };
        let missing = || serde::de::Error::custom("a prompt without a text");
        Ok(Self {
            text: text(fields.next())?.ok_or_else(missing)?,
            id: text(fields.next())?,
            validator: fields.next(),
            default: fields.next().filter(|value| value.get() != NO_DEFAULT),
        })
    }
}

/// A validator that lets one choose, from a list or from the values of a dict.
#[derive(Deserialize)]
struct Choice {
    vals: Box<RawValue>,
}

#[derive(Deserialize)]
struct OddDict {
    #[serde(rename = "$dict")]
    entries: Vec<(Box<RawValue>, Box<RawValue>)>,
}

fn choices(validator: &RawValue) -> Option<Box<RawValue>> {
    let Choice { vals } = serde_json::from_str(validator.get()).ok()?;
    if vals.get().starts_with('[') {
        return Some(vals);
    }
    let values: Vec<Box<RawValue>> = match serde_json::from_str::<OddDict>(vals.get()) {
        Ok(dict) => dict.entries.into_iter().map(|(_, value)| value).collect(),
        Err(_) => serde_json::from_str::<BTreeMap<String, _>>(vals.get())
            .ok()?
            .into_values()
            .collect(),
    };
    to_raw_value(&values).ok()
}

impl Prompts {
    /// The prompt that waits for an answer.
    #[must_use]
    pub fn open(&self) -> Option<&Prompt> {
        self.open.as_ref().map(|open| &open.prompt)
    }

    /// A script asks; the prompt if that is new.
    pub fn asked(&mut self, asked: Asked, job: Option<String>) -> Option<Prompt> {
        let is_it = |prompt: &Prompt| match &asked.id {
            Some(id) => prompt.prompt == *id,
            None => prompt.text == asked.text,
        };
        if self.open().is_some_and(is_it) || self.is_over(asked.id.as_deref()) {
            return None;
        }
        self.count += 1;
        let id = asked.id.unwrap_or_else(|| format!("prompt-{}", self.count));
        let choices = asked.validator.as_deref().and_then(choices);
        let prompt = Prompt {
            prompt: id,
            text: asked.text,
            input: asked.validator.is_some(),
            choices,
            default: asked.default,
            validator: asked.validator,
            job,
        };
        self.open = Some(Open {
            prompt: prompt.clone(),
            waited: false,
        });
        Some(prompt)
    }

    /// NICOS says that this one is settled; its id if it was open.
    pub fn settled(&mut self, id: &str) -> Option<String> {
        if self.open().is_some_and(|open| open.prompt == id) {
            return self.close();
        }
        if let Some(over) = self.over.as_mut().filter(|over| over.id == id) {
            over.surely = true;
        }
        None
    }

    /// The execution's state has changed; the id of the prompt that this settles.
    pub fn status(&mut self, state: i64) -> Option<String> {
        let open = self.open.as_mut()?;
        if state == code::PAUSED {
            open.waited = true;
            return None;
        }
        if open.waited { self.shut(false) } else { None }
    }

    /// The script has ended, or is not known to run any more; the id of the prompt that this settles.
    pub fn close(&mut self) -> Option<String> {
        if let Some(over) = &mut self.over {
            over.surely = true;
        }
        self.shut(true)
    }

    fn shut(&mut self, surely: bool) -> Option<String> {
        let id = self.open.take()?.prompt.prompt;
        self.over = Some(Over {
            id: id.clone(),
            surely,
        });
        Some(id)
    }

    fn is_over(&self, id: Option<&str>) -> bool {
        let over = self.over.as_ref().filter(|over| over.surely);
        over.is_some_and(|over| id == Some(over.id.as_str()))
    }
}
