//! One at a time for each name, and a pause after each refusal: nobody can try passwords faster than that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

/// How long after a refusal the daemon is not asked about the same name again.
const PAUSE: Duration = Duration::from_secs(1);

/// The names of which the daemon is being asked.
#[derive(Debug)]
pub(super) struct Gates {
    gates: Mutex<Vec<Gate>>,
    most: usize,
    queue_most: usize,
}

/// Until when the daemon is not asked.
type Turn = Arc<tokio::sync::Mutex<Instant>>;

#[derive(Debug)]
struct Gate {
    user: String,
    turn: Turn,
}

/// Somebody's turn; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Pass(OwnedMutexGuard<Instant>);

impl Pass {
    /// The daemon has refused.
    pub(super) fn refused(&mut self) {
        *self.0 = Instant::now() + PAUSE;
    }
}

impl Gates {
    /// No gates; at most `most` different names will be asked about at a time, with `queue_most` waiting for each.
    pub(super) fn new(most: usize, queue_most: usize) -> Self {
        Self {
            gates: Mutex::default(),
            most,
            queue_most,
        }
    }

    /// Waits until nobody else is being let in with this name, and the pause after a refusal is over.
    ///
    /// # Errors
    /// `Busy` if too many wait already.
    pub(super) async fn pass(&self, user: &str) -> Result<Pass, Fault> {
        let turn = self.turn(user)?.lock_owned().await;
        sleep_until(*turn).await;
        Ok(Pass(turn))
    }

    fn turn(&self, user: &str) -> Result<Turn, Fault> {
        let mut gates = self.lock();
        gates.retain(Gate::is_needed);
        if let Some(gate) = gates.iter().find(|gate| gate.user == user) {
            // Whoever passes or waits holds a share of its turn, and the gate another.
            if Arc::strong_count(&gate.turn) > self.queue_most + 1 {
                return Err(busy(&format!("too many logins as `{user}` wait")));
            }
            return Ok(Arc::clone(&gate.turn));
        }
        if gates.len() >= self.most {
            return Err(busy("too many logins are being checked"));
        }
        let turn = Turn::new(tokio::sync::Mutex::new(Instant::now()));
        gates.push(Gate {
            user: user.to_owned(),
            turn: Arc::clone(&turn),
        });
        Ok(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn is_needed(&self) -> bool {
        match self.turn.try_lock() {
            Ok(until) => Arc::strong_count(&self.turn) > 1 || *until > Instant::now(),
            Err(_) => true,
        }
    }
}

fn busy(what: &str) -> Fault {
    let message = format!("{what} for NICOS's answer already; try again shortly");
    Fault::new(FaultKind::Busy, message).retry(true)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    async fn must_wait(gates: &Gates, user: &str) -> bool {
        let pass = timeout(Duration::from_millis(20), gates.pass(user));
        pass.await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_name_waits_and_another_does_not() {
        let gates = Gates::new(10, 10);
        let first = gates.pass("a").await.unwrap();
        assert!(must_wait(&gates, "a").await);
        assert!(!must_wait(&gates, "b").await);
        drop(first);
        assert!(!must_wait(&gates, "a").await);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_a_name_is_asked_about_once_a_second_and_others_at_once() {
        let gates = Gates::new(10, 10);
        let begin = Instant::now();
        let mut times = Vec::new();
        for _ in 0..4 {
            gates.pass("a").await.unwrap().refused();
            times.push(begin.elapsed().as_millis());
            assert!(!must_wait(&gates, "b").await);
        }
        for (time, second) in times.iter().zip(0..) {
            assert!(
                (second * 1000..second * 1000 + 100).contains(time),
                "{times:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_are_turned_away_until_others_have_passed() {
        let gates = Gates::new(2, 1);
        let first = gates.pass("a").await.unwrap();
        let _second = gates.pass("b").await.unwrap();
        let fault = gates.pass("c").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Busy);
        let (_, fault) = tokio::join!(must_wait(&gates, "a"), gates.pass("a"));
        assert!(fault.unwrap_err().message.contains("`a`"));
        drop(first);
        assert!(gates.pass("c").await.is_ok());
    }
}
