//! Answers that go on: what crosses the boundary, line by line, on a thread of its own for each viewer.

use crate::trace::Watch;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// After so long without anything to see it is looked whether the viewer is still there.
const QUIET: Duration = Duration::from_secs(1);

/// So long a viewer may not read: its terminal may be stopped. Lines are lost meanwhile, and it is told.
const PATIENCE: Duration = Duration::from_secs(600);

/// Writes what happens until nobody reads it any more.
///
/// # Errors
/// If the system gives no thread.
pub(super) fn look_on(mut stream: UnixStream, mut watch: Watch) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let thread = std::thread::Builder::new().name("trace".to_owned());
    let show = move || {
        loop {
            let line = serde_json::to_vec(&watch.next(QUIET)).map_err(io::Error::from);
            let written = line.and_then(|mut line| {
                line.push(b'\n');
                stream.write_all(&line)
            });
            if written.is_err() {
                return;
            }
        }
    };
    thread.spawn(show).map(drop)
}
