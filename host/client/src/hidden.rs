//! Asks for what must not be seen on a screen.

use std::io;

use zeroize::Zeroizing;

use crate::interrupt;

/// Asks at the terminal, without echo; `None` if Ctrl-C was pressed.
///
/// # Errors
/// If there is no terminal to ask at.
pub fn ask_hidden(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    // The terminal would stay without echo if Ctrl-C simply ended us.
    interrupt::catch().map_err(|complaint| io::Error::other(complaint.message))?;
    let asked = rpassword::prompt_password(question).map(Zeroizing::new);
    match interrupt::taken() {
        true => Ok(None),
        false => asked.map(Some),
    }
}
