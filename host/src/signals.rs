//! What the system tells the process: that it shall end, or read its configuration anew.

use crate::exit::Exit;
use std::io;
use std::sync::mpsc::Receiver;
use tokio::sync::watch;

/// What comes by signals.
pub struct Signals {
    /// Turns true when the process is to end. Asked again, it ends at once, from the handler's own
    /// thread: whatever else hangs.
    pub to_end: watch::Receiver<bool>,
    /// An item for each time that the configuration is to be read anew; several that come while it is
    /// being read are one.
    pub to_reload: Receiver<()>,
}

/// Who catches them.
struct Catcher {
    to_end: watch::Sender<bool>,
}

impl Catcher {
    fn end(&self) {
        if self.to_end.send_replace(true) {
            std::process::exit(Exit::CutOff as i32);
        }
    }
}

/// From now on SIGINT and SIGTERM ask the process to end, and SIGHUP asks to read the configuration
/// anew, rather than ending it at once.
///
/// # Errors
/// If the system gives no handler, or no thread.
#[cfg(unix)]
pub fn listen() -> io::Result<Signals> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (to_end, ending) = watch::channel(false);
    let catcher = Catcher { to_end };
    let (reload, to_reload) = std::sync::mpsc::sync_channel(1);
    let work = move || {
        for signal in signals.forever() {
            match signal {
                // If there is no room, one that has not begun is waiting already.
                SIGHUP => _ = reload.try_send(()),
                _ => catcher.end(),
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(work)?;
    Ok(Signals {
        to_end: ending,
        to_reload,
    })
}

/// From now on Ctrl-C asks the process to end.
///
/// # Errors
/// If the system gives no handler.
#[cfg(not(unix))]
pub fn listen() -> io::Result<Signals> {
    let (to_end, ending) = watch::channel(false);
    let catcher = Catcher { to_end };
    ctrlc::set_handler(move || catcher.end()).map_err(io::Error::other)?;
    // Nobody sends: there is no such signal on this system.
    let (_, to_reload) = std::sync::mpsc::sync_channel(1);
    Ok(Signals {
        to_end: ending,
        to_reload,
    })
}
