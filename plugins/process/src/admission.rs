//! The configuration, and who may come in by it.

use patchbay_child::{Program, Settings};
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, FaultKind, Login, Role, Secret, wrong_field};
use serde::Deserialize;

/// `[backend.config]` of a program.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The program, how it is run, and its limits.
    pub program: Program,
    /// What everybody may do who comes in by this backend, without a password: `view`, `user`, `expert` or `admin`. Without
    /// it, and without `passwords`, only those come in for whom the gateway itself vouches.
    #[serde(default)]
    pub anyone: Option<Role>,
    /// The program checks passwords itself. Only then it is told any.
    #[serde(default)]
    pub passwords: bool,
}

/// Who may come in.
pub(crate) enum Admission {
    /// Those for whom the host vouches.
    Vouched,
    /// Everybody, with that role.
    Anyone(Role),
    /// Those whose password the program likes.
    Passwords,
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what it must be.
    pub(crate) fn resolve(self) -> Result<(Settings, Admission), Fault> {
        let admission = match (self.passwords, self.anyone) {
            (true, Some(_)) => {
                let must_be = "left out where `passwords` is true: the program says then what somebody may do";
                return Err(wrong_field("anyone", must_be));
            }
            (true, None) => Admission::Passwords,
            (false, Some(role)) => Admission::Anyone(role),
            (false, None) => Admission::Vouched,
        };
        Ok((self.program.resolve(self.passwords)?, admission))
    }
}

impl Admission {
    /// What the gateway lets somebody do at the most, if it knows that; and the password that the program has to check, if
    /// it does not.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub(crate) fn of(&self, login: &Login) -> Result<(Option<Role>, Option<Secret>), Fault> {
        match (login.vouched, self) {
            (Some(role), _) => Ok((Some(role), None)),
            (None, Admission::Anyone(role)) => Ok((Some(*role), None)),
            (None, Admission::Passwords) => Ok((None, Some(login.secret.clone()))),
            (None, Admission::Vouched) => Err(nobody()),
        }
    }
}

fn nobody() -> Fault {
    let text = "this backend checks no passwords; let the gateway do so (`authority = \"users\"` at the frontend), or in its \
                `[backend.config]` set `anyone` to the role that everybody is to have, or `passwords = true` if the program \
                checks them";
    Fault::new(FaultKind::Unauthorized, text)
}
