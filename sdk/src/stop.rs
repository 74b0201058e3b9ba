//! When to end.

use tokio::sync::watch;

/// Tells an instance that the host wants it to finish. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<bool>,
}

impl Stop {
    pub(crate) fn new(asked: watch::Receiver<bool>) -> Self {
        Stop { asked }
    }

    /// A stop signal and the switch that gives it, for tests of parts of a plugin.
    pub fn channel() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop::new(receiver))
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
}
