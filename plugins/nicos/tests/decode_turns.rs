//! Large payloads are decoded one after the other, however many come at once. One test, so that nothing else is counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use bytes::Bytes;
use futures_util::future::join_all;
use patchbay_nicos::lane::Decoder;
use patchbay_nicos::pickle::Limits;
use patchbay_sdk::FaultKind;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// More values than are let through, which is found out when the others have taken their memory.
fn greedy() -> Bytes {
    Bytes::from([&b"\x80\x02("[..], &b"]".repeat(600_000), b"t."].concat())
}

/// The most memory that so many decodings at once take.
async fn peak(decoder: &Decoder, payload: &Bytes, many: usize) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let all = (0..many).map(|_| decoder.decode(payload.clone()));
    for decoded in join_all(all).await {
        assert_eq!(decoded.unwrap_err().kind, FaultKind::TooLarge);
    }
    MEMORY.peak_usage().saturating_sub(before)
}

#[tokio::test]
async fn many_at_once_take_no_more_memory_than_one() {
    let (decoder, payload) = (Decoder::new(Limits::default(), 1), greedy());
    let one = peak(&decoder, &payload, 1).await;
    let many = peak(&decoder, &payload, 8).await;
    assert!(one > 10 << 20, "{one} bytes for one");
    assert!(
        many < one + one / 2,
        "{many} bytes for eight, {one} for one"
    );
}
