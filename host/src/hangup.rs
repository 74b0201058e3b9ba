//! SIGHUP has the configuration read anew, as with other servers.

use crate::reload::{Refusal, Reloader};
use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;

/// Reads the configuration anew at each SIGHUP, on a thread of its own; what came of it goes to the log.
///
/// # Errors
/// If the system gives no handler, or no thread.
pub fn reload_on_hangup(reloader: Arc<Reloader>) -> io::Result<()> {
    let mut hangups = Signals::new([SIGHUP])?;
    let thread = std::thread::Builder::new().name("hangup".to_owned());
    let work = move || {
        for _ in hangups.forever() {
            tracing::info!("SIGHUP: the configuration is read anew");
            log(reloader.reload(false));
        }
    };
    thread.spawn(work).map(drop)
}

fn log(outcome: Result<crate::reload::Done, Refusal>) {
    match outcome {
        Ok((report, warnings)) => {
            for warning in warnings.iter() {
                tracing::warn!("{}", warning.message);
            }
            for step in &report.steps {
                match &step.failed {
                    None => tracing::info!("{}", step.what),
                    Some(why) => tracing::error!(why, "not done: {}", step.what),
                }
            }
            tracing::info!(
                changes = report.steps.len(),
                "the configuration was read anew"
            );
        }
        Err(Refusal::Because(why)) => tracing::error!(why, "nothing was changed"),
        Err(Refusal::Mistakes(mistakes)) => {
            let mistakes = mistakes.render(false);
            tracing::error!("the configuration has mistakes, nothing was changed:\n{mistakes}");
        }
    }
}
