//! Spacing out what costs the daemon much.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};

/// Lets connections begin one after the other: each costs the daemon 20 to 90 ms of CPU time for its key, before it
/// even asks for a password. It spaces their beginnings only; how long each takes then keeps nobody waiting.
#[derive(Debug)]
pub struct Pacer {
    pace: Duration,
    /// Before which the next one may not begin; held by who waits for that moment, in the order of their coming.
    next: Mutex<Instant>,
    /// Held by the first of those who are in no haste. The others wait for it, so that who is in haste overtakes them.
    leisurely: Mutex<()>,
    waiting: AtomicU32,
    hasty: AtomicU32,
}

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Before those without.
    Urgent,
    /// In the order of coming.
    None,
}

/// Somebody who waits.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pacer {
    /// One that lets a connection begin every `pace`.
    #[must_use]
    pub fn new(pace: Duration) -> Self {
        Self {
            pace,
            next: Mutex::new(Instant::now()),
            leisurely: Mutex::default(),
            waiting: AtomicU32::new(0),
            hasty: AtomicU32::new(0),
        }
    }

    /// Waits until a connection may begin.
    ///
    /// # Errors
    /// `Busy` if that takes longer than `limit`; at once if so many are waiting that it must.
    pub async fn turn(&self, haste: Haste, limit: Duration) -> Result<(), Fault> {
        let ahead = self.ahead(haste);
        if self.pace.saturating_mul(ahead) > limit {
            return Err(self.busy(ahead));
        }
        let wait = timeout(limit, self.wait(haste)).await;
        wait.map_err(|_| self.busy(self.ahead(haste)))
    }

    async fn wait(&self, haste: Haste) {
        let _counted = Waiting::new(match haste {
            Haste::Urgent => &self.hasty,
            Haste::None => &self.waiting,
        });
        let _first = match haste {
            Haste::Urgent => None,
            Haste::None => Some(self.leisurely.lock().await),
        };
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + self.pace;
    }

    fn ahead(&self, haste: Haste) -> u32 {
        let hasty = self.hasty.load(Ordering::Relaxed);
        match haste {
            Haste::Urgent => hasty,
            Haste::None => hasty + self.waiting.load(Ordering::Relaxed),
        }
    }

    fn busy(&self, ahead: u32) -> Fault {
        let message = format!(
            "{ahead} connections to NICOS wait to be opened, and one is begun each {} s (`login_pace_s`); try again shortly",
            self.pace.as_secs_f64()
        );
        Fault::new(FaultKind::Busy, message).retry(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    const PACE: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(100);

    #[tokio::test(start_paused = true)]
    async fn connections_begin_one_each_pace_however_many_come() {
        let pacer = Pacer::new(PACE);
        let begin = Instant::now();
        let turns = (0..20).map(|_| async {
            pacer.turn(Haste::None, LONG).await.unwrap();
            begin.elapsed().as_millis()
        });
        let times = join_all(turns).await;
        let millis = |turn: u128| turn * PACE.as_millis();
        for (turn, time) in (0..).zip(times) {
            assert!((millis(turn)..=millis(turn) + turn + 1).contains(&time));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_in_haste_overtakes_all_but_the_one_whose_turn_it_is() {
        let pacer = Arc::new(Pacer::new(PACE));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let come = |name: &'static str, haste| {
            let (pacer, order) = (Arc::clone(&pacer), Arc::clone(&order));
            tokio::spawn(async move {
                pacer.turn(haste, LONG).await.unwrap();
                order.lock().unwrap().push(name);
            })
        };
        let mut all = Vec::from(["a", "b", "c", "d"].map(|name| come(name, Haste::None)));
        sleep(Duration::from_millis(1)).await;
        all.push(come("x", Haste::Urgent));
        all.push(come("y", Haste::Urgent));
        join_all(all).await;
        assert_eq!(*order.lock().unwrap(), ["a", "b", "x", "y", "c", "d"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_so_at_once() {
        let pacer = Pacer::new(PACE);
        let turns = (0..9).map(|_| pacer.turn(Haste::None, LONG));
        let late = async {
            sleep(Duration::from_millis(1)).await;
            let before = Instant::now();
            let fault = pacer.turn(Haste::None, 2 * PACE).await.unwrap_err();
            (fault, before.elapsed())
        };
        let (_, (fault, waited)) = tokio::join!(join_all(turns), late);
        assert!(fault.message.contains("8 connections"), "{fault}");
        assert_eq!((fault.kind, waited), (FaultKind::Busy, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_keeps_nobody_waiting() {
        let pacer = Pacer::new(PACE);
        pacer.turn(Haste::None, LONG).await.unwrap();
        let gone = timeout(Duration::from_millis(1), pacer.turn(Haste::None, LONG)).await;
        assert!(gone.is_err());
        let before = Instant::now();
        pacer.turn(Haste::None, LONG).await.unwrap();
        assert!(before.elapsed() <= PACE);
    }
}
