//! Work that takes long when its input is long must not hold up an instance's other clients.

use patchbay_abi::{Fault, FaultKind};

/// Up to so many bytes of input work is done in place; a thread costs more.
const IN_PLACE: usize = 64 << 10;

/// Does `work` here, or on a thread of its own if its input is `bytes` long and that is much.
///
/// # Errors
/// `Internal` if `work` panicked.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), patchbay_sdk::Fault> {
/// let text = "7 ".repeat(100_000);
/// let sum = patchbay_sdk::by_size(text.len(), move || {
///     text.split_whitespace().filter_map(|number| number.parse::<u64>().ok()).sum::<u64>()
/// });
/// assert_eq!(sum.await?, 700_000);
/// # Ok(())
/// # }
/// ```
pub async fn by_size<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    if bytes <= IN_PLACE {
        return Ok(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| {
        Fault::new(
            FaultKind::Internal,
            "the gateway failed at this request, see its log",
        )
    })
}
