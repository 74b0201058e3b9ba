//! Ctrl-C, where it does not simply end us.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGINT;

use crate::complaint::{Complaint, Result};

static PRESSED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C is only noted.
pub(crate) fn catch() -> Result<()> {
    if PRESSED.get().is_some() {
        return Ok(());
    }
    let pressed = PRESSED.get_or_init(Arc::default).clone();
    match signal_hook::flag::register(SIGINT, pressed) {
        Ok(_) => Ok(()),
        Err(error) => Err(Complaint::local(format!(
            "Ctrl-C cannot be caught: {error}"
        ))),
    }
}

/// Whether it was pressed since this was asked last.
pub(crate) fn taken() -> bool {
    let pressed = PRESSED.get();
    pressed.is_some_and(|pressed| pressed.swap(false, Ordering::Relaxed))
}
