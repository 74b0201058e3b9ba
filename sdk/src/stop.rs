//! When to end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Of the time that the host gives an instance to finish, what may pass until the last answer…
const FOR_ANSWERS: f64 = 4.0 / 6.0;

/// … and until the last goodbye. The rest is for the way back to the host.
const FOR_GOODBYES: f64 = 5.0 / 6.0;

/// The time that there is if nothing is said about it.
const WITHOUT_A_WORD: Duration = Duration::from_secs(6);

/// Tells an instance that the host wants it to finish, and by when. Clones tell the same.
///
/// ```
/// # use patchbay_sdk::Stop;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // In a plugin the host has the switch; in a test of one of its parts, the test.
/// let (switch, stop) = Stop::channel();
/// assert!(!stop.is_stopping());
/// switch.send_replace(true);
/// stop.wait().await;
/// assert!(stop.answer_until() < stop.leave_until());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<bool>,
    end: Arc<OnceLock<End>>,
}

/// When a stop began, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) begun: Instant,
    pub(crate) within: Duration,
}

impl Stop {
    pub(crate) fn new(asked: watch::Receiver<bool>, end: Arc<OnceLock<End>>) -> Self {
        Stop { asked, end }
    }

    /// A stop signal and the switch that gives it, for parts of a plugin and their tests.
    pub fn channel() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop::new(receiver, Arc::default()))
    }

    /// Returns when the host wants the instance to finish, or is gone.
    pub async fn wait(&self) {
        let mut asked = self.asked.clone();
        // An error means that the switch is gone: then, too, it is time to end.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Whether the host wants the instance to finish.
    pub fn is_stopping(&self) -> bool {
        *self.asked.borrow()
    }

    /// Until when what was taken may be waited for, once the host wants the instance to finish. What is not answered by
    /// then is given up, so that there is time left to say so before the host cuts the instance off.
    pub fn answer_until(&self) -> Instant {
        self.share(FOR_ANSWERS)
    }

    /// Until when goodbyes may take, as [`Stop::answer_until`] for answers.
    pub fn leave_until(&self) -> Instant {
        self.share(FOR_GOODBYES)
    }

    fn share(&self, share: f64) -> Instant {
        // Whoever asks first decides when a stop without a deadline began.
        let end = self.end.get_or_init(|| End {
            begun: Instant::now(),
            within: WITHOUT_A_WORD,
        });
        end.begun + end.within.mul_f64(share)
    }
}
