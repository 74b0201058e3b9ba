//! One at a time for each account, so that nobody waits for somebody else's slow or refused login.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::lane::Account;

/// The accounts that are being let in.
#[derive(Debug)]
pub(super) struct Gates {
    gates: Mutex<Vec<Gate>>,
    most: usize,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

#[derive(Debug)]
struct Gate {
    account: Account,
    turn: Turn,
}

impl Gates {
    /// No gates; at most `most` different accounts will be let in at a time.
    pub(super) fn new(most: usize) -> Self {
        Self {
            gates: Mutex::default(),
            most,
        }
    }

    /// Waits until nobody else is being let in with this name and password; `None` if too many are with others.
    pub(super) async fn pass(&self, account: &Account) -> Option<OwnedMutexGuard<()>> {
        let turn = self.turn(account)?;
        Some(turn.lock_owned().await)
    }

    fn turn(&self, account: &Account) -> Option<Turn> {
        let mut gates = self.lock();
        // Whoever passes or waits holds a share of its turn.
        gates.retain(|gate| Arc::strong_count(&gate.turn) > 1);
        let is_it = |gate: &&Gate| {
            gate.account.user == account.user && gate.account.secret.matches(&account.secret)
        };
        if let Some(gate) = gates.iter().find(is_it) {
            return Some(Arc::clone(&gate.turn));
        }
        if gates.len() >= self.most {
            return None;
        }
        let turn = Turn::default();
        gates.push(Gate {
            account: account.clone(),
            turn: Arc::clone(&turn),
        });
        Some(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use patchbay_sdk::Secret;
    use tokio::time::{Duration, timeout};

    use super::*;

    fn account(user: &str) -> Account {
        Account {
            user: user.into(),
            secret: Secret::new("x"),
        }
    }

    async fn must_wait(gates: &Gates, user: &str) -> bool {
        let account = account(user);
        let pass = gates.pass(&account);
        timeout(Duration::from_millis(20), pass).await.is_err()
    }

    #[tokio::test]
    async fn the_same_account_waits_and_another_does_not() {
        let gates = Gates::new(10);
        let first = gates.pass(&account("a")).await;
        assert!(must_wait(&gates, "a").await);
        assert!(!must_wait(&gates, "b").await);
        drop(first);
        assert!(!must_wait(&gates, "a").await);
    }

    #[tokio::test]
    async fn too_many_are_turned_away_until_others_have_passed() {
        let gates = Gates::new(2);
        let first = gates.pass(&account("a")).await;
        let _second = gates.pass(&account("b")).await;
        assert!(gates.pass(&account("c")).await.is_none());
        drop(first);
        assert!(gates.pass(&account("c")).await.is_some());
    }
}
