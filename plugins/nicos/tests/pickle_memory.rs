//! How much memory a payload can take, whatever it says: so many bytes for each value, of which there are no more than bytes
//! and no more than the limit; so many for each byte; and so many for each byte of JSON that the limits allow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bombs.rs"]
mod bombs;

use patchbay_nicos::pickle::{Limits, decode};
use peak_alloc::PeakAlloc;

/// Counts this process's memory; hence the only test of this file, so that nothing else is counted.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// For each value: 32 bytes itself and 88 what an instance refers to, its place in a container; more while they grow.
const FOR_EACH_VALUE: usize = 150;
/// For each byte of the payload: its part of the memo, or of a copy of a text; more while they grow.
const FOR_EACH_BYTE: usize = 16;
/// For each byte of JSON, again more while it grows.
const FOR_EACH_JSON_BYTE: usize = 3;
/// What even nothing takes.
const BASE: usize = 16 << 10;

/// The most memory that was in use while the payload was read and written, beyond what was before.
fn peak(payload: &[u8], limits: &Limits) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    if let Ok(value) = decode(payload, limits) {
        let _ = value.raised();
        let _ = value.to_json();
    }
    MEMORY.peak_usage().saturating_sub(before)
}

fn check(what: &str, payload: &[u8], limits: &Limits) {
    let peak = peak(payload, limits);
    let bound = BASE
        + FOR_EACH_VALUE * payload.len().min(limits.nodes)
        + FOR_EACH_BYTE * payload.len()
        + FOR_EACH_JSON_BYTE * limits.output_bytes;
    assert!(peak <= bound, "{what}: {peak} bytes, of at most {bound}");
}

/// Payloads of about so many bytes, each all of the instruction that takes the most of some kind of memory.
fn greedy(length: usize) -> Vec<(&'static str, Vec<u8>)> {
    let filled = |start: &[u8], piece: &[u8], end: &[u8]| {
        let times = length / piece.len();
        [start, &piece.repeat(times), end].concat()
    };
    let sized = |code: u8| [&[code][..], &(length as u32).to_le_bytes()].concat();
    vec![
        ("empty lists", filled(b"\x80\x02(", b"]", b"t.")),
        ("lists of one", filled(b"\x80\x02(", b"]Na", b"t.")),
        ("lists of lists", filled(b"\x80\x02(", b"](Ne", b"t.")),
        ("tuples of one", filled(b"\x80\x02(", b"N\x85", b"t.")),
        ("tuples in tuples", filled(b"\x80\x02N", b"\x85", b".")),
        ("dicts of one", filled(b"\x80\x02(", b"}NNs", b"t.")),
        ("marks", filled(b"\x80\x02", b"(", b".")),
        ("marks and tuples", filled(b"\x80\x02(", b"(t", b"t.")),
        ("memos", filled(b"\x80\x04N", b"\x94", b".")),
        ("stray memos", {
            let stores = (0..length as u32 / 8)
                .flat_map(|stray| [&b"r"[..], &(stray | 1 << 31).to_le_bytes()].concat());
            [&b"\x80\x02N"[..], &stores.collect::<Vec<_>>(), b"."].concat()
        }),
        (
            "a memo some way off",
            filled(b"\x80\x02Nr\xff\xff\x03\x00", b"N0", b"."),
        ),
        (
            "a memo far away",
            filled(b"\x80\x02Nr\xff\xff\xff\x03", b"N0", b"."),
        ),
        ("repetitions", filled(b"\x80\x02(N", b"2", b"t.")),
        (
            "instances",
            filled(b"\x80\x02(cm\nC\nq\x000", b"h\x00)R", b"t."),
        ),
        (
            "instances in instances",
            filled(b"\x80\x02cm\nC\n", b")R", b"."),
        ),
        ("states", filled(b"\x80\x02cm\nC\n)R", b"}b", b".")),
        ("classes", filled(b"\x80\x02(", b"c\n\n", b"t.")),
        ("old texts", filled(b"(", b"S''\n", b"t.")),
        ("escaped texts", filled(b"(V", b"\\u20ac", b"\nt.")),
        ("stray bytes", filled(&sized(b'T'), b"\xff", b".")),
        ("odd text", filled(&sized(b'X'), b"\xff", b".")),
        ("control characters", filled(&sized(b'X'), b"\x01", b".")),
        ("bytes", filled(&sized(b'B'), b"\x01", b".")),
    ]
}

#[test]
fn no_payload_takes_more_memory_than_its_length_and_the_limits_allow() {
    let tight = Limits {
        output_bytes: 1 << 10,
        ..Limits::default()
    };
    for length in [1 << 12, 1 << 18, tight.input_bytes - 100] {
        for (what, payload) in greedy(length) {
            check(what, &payload, &tight);
        }
    }
    for (what, payload) in greedy(1 << 18) {
        check(what, &payload, &Limits::default());
    }
    let bombs = bombs::all();
    for (name, payload) in &bombs {
        check(name, payload, &Limits::default());
    }
    let limits = Limits {
        output_bytes: 64 << 10,
        ..Limits::default()
    };
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..1_000 {
        let length = random.usize(..2_000);
        let payload: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        check("random bytes", &payload, &limits);
    }
    for _ in 0..1_000 {
        let (name, bomb) = &bombs[random.usize(..bombs.len())];
        let mut damaged = bomb[..bomb.len().min(4_000)].to_vec();
        for _ in 0..random.usize(1..4) {
            if !damaged.is_empty() {
                let at = random.usize(..damaged.len());
                damaged[at] = random.u8(..);
            }
        }
        check(name, &damaged, &limits);
    }
}
