//! `getbanner` and `getversion`.

use std::collections::BTreeMap;

use patchbay_sdk::{Fault, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Native, read};

/// What the clients in service insist on.
const PROTOCOL: u64 = 23;

#[derive(Deserialize)]
struct Banner<'a> {
    #[serde(default)]
    version: String,
    #[serde(borrow, default)]
    native: Option<Native<'a>>,
}

/// NICOS's banner: its own fields where there are any, but always protocol 23 and JSON, and passwords in plain text,
/// because what the client speaks to is the gateway.
pub(super) fn banner(body: &RawJson) -> Result<RawJson, Fault> {
    let banner: Banner<'_> = read(body)?;
    let mut fields: BTreeMap<String, Value> = BTreeMap::from([
        ("daemon_version".into(), banner.version.clone().into()),
        ("custom_version".into(), Value::Null),
        ("nicos_root".into(), "".into()),
        ("custom_path".into(), "".into()),
    ]);
    fields.extend(own_fields(&banner));
    fields.insert("protocol_version".into(), PROTOCOL.into());
    fields.insert("serializer".into(), "json".into());
    fields.insert("pw_hashing".into(), "plain".into());
    fields.insert("rsakey".into(), Value::Null);
    RawJson::new(&fields)
}

pub(super) fn version(body: &RawJson) -> Result<RawJson, Fault> {
    RawJson::new(&json!(read::<Banner<'_>>(body)?.version))
}

fn own_fields(banner: &Banner<'_>) -> BTreeMap<String, Value> {
    let own: Option<&RawValue> = banner.native.as_ref().and_then(|native| native.nicos);
    own.and_then(|own| serde_json::from_str(own.get()).ok())
        .unwrap_or_default()
}
