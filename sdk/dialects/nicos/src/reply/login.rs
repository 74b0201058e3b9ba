//! The reply to `authenticate`.

use patchbay_sdk::{RawJson, Role};
use serde::Deserialize;

/// `{"user_level": 0|10|20}`: what the backend said (`user_level` in the session's detail), else by role. Always an
/// object with a whole number: a client of 2017 fails on anything else.
pub fn login_reply(role: Role, detail: Option<&RawJson>) -> RawJson {
    #[derive(Deserialize)]
    struct Detail {
        user_level: i32,
    }
    let told = detail
        .and_then(|detail| detail.parse::<Detail>().ok())
        .map(|detail| detail.user_level);
    let level = told.unwrap_or(match role {
        Role::View => 0,
        Role::User | Role::Expert => 10,
        Role::Admin => 20,
    });
    RawJson::new(&serde_json::json!({"user_level": level})).unwrap_or_else(|_| RawJson::null())
}
