//! What logins may do.

use std::collections::BTreeMap;

use patchbay_sdk::Role;
use patchbay_sdk::schemars::{self, JsonSchema};
use serde::Deserialize;

/// A role by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// May look.
    View,
    /// May also run scripts.
    User,
    /// May also change the environment.
    Expert,
    /// May also use the server's own commands.
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::View => Self::View,
            RoleName::User => Self::User,
            RoleName::Expert => Self::Expert,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// The role of each of NICOS's levels: `view`, `user`, `expert` or `admin`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoleMap {
    /// Of level 0.
    pub guest: RoleName,
    /// Of level 10.
    pub user: RoleName,
    /// Of level 20.
    pub admin: RoleName,
}

impl Default for RoleMap {
    fn default() -> Self {
        Self {
            guest: RoleName::View,
            user: RoleName::User,
            admin: RoleName::Admin,
        }
    }
}

/// The role of every login.
#[derive(Debug, Clone)]
pub struct Roles {
    levels: RoleMap,
    logins: BTreeMap<String, RoleName>,
}

impl Roles {
    pub(super) fn new(levels: RoleMap, logins: BTreeMap<String, RoleName>) -> Self {
        Self { levels, logins }
    }

    /// The role of this login, which has that level at the daemon. A level between two is the lower one.
    #[must_use]
    pub fn of(&self, user: &str, level: i64) -> Role {
        let by_level = match level {
            20.. => self.levels.admin,
            10..20 => self.levels.user,
            _ => self.levels.guest,
        };
        self.logins.get(user).copied().unwrap_or(by_level).into()
    }
}
