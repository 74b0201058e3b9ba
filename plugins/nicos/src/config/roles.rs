//! What logins may do.

use std::collections::BTreeMap;

use patchbay_sdk::model::nearest;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, Role};
use serde::Deserialize;

use super::settings::invalid;

/// The roles, for messages.
const ROLES: [&str; 4] = ["view", "user", "expert", "admin"];

/// The role of each of NICOS's levels: `view`, `user`, `expert` or `admin`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoleMap {
    /// Of level 0.
    pub guest: String,
    /// Of level 10.
    pub user: String,
    /// Of level 20.
    pub admin: String,
}

impl Default for RoleMap {
    fn default() -> Self {
        let role = |role: Role| role.as_str().to_owned();
        Self {
            guest: role(Role::View),
            user: role(Role::User),
            admin: role(Role::Admin),
        }
    }
}

/// The role of every login.
#[derive(Debug, Clone)]
pub struct Roles {
    guest: Role,
    user: Role,
    admin: Role,
    logins: BTreeMap<String, Role>,
}

impl Roles {
    /// Reads the names of roles.
    ///
    /// # Errors
    /// `Invalid` for one that does not exist, naming its key.
    pub(super) fn new(map: &RoleMap, logins: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let of_login = |(user, name): (&String, &String)| {
            Ok((user.clone(), role(&format!("login_roles.{user}"), name)?))
        };
        Ok(Self {
            guest: role("role_map.guest", &map.guest)?,
            user: role("role_map.user", &map.user)?,
            admin: role("role_map.admin", &map.admin)?,
            logins: logins.iter().map(of_login).collect::<Result<_, Fault>>()?,
        })
    }

    /// The role of this login, which has that level at the daemon. A level between two is the lower one.
    #[must_use]
    pub fn of(&self, user: &str, level: i64) -> Role {
        let by_level = match level {
            20.. => self.admin,
            10..20 => self.user,
            _ => self.guest,
        };
        self.logins.get(user).copied().unwrap_or(by_level)
    }
}

fn role(key: &str, name: &str) -> Result<Role, Fault> {
    Role::from_name(name).ok_or_else(|| {
        let near = nearest(name, ROLES);
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let known = ROLES.join("`, `");
        invalid(format!(
            "`{key}` is `{name}`, which is none of `{known}`{hint}"
        ))
    })
}
