//! What a gateway tells the service manager that has started it (systemd, `Type=notify`): that it is ready, how it is,
//! that it reloads, that it ends; and that it lives, as long as it does. Without one, nothing is said to anybody.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether the manager has heard that clients can be served; until then a reload is nothing of its own.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// Clients can be served.
pub fn ready(status: &str) {
    IS_READY.store(true, Ordering::Relaxed);
    manager::tell(&[manager::Word::Ready, manager::Word::Status(status)]);
}

/// The configuration is read anew, until this is dropped.
#[derive(Debug)]
pub struct Reloading;

impl Reloading {
    /// From now on.
    pub fn begin() -> Self {
        if IS_READY.load(Ordering::Relaxed) {
            manager::tell_reloading();
        }
        Reloading
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        if IS_READY.load(Ordering::Relaxed) {
            manager::tell(&[manager::Word::Ready]);
        }
    }
}

/// No client is taken any more.
pub fn stopping(status: &str) {
    manager::tell(&[manager::Word::Stopping, manager::Word::Status(status)]);
}

/// Tells for ever that the gateway lives, and how it is, if the manager wants to be told. `pulse` finds out; where that
/// hangs nothing is told, and the manager ends the process and starts it anew.
pub fn live(pulse: impl Fn() -> String) -> impl Future<Output = ()> {
    let every = manager::interval();
    async move {
        let Some(every) = every else {
            return;
        };
        tracing::debug!("the service manager is told every {} ms", every.as_millis());
        let tell =
            |status: &str| manager::tell(&[manager::Word::Alive, manager::Word::Status(status)]);
        beat(every, pulse, tell).await;
    }
}

async fn beat(every: Duration, pulse: impl Fn() -> String, tell: impl Fn(&str)) {
    loop {
        tell(&pulse());
        tokio::time::sleep(every).await;
    }
}

/// Of the time in which the manager wants to hear something, the part after which it is told.
const PART: u32 = 3;

#[cfg(unix)]
mod manager {
    //! systemd, and whoever speaks its protocol.

    use super::{Duration, PART};
    use sd_notify::NotifyState;

    pub(super) enum Word<'a> {
        Ready,
        Stopping,
        Alive,
        Status(&'a str),
    }

    /// Whoever does not hear it has gone; the gateway does its work all the same.
    fn say(words: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(false, words) {
            tracing::debug!(%error, "the service manager does not hear");
        }
    }

    pub(super) fn tell(words: &[Word<'_>]) {
        let words: Vec<NotifyState<'_>> = words
            .iter()
            .map(|word| match word {
                Word::Ready => NotifyState::Ready,
                Word::Stopping => NotifyState::Stopping,
                Word::Alive => NotifyState::Watchdog,
                Word::Status(status) => NotifyState::Status(status),
            })
            .collect();
        say(&words);
    }

    pub(super) fn tell_reloading() {
        let mut words = vec![NotifyState::Reloading];
        words.extend(NotifyState::monotonic_usec_now().ok());
        say(&words);
    }

    pub(super) fn interval() -> Option<Duration> {
        let mut within_us = 0;
        let wanted = sd_notify::watchdog_enabled(false, &mut within_us);
        wanted.then(|| Duration::from_micros(within_us) / PART)
    }
}

#[cfg(not(unix))]
mod manager {
    //! None on this system.

    use super::Duration;

    pub(super) enum Word<'a> {
        Ready,
        Stopping,
        Alive,
        Status(&'a str),
    }

    pub(super) fn tell(_words: &[Word<'_>]) {}
    pub(super) fn tell_reloading() {}
    pub(super) fn interval() -> Option<Duration> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, mpsc};

    #[test]
    fn nothing_is_told_while_what_a_request_needs_is_stuck() {
        let lock = Arc::new(Mutex::new(()));
        let (tell, told) = mpsc::channel();
        let of_pulse = lock.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let pulse = || {
                let _held = of_pulse.lock().unwrap();
                "well".to_owned()
            };
            let tell = |status: &str| _ = tell.send(status.to_owned());
            runtime.block_on(beat(Duration::from_millis(5), pulse, tell));
        });
        let long = Duration::from_secs(30);
        assert_eq!(told.recv_timeout(long).unwrap(), "well");
        let stuck = lock.lock().unwrap();
        // One word may be on its way.
        while told.try_recv().is_ok() {}
        let _ = told.recv_timeout(Duration::from_millis(200));
        let silence = told.recv_timeout(Duration::from_millis(300));
        assert_eq!(silence, Err(mpsc::RecvTimeoutError::Timeout));
        drop(stuck);
        assert_eq!(told.recv_timeout(long).unwrap(), "well");
    }
}
