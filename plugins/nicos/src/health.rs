//! How the instance is: the word of the observer and the troubles of the lanes, put together.
//!
//! ```text
//! the observer's link is down             down, and why
//! it is up, and some lane is in trouble   degraded, with the first few troubles
//! it is up, and no lane is                up
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::Health;

/// Most troubles that are named; of the others only the number is told.
const NAMED: usize = 3;

/// Longest text of a trouble, in characters.
const LONGEST: usize = 200;

/// Where the health is put together, and from where it is told whenever it changes.
pub struct Board {
    tell: Box<dyn Fn(Health) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    observer: Option<Health>,
    /// At most one for each lane, by the lane's number.
    troubles: BTreeMap<u64, String>,
    lanes: u64,
    told: Option<Health>,
}

/// A lane's place on the board; dropping it takes the lane's trouble off.
#[derive(Debug)]
pub struct Mark {
    name: &'static str,
    user: String,
    lane: u64,
    is_troubled: AtomicBool,
    board: Option<Arc<Board>>,
}

impl Board {
    /// A board that knows nothing yet, and says it by `tell`, which must not wait.
    #[must_use]
    pub fn new(tell: impl Fn(Health) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            tell: Box::new(tell),
            state: Mutex::default(),
        })
    }

    /// What the observer says of the daemon: up or down.
    pub fn observer(&self, health: Health) {
        self.change(|state| state.observer = Some(health));
    }

    /// A place for a lane of this name, of this user's login.
    #[must_use]
    pub fn mark(self: &Arc<Self>, name: &'static str, user: &str) -> Mark {
        let mut state = self.state();
        state.lanes += 1;
        Mark {
            name,
            user: user.to_owned(),
            lane: state.lanes,
            is_troubled: AtomicBool::new(false),
            board: Some(Arc::clone(self)),
        }
    }

    /// Tells under the lock, so that nobody's news overtakes another's.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let health = state.health();
        if let Some(health) = health.filter(|health| state.told.as_ref() != Some(health)) {
            state.told = Some(health.clone());
            (self.tell)(health);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn health(&self) -> Option<Health> {
        match &self.observer {
            Some(Health::Up) if !self.troubles.is_empty() => Some(Health::Degraded(self.reason())),
            said => said.clone(),
        }
    }

    fn reason(&self) -> String {
        let named: Vec<_> = self.troubles.values().take(NAMED).cloned().collect();
        let others = self.troubles.len() - named.len();
        match others {
            0 => named.join("; "),
            _ => format!("{}; and {others} more", named.join("; ")),
        }
    }
}

impl Mark {
    /// Of a lane whose troubles are told otherwise.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            name: "",
            user: String::new(),
            lane: 0,
            is_troubled: AtomicBool::new(false),
            board: None,
        }
    }

    /// The lane has lost its link, or cannot get one.
    pub fn trouble(&self, cause: &impl fmt::Display) {
        let Some(board) = &self.board else { return };
        let text = format!("{} connection of `{}`: {cause}", self.name, self.user);
        let text = text.chars().take(LONGEST).collect();
        self.is_troubled.store(true, Ordering::Relaxed);
        board.change(|state| drop(state.troubles.insert(self.lane, text)));
    }

    /// The daemon has answered a command: whatever was wrong is over.
    pub fn answered(&self) {
        let was_troubled = self.is_troubled.swap(false, Ordering::Relaxed);
        if let Some(board) = self.board.as_ref().filter(|_| was_troubled) {
            board.change(|state| drop(state.troubles.remove(&self.lane)));
        }
    }

    /// Whether the lane had trouble and the daemon has answered nothing since.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        self.is_troubled.load(Ordering::Relaxed)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.answered();
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> (Arc<Board>, Arc<Mutex<Vec<Health>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        (
            Board::new(move |health| tell.lock().unwrap().push(health)),
            told,
        )
    }

    fn take(told: &Mutex<Vec<Health>>) -> Vec<Health> {
        std::mem::take(&mut *told.lock().unwrap())
    }

    fn degraded(reason: &str) -> Health {
        Health::Degraded(reason.into())
    }

    #[test]
    fn what_is_no_change_is_not_told() {
        let (board, told) = board();
        let lane = board.mark("query", "u");
        lane.answered();
        assert_eq!(take(&told), []);
        board.observer(Health::Up);
        board.observer(Health::Up);
        lane.trouble(&"closed");
        lane.trouble(&"closed");
        let troubled = degraded("query connection of `u`: closed");
        assert_eq!(take(&told), [Health::Up, troubled]);
    }

    #[test]
    fn a_lane_is_in_trouble_until_it_is_answered_or_gone() {
        let (board, told) = board();
        board.observer(Health::Up);
        let (first, second) = (board.mark("query", "u"), board.mark("long", "u"));
        first.trouble(&"closed");
        second.trouble(&"silent");
        first.answered();
        drop(second);
        let told = take(&told);
        assert_eq!(
            told[2],
            degraded("query connection of `u`: closed; long connection of `u`: silent")
        );
        assert_eq!(
            told[3..],
            [degraded("long connection of `u`: silent"), Health::Up]
        );
    }

    #[test]
    fn a_daemon_that_is_down_has_no_lanes_worth_telling_of() {
        let (board, told) = board();
        let down = Health::Down("away".into());
        board.observer(down.clone());
        let lane = board.mark("query", "u");
        lane.trouble(&"closed");
        assert_eq!(take(&told), [down]);
        board.observer(Health::Up);
        assert_eq!(take(&told), [degraded("query connection of `u`: closed")]);
    }

    #[test]
    fn many_long_troubles_make_a_short_reason() {
        let (board, told) = board();
        board.observer(Health::Up);
        let lanes: Vec<_> = (0..100).map(|_| board.mark("query", "u")).collect();
        lanes
            .iter()
            .for_each(|lane| lane.trouble(&"x".repeat(10_000)));
        let Some(Health::Degraded(reason)) = take(&told).pop() else {
            panic!("not degraded")
        };
        assert!(
            reason.len() < 1000 && reason.ends_with("; and 97 more"),
            "{reason}"
        );
    }
}
