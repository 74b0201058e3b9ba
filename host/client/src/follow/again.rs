//! Connecting again after the connection broke.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::complaint::{Complaint, Result};
use crate::exit::Exit;
use crate::interrupt;
use crate::screen::{Screen, WARN, clean, paint};
use crate::session::Session;
use crate::wire::{Cursor, Failure};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How soon Ctrl-C is noticed.
const STEP: Duration = Duration::from_millis(50);

/// A broken connection, and how long it is tried to mend it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    end: Instant,
    pause: Duration,
    seconds: u32,
}

impl Outage {
    /// One that begins now.
    pub(crate) fn new(seconds: u32) -> Self {
        Self {
            end: Instant::now() + Duration::from_secs(seconds.into()),
            pause: FIRST_PAUSE,
            seconds,
        }
    }

    /// Whether it has lasted for too long.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Waits before the next try, longer and longer.
    ///
    /// # Errors
    /// When there is no patience left (`why`), or after Ctrl-C.
    pub(crate) fn wait(&mut self, why: Complaint) -> Result<()> {
        if self.is_over() {
            return Err(why);
        }
        let next = self.end.min(Instant::now() + self.pause);
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        while Instant::now() < next {
            if interrupt::taken() {
                return Err(Complaint::interrupted("given up"));
            }
            sleep(STEP);
        }
        Ok(())
    }
}

/// Connects and logs in again, and subscribes from the event after `since` on; the number of that event.
///
/// # Errors
/// When the gateway does not come back in time, or does not let us in any more; and after Ctrl-C.
pub(crate) fn again(
    session: &mut Session,
    screen: &Screen,
    (kinds, since): (&[&str], Option<Cursor>),
    (why, outage): (&str, &mut Outage),
) -> Result<Option<Cursor>> {
    let (why, seconds) = (clean(why), outage.seconds);
    let trying = format!("{why}; trying again for {seconds} s");
    screen.note(&paint(WARN, trying));
    loop {
        let entered = session.reopen().and_then(|()| {
            let subscribed = session.subscribe(kinds, since);
            subscribed.map_err(|failure| match failure {
                Failure::Broken(why) => Complaint::connect(why),
                failure => failure.into(),
            })
        });
        match entered {
            Ok(cursor) => {
                screen.note(&paint(WARN, "connected again"));
                return Ok(cursor.or(since));
            }
            Err(complaint) if is_final(&complaint) => return Err(complaint),
            Err(complaint) => outage.wait(complaint)?,
        }
    }
}

/// A wrong password will not become right.
fn is_final(complaint: &Complaint) -> bool {
    matches!(complaint.kind.as_str(), "unauthorized" | "forbidden")
        || complaint.exit == Exit::GivenUp
}
