//! The command line's side.

use super::{Answer, LONGEST_LINE, Order, socket_in};
use crate::trace::Sight;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a gateway may take to answer at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to do what waits for instances to start and to finish.
const LONG_PATIENCE: Duration = Duration::from_secs(3600);

/// Asks the gateway with this state directory.
///
/// # Errors
/// A sentence that says why there is no answer, and what to do.
pub fn ask(state: &Path, order: &Order) -> Result<Answer, String> {
    let stream = reach(state)?;
    say(&stream, order).map_err(|error| lost(state, &error))?;
    next(&mut BufReader::new(&stream), state)
}

/// Asks for an answer that goes on, and hands on each line of it until `show` has had enough.
///
/// # Errors
/// A sentence that says why there is none, or no more.
pub fn follow(
    state: &Path,
    order: &Order,
    mut show: impl FnMut(Sight) -> ControlFlow<()>,
) -> Result<(), String> {
    let stream = reach(state)?;
    say(&stream, order).map_err(|error| lost(state, &error))?;
    let mut lines = BufReader::new(&stream);
    match next(&mut lines, state)? {
        Answer::Done => {}
        Answer::Refused(why) => return Err(why),
        _ => return Err("the gateway is of another version than this command".to_owned()),
    }
    while show(next(&mut lines, state)?).is_continue() {}
    Ok(())
}

fn reach(state: &Path) -> Result<UnixStream, String> {
    let file = socket_in(state);
    let shown = file.display();
    UnixStream::connect(&file).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{shown}: only the gateway's own user, root and the members of its `control_group` may do this")
        }
        _ => format!("no gateway runs here: {shown}: {error}"),
    })
}

fn lost(state: &Path, error: &io::Error) -> String {
    format!("{}: {error}", socket_in(state).display())
}

fn say(mut stream: &UnixStream, order: &Order) -> io::Result<()> {
    let patience = match order {
        Order::Restart { .. } | Order::Reload { .. } | Order::RenewPlugin { .. } => LONG_PATIENCE,
        _ => PATIENCE,
    };
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// The next line, whatever it is.
fn next<T: DeserializeOwned>(lines: &mut impl BufRead, state: &Path) -> Result<T, String> {
    let mut line = String::new();
    let read = lines.take(LONGEST_LINE).read_line(&mut line);
    match read.map_err(|error| lost(state, &error))? {
        0 => Err("the gateway has ended".to_owned()),
        _ => serde_json::from_str(&line).map_err(|error| {
            format!("the gateway is of another version than this command: {error}")
        }),
    }
}
