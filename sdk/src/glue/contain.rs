//! Keeps a panic to the request in which it happens.

use futures_util::FutureExt;
use patchbay_abi::{Fault, FaultKind};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs an author's future; a panic in it, or in what it drops, becomes a fault.
///
/// Unwind safety is asserted: what a panicking call leaves half-done is the author's own state, as
/// it is behind any mutex that is not poisoned.
pub(crate) async fn contain<F: Future>(what: &str, future: F) -> Result<F::Output, Fault> {
    let mut future = Box::pin(future);
    let outcome = AssertUnwindSafe(future.as_mut()).catch_unwind().await;
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
    match (outcome, dropped) {
        (Ok(output), Ok(())) => Ok(output),
        (Err(panic), _) | (_, Err(panic)) => Err(panicked(what, panic)),
    }
}

/// Drops an author's value where its panic harms nobody.
pub(crate) fn drop_contained<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        panicked("drop", panic);
    }
}

fn panicked(what: &str, panic: Box<dyn Any + Send>) -> Fault {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let message = format!("the plugin panicked in {what}: {text}; this is a bug in the plugin");
    // What was thrown may itself panic when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    Fault::new(FaultKind::Internal, message)
}
