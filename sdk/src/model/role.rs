//! Who may do what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody may do; each role may all that the ones before it may.
///
/// ```
/// use patchbay_sdk::Role;
/// assert!(Role::View < Role::Admin);
/// assert_eq!(Role::from_name("expert"), Some(Role::Expert));
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Look, and press emergency stop.
    View,
    /// Run scripts.
    User,
    /// Change how the server is set up.
    Expert,
    /// Everything.
    Admin,
}

impl Role {
    /// The name in JSON and in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::View => "view",
            Role::User => "user",
            Role::Expert => "expert",
            Role::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Role> {
        [Role::View, Role::User, Role::Expert, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
