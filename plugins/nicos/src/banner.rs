//! What the daemon says of itself before anything else.
//!
//! Source: `handle` in NICOS's `nicos/services/daemon/handler.py`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Fault, FaultKind, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::protocol::{Protocol, TESTED};

/// The daemon's first words.
#[derive(Debug, Clone, Deserialize)]
pub struct Banner {
    /// NICOS's version.
    pub daemon_version: String,
    /// The protocol's version.
    pub protocol_version: u16,
    /// How the daemon writes values; absent before NICOS 3.4, and then `classic`.
    #[serde(default = "classic")]
    pub serializer: String,
    /// The ways in which a password may be sent, comma-separated.
    pub pw_hashing: String,
    /// The connection's public key: PEM, in base64 once more.
    #[serde(default)]
    pub rsakey: Option<PythonBytes>,
}

/// Bytes as the pickle decoder writes them in JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum PythonBytes {
    /// Python 2 does not tell them from text.
    Text(String),
    /// In base64.
    Bytes {
        /// The base64.
        #[serde(rename = "$bytes")]
        base64: String,
    },
}

impl PythonBytes {
    /// The bytes, if they are some.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes { base64 } => STANDARD.decode(base64).ok(),
        }
    }
}

fn classic() -> String {
    "classic".to_owned()
}

impl Banner {
    /// Reads the banner from its JSON, and checks that this daemon can be spoken to.
    ///
    /// # Errors
    /// `Protocol` if it is no banner, `Unsupported` if it announces a protocol that is too old, or another serializer.
    pub fn read(json: &RawJson) -> Result<Self, Fault> {
        let banner: Self = serde_json::from_str(json.get()).map_err(|error| {
            Fault::new(
                FaultKind::Protocol,
                format!("the daemon's banner is not one: {error}"),
            )
        })?;
        if !banner.protocol().is_spoken() {
            return Err(banner.unsupported(format!("protocol version {}", banner.protocol_version)));
        }
        if banner.serializer != "classic" {
            return Err(banner.unsupported(format!("the serializer `{}`", banner.serializer)));
        }
        Ok(banner)
    }

    /// The protocol, to be asked what it can do.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol(self.protocol_version)
    }

    fn unsupported(&self, what: String) -> Fault {
        let (first, last) = (TESTED.start(), TESTED.end());
        let message = format!(
            "NICOS {} speaks {what}; this plugin speaks versions {first} to {last} with the serializer `classic`",
            self.daemon_version
        );
        Fault::new(FaultKind::Unsupported, message)
    }
}

/// The banner as clients may see it: all that the daemon said but the key, which is of no use to them.
#[must_use]
pub fn public_fields(json: &RawJson) -> BTreeMap<String, Box<RawValue>> {
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(json.get()).unwrap_or_default();
    fields.remove("rsakey");
    fields
}
