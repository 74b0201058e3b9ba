//! One at a time for each name, and a pause after each refusal: nobody can try passwords faster than that. Whoever waits
//! while the daemon cannot be asked is not made to find that out once more.

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

type Turn = Arc<tokio::sync::Mutex<Last>>;

/// How it went the last time.
#[derive(Debug)]
struct Last {
    /// Until when the daemon is not asked.
    until: Instant,
    /// When and why the daemon could not be asked.
    failed: Option<(Instant, Fault)>,
}

#[derive(Debug)]
struct Gate {
    user: String,
    turn: Turn,
}

/// Somebody's turn; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Pass(OwnedMutexGuard<Last>);

impl Pass {
    /// What has come of it: after a refusal there is a pause, and who waits already shares what else went wrong.
    pub(super) fn note(&mut self, fault: &Fault) {
        match fault.kind {
            FaultKind::Unauthorized => self.0.until = Instant::now() + PAUSE,
            _ => self.0.failed = Some((Instant::now(), fault.clone())),
        }
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
    /// `Busy` if too many wait already; what whoever was before found out, if it was that the daemon cannot be asked.
    pub(super) async fn pass(&self, user: &str) -> Result<Pass, Fault> {
        let came = Instant::now();
        let turn = self.turn(user)?.lock_owned().await;
        match &turn.failed {
            Some((at, fault)) if *at > came => return Err(fault.clone()),
            _ => {}
        }
        sleep_until(turn.until).await;
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
        let turn = Turn::new(tokio::sync::Mutex::new(Last {
            until: Instant::now(),
            failed: None,
        }));
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
            Ok(last) => Arc::strong_count(&self.turn) > 1 || last.until > Instant::now(),
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
            gates.pass("a").await.unwrap().note(&refusal());
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

    fn refusal() -> Fault {
        Fault::new(FaultKind::Unauthorized, "no")
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_while_the_daemon_could_not_be_asked_is_told_so_and_who_comes_later_asks() {
        let gates = Gates::new(10, 10);
        let mut first = gates.pass("a").await.unwrap();
        let fails = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            first.note(&Fault::new(FaultKind::Unavailable, "away"));
            drop(first);
        };
        let (one, other, ()) = tokio::join!(gates.pass("a"), gates.pass("a"), fails);
        for waited in [one, other] {
            assert_eq!(waited.unwrap_err().message, "away");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(gates.pass("a").await.is_ok());
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
