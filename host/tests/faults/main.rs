//! The fault matrix: whatever one plugin does wrong, the clients of the others notice nothing.
//!
//! Each row has a gateway of its own (a real process, with loaded plugins) in which beside the `rogue` an `echo`
//! serves a crowd of clients that ask all the time. Of each row is asserted: the crowd got every answer, the right
//! one, once, and in order; the rogue's own client got one clear answer; `patchbay status` says how the rogue is; what is
//! counted; and how the gateway ends.
//!
//! | what the rogue does | where |
//! | --- | --- |
//! | panics, hangs, is late, answers twice, nonsense, for others, in a call | `calls` |
//! | fails, panics, hangs or blocks its thread in its start, in a login, in a logout, in its end | `lives` |
//! | blocks its thread while it serves | `hanging` |
//! | events and log lines without end | `floods` |
//! | ends the process, in one of its own | `isolation` |
//! | claims to be of another version | `refused` |
//! | a frontend that fails, panics, hangs, blocks its thread, floods, hoards | `doors` |
//! | a frontend that forges, vanishes, sends nonsense, takes nothing | `frontends` |

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod calls;
mod client;
mod crowd;
mod doors;
mod floods;
mod frontends;
mod gateway;
mod hanging;
mod isolation;
mod lives;
mod refused;

use std::time::{Duration, Instant};

/// How long a test waits for anything before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is something.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
