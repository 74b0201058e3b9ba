//! `login` and `logout`.

use serde_json::json;

use crate::complaint::Result;
use crate::credentials::Access;
use crate::desk::Desk;
use crate::saved::{self, Saved};
use crate::screen::{GOOD, STRONG, paint};

/// Checks a login, and remembers it.
pub(super) fn login(desk: &mut Desk, save_password: bool) -> Result<()> {
    desk.leave();
    // Where it was last time is a good guess; who, and the password, are what is to be said anew.
    let before = Saved {
        connect: Saved::load().unwrap_or_default().connect,
        ..Saved::default()
    };
    let access = Access::find(&desk.place, &before)?;
    let (address, user) = (access.address.to_string(), access.user.clone());
    let secret = save_password.then(|| access.secret.clone());
    let role = desk.enter(access)?.role.clone();
    let saved = Saved {
        connect: Some(address.clone()),
        user: Some(user.clone()),
        password: secret,
    };
    let path = saved.save()?;
    let answer = json!({"connect": address, "user": user, "role": role});
    desk.screen.answer(&answer, || {
        let (who, role) = (paint(STRONG, &user), paint(GOOD, &role));
        let what = match save_password {
            true => "Address, user and password",
            false => "Address and user",
        };
        let path = path.display();
        format!("Logged in at {address} as {who} (role {role}).\n{what} are remembered in {path}.")
    })
}

/// Forgets it.
pub(super) fn logout(desk: &mut Desk) -> Result<()> {
    desk.leave();
    let was_there = saved::forget()?;
    desk.screen.answer(&json!({"forgotten": was_there}), || {
        match was_there {
            true => "Forgotten.",
            false => "No login was remembered.",
        }
        .to_owned()
    })
}
