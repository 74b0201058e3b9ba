//! Waiting with a limit, for anything that can only be looked at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

const STEP: Duration = Duration::from_millis(20);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The flag that ends every wait of this crate with [`Error::Interrupted`] once it is true; a signal handler may set it.
pub fn interrupt() -> Arc<AtomicBool> {
    INTERRUPTED.clone()
}

/// Looks again and again until `look` finds something (`Some`) or `limit` has passed (`None`).
pub(crate) fn poll<T>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        check_interrupt()?;
        if Instant::now() >= end {
            return Ok(None);
        }
        thread::sleep(STEP);
    }
}

/// Fails once the flag of [`interrupt`] is set.
pub(crate) fn check_interrupt() -> Result<()> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_what_was_found() {
        let mut looks = 0;
        let found = poll(Duration::from_secs(60), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(found.unwrap(), Some(3));
    }

    #[test]
    fn a_wait_in_vain_ends_at_its_limit() {
        assert_eq!(poll::<()>(Duration::ZERO, || Ok(None)).unwrap(), None);
    }
}
