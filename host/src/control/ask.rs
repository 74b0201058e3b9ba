//! The command line's side.

use super::{Answer, LONGEST_LINE, Order, socket_in};
use std::io::{BufRead, BufReader, Read, Write};
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
    let file = socket_in(state);
    let shown = file.display();
    let stream = UnixStream::connect(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!("{shown}: only the gateway's own user (and root) may do this")
        }
        _ => format!("no gateway runs here: {shown}: {error}"),
    })?;
    let line = exchange(&stream, order).map_err(|error| format!("{shown}: {error}"))?;
    serde_json::from_str(&line)
        .map_err(|error| format!("the gateway is of another version than this command: {error}"))
}

fn exchange(mut stream: &UnixStream, order: &Order) -> std::io::Result<String> {
    let patience = match order {
        Order::Restart { .. } | Order::Reload { .. } | Order::RenewPlugin { .. } => LONG_PATIENCE,
        Order::Status | Order::Sessions | Order::Route { .. } => PATIENCE,
    };
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut answer)?;
    Ok(answer)
}
