//! Who may come in.

use patchbay_sdk::{Fault, FaultKind, Login, Role, Secret};

use crate::config::Settings;

/// What somebody may do, if they may come in.
///
/// # Errors
/// `Unauthorized`, without saying whether the name or the password is wrong; `Internal` if their password's file cannot be
/// read.
pub fn admit(settings: &Settings, login: &Login) -> Result<Role, Fault> {
    if let Some(role) = login.vouched {
        return Ok(role);
    }
    let known = settings.users.get(&login.user);
    match (known, settings.anyone) {
        (Some(user), _) => {
            let secret = user.secret.resolve()?;
            match secret.matches(&login.secret) {
                true => Ok(user.role),
                false => Err(refused()),
            }
        }
        (None, Some(role)) => Ok(role),
        (None, None) if settings.users.is_empty() => Err(nobody()),
        (None, None) => {
            // As long as for somebody who is known.
            let _ = Secret::new("no password").matches(&login.secret);
            Err(refused())
        }
    }
}

fn refused() -> Fault {
    Fault::new(FaultKind::Unauthorized, "the name or the password is wrong")
}

fn nobody() -> Fault {
    let text = "this Python backend lets nobody in yet; in its `[backend.config]`, give it `users`, or set `anyone` to \
                the role that everybody is to have";
    Fault::new(FaultKind::Unauthorized, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_for_whom_the_host_vouches_need_nothing_here() {
        let config = serde_json::json!({ "folder": "/nowhere" });
        let config: crate::Config = serde_json::from_value(config).unwrap();
        let settings = config.resolve().unwrap();
        let login = |vouched| Login {
            user: "anna".into(),
            secret: Secret::new(""),
            vouched,
            session: 1,
            client: "a test".into(),
        };
        let role = admit(&settings, &login(Some(Role::Expert))).unwrap();
        assert_eq!(role, Role::Expert);
        assert!(admit(&settings, &login(None)).is_err());
    }
}
