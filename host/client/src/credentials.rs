//! Where to connect and as whom: what was said now, else what was saved, else what somebody at the terminal says.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::address::Address;
use crate::args::Place;
use crate::complaint::{Complaint, Result};
use crate::hidden::ask_hidden;
use crate::saved::Saved;

/// No password is longer, in bytes.
const LONGEST_PASSWORD: u64 = 4096;

/// All that is needed to log in. Not to be printed.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) address: Address,
    pub(crate) user: String,
    pub(crate) secret: Zeroizing<String>,
}

impl Access {
    /// Asks for what was neither said nor saved.
    pub(crate) fn find(place: &Place, saved: &Saved) -> Result<Self> {
        let address = address(place, saved)?;
        let said = place.user.clone().or_else(|| saved.user.clone());
        let user = said.map_or_else(|| ask_user(&address), Ok)?;
        // A saved password goes nowhere else than where it was saved for.
        let is_same = saved.connect.as_ref() == Some(&address.to_string())
            && saved.user.as_ref() == Some(&user);
        let known = saved.password.clone().filter(|_| is_same);
        let secret = match &place.password_file {
            Some(file) => read_password(file)?,
            None => known.map_or_else(|| ask_password(&user, &address), Ok)?,
        };
        Ok(Self {
            address,
            user,
            secret,
        })
    }
}

/// Where the gateway is.
fn address(place: &Place, saved: &Saved) -> Result<Address> {
    match (&place.connect, &saved.connect) {
        (Some(said), _) => Ok(said.clone()),
        (None, Some(saved)) => saved
            .parse()
            .map_err(|why| Complaint::local(format!("the saved address is of no use: {why}"))),
        (None, None) => Ok(Address::default()),
    }
}

fn ask_user(address: &Address) -> Result<String> {
    must_be_asked("the user", "`--user NAME` or PATCHBAY_USER says it")?;
    let mut line = String::new();
    let mut error = std::io::stderr();
    let asked = write!(error, "User at {address}: ").and_then(|()| error.flush());
    let read = asked.and_then(|()| std::io::stdin().read_line(&mut line));
    match (read, line.trim()) {
        (Err(error), _) => {
            let message = format!("the user cannot be asked: {error}");
            Err(Complaint::local(message))
        }
        (Ok(_), "") => Err(Complaint::login("no user was given")),
        (Ok(_), user) => Ok(user.to_owned()),
    }
}

fn ask_password(user: &str, address: &Address) -> Result<Zeroizing<String>> {
    let other = "`--password-file FILE` or PATCHBAY_PASSWORD_FILE gives it, and \
                 `patchbay client login --save-password` remembers it";
    must_be_asked("the password", other)?;
    let question = format!("Password of {user} at {address}: ");
    match ask_hidden(&question) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(Complaint::interrupted("not logged in")),
        Err(error) => {
            let message = format!("the password cannot be asked: {error}");
            Err(Complaint::local(message))
        }
    }
}

fn must_be_asked(what: &str, otherwise: &str) -> Result<()> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    let message = format!("{what} is not known, and there is no terminal to ask at");
    Err(Complaint::login(message).advice(otherwise))
}

fn read_password(file: &Path) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let opened = std::fs::File::open(file);
    let read = opened.and_then(|file| file.take(LONGEST_PASSWORD + 1).read_to_string(&mut text));
    let useless = |why: &str| {
        let file = file.display();
        Complaint::login(format!("the password file {file} {why}"))
    };
    match read {
        Err(error) => Err(useless(&format!("cannot be read: {error}"))),
        Ok(length) if length as u64 > LONGEST_PASSWORD => {
            Err(useless(&format!("is longer than {LONGEST_PASSWORD} bytes")))
        }
        Ok(_) => {
            let line = text.split('\n').next().unwrap_or_default();
            Ok(line.trim_end_matches('\r').to_owned().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            connect: Some("127.0.0.1:1310".into()),
            user: Some("anna".into()),
            password: Some("geheim".to_owned().into()),
        }
    }

    #[test]
    fn what_was_saved_is_enough() {
        let access = Access::find(&Place::default(), &saved()).unwrap();
        assert_eq!(access.user, "anna");
        assert_eq!(access.secret.as_str(), "geheim");
    }

    #[test]
    fn a_saved_password_goes_to_no_other_gateway_and_for_no_other_user() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "another").unwrap();
        let elsewhere = Place {
            connect: Some("evil.example:1310".parse().unwrap()),
            password_file: Some(file.clone()),
            ..Place::default()
        };
        let other = Place {
            user: Some("otto".into()),
            password_file: Some(file),
            ..Place::default()
        };
        for place in [elsewhere, other] {
            let access = Access::find(&place, &saved()).unwrap();
            assert_eq!(access.secret.as_str(), "another");
        }
    }

    #[test]
    fn a_password_file_has_the_password_in_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, " ge heim \r\nmore\n").unwrap();
        assert_eq!(read_password(&file).unwrap().as_str(), " ge heim ");
    }
}
