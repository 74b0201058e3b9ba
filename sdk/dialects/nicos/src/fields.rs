//! The arguments of a request: by NICOS's names, by position, or both.

use std::collections::BTreeMap;

use patchbay_sdk::{Fault, FaultKind, RawJson};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Arguments, each as unparsed JSON. A named one goes before one by position.
///
/// ```
/// use patchbay_dialect_nicos::{Fields, Request, read};
///
/// // By name, or in NICOS's order: the same.
/// for said in [r#"{"code": "count(1)"}"#, r#"{"parameters": ["", "count(1)"]}"#] {
///     let Request::Call(call) = read("queue", &Fields::parse(said)?)? else { panic!("it is a call") };
///     assert!(call.args.get().contains(r#""code":"count(1)""#), "{said}");
/// }
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
#[derive(Debug, Default)]
pub struct Fields {
    named: BTreeMap<String, Box<RawValue>>,
    positional: Vec<Box<RawValue>>,
}

impl Fields {
    /// From the text of a JSON object, which may hold `parameters`: an array (by position) or an object (by name).
    ///
    /// # Errors
    /// `Invalid`: no object, or `parameters` of another kind.
    pub fn parse(json: &str) -> Result<Self, Fault> {
        let named = serde_json::from_str(json).map_err(|error| {
            Fault::new(
                FaultKind::Invalid,
                format!("the request is no JSON object: {error}"),
            )
        })?;
        Self::new(named)
    }

    /// From the members of a JSON object, as [`Fields::parse`].
    ///
    /// # Errors
    /// `Invalid`: `parameters` is neither an array nor an object.
    pub fn new(mut named: BTreeMap<String, Box<RawValue>>) -> Result<Self, Fault> {
        let Some(parameters) = named.remove("parameters") else {
            return Ok(Self {
                named,
                positional: Vec::new(),
            });
        };
        if let Ok(positional) = serde_json::from_str(parameters.get()) {
            return Ok(Self { named, positional });
        }
        let more: BTreeMap<String, Box<RawValue>> = serde_json::from_str(parameters.get())
            .map_err(|_| {
                Fault::new(
                    FaultKind::Invalid,
                    "the field `parameters` must be a JSON array",
                )
            })?;
        for (name, value) in more {
            named.entry(name).or_insert(value);
        }
        Ok(Self {
            named,
            positional: Vec::new(),
        })
    }

    /// The argument called `name` (or one of its `aliases`), else the one at `position`. `null` counts as absent.
    pub(crate) fn find(&self, position: usize, names: &[&str]) -> Option<&RawValue> {
        let named = names.iter().find_map(|name| self.named.get(*name));
        named
            .or_else(|| self.positional.get(position))
            .map(|value| &**value)
            .filter(|value| value.get() != "null")
    }
}

/// The arguments of one command, with its name for the error messages.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a> {
    pub command: &'a str,
    pub fields: &'a Fields,
}

impl Arguments<'_> {
    /// An argument that must be there. `what` says in the error what it should be.
    pub fn need<T: DeserializeOwned>(
        self,
        position: usize,
        names: &[&str],
        what: &str,
    ) -> Result<T, Fault> {
        self.may(position, names, what)?.ok_or_else(|| {
            let Self { command, .. } = self;
            let name = names.first().copied().unwrap_or_default();
            Fault::new(
                FaultKind::Invalid,
                format!("`{command}` needs the field `{name}` ({what})"),
            )
        })
    }

    /// An argument that may be absent.
    pub fn may<T: DeserializeOwned>(
        self,
        position: usize,
        names: &[&str],
        what: &str,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.fields.find(position, names) else {
            return Ok(None);
        };
        serde_json::from_str(value.get()).map(Some).map_err(|_| {
            let Self { command, .. } = self;
            let name = names.first().copied().unwrap_or_default();
            Fault::new(
                FaultKind::Invalid,
                format!("the field `{name}` of `{command}` must be {what}"),
            )
        })
    }

    /// An argument of any kind, passed on unparsed.
    pub fn raw(self, position: usize, names: &[&str], what: &str) -> Result<RawJson, Fault> {
        self.need::<Box<RawValue>>(position, names, what)
            .map(RawJson::from)
    }
}
