//! How fast replies of a megabyte become JSON, and how much faster than Python does it.
//!
//! `cargo bench -p patchbay-nicos` lets Criterion measure us, and then sets us against the `python3` at hand: by turns, in rounds
//! of which the medians count, so that what else the machine does meets both alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on must fail"
)]

#[path = "../tests/common/python.rs"]
mod python;

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput};
use patchbay_nicos::pickle::{Limits, decode};
use patchbay_sdk::RawJson;
use python::Python;

const REPLIES: [&str; 2] = ["messages", "points"];
const ROUNDS: usize = 11;
/// Conversions in a round: some 0.2 s of Python's time.
const CONVERSIONS: u32 = 10;

fn main() {
    let mut python = Python::start("../benches/replies.py");
    let replies = REPLIES.map(|name| {
        let payload = STANDARD
            .decode(python.ask(&format!("make {name}")))
            .unwrap();
        (name, payload)
    });
    let mut criterion = Criterion::default().configure_from_args();
    for (name, payload) in &replies {
        measure(&mut criterion, name, payload);
    }
    criterion.final_summary();
    // `cargo test --benches` only wants to know that it runs.
    if !std::env::args().any(|arg| arg == "--test") {
        for (name, payload) in &replies {
            compare(&mut python, name, payload);
        }
    }
}

fn to_json(payload: &[u8]) -> RawJson {
    let value = decode(black_box(payload), &Limits::default()).unwrap();
    value.to_json().unwrap()
}

fn measure(criterion: &mut Criterion, name: &str, payload: &[u8]) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(payload.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(payload), &limits).unwrap());
    });
    let value = decode(payload, &limits).unwrap();
    group.bench_function("to_json", |bencher| {
        bencher.iter(|| black_box(&value).to_json().unwrap());
    });
    group.finish();
}

fn compare(python: &mut Python, name: &str, payload: &[u8]) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CONVERSIONS {
            black_box(to_json(payload));
        }
        ours.push(began.elapsed() / CONVERSIONS);
        let nanoseconds = python.ask(&format!("time {name} {CONVERSIONS}"));
        theirs.push(Duration::from_nanos(nanoseconds.parse().unwrap()));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "{name}, {} bytes: ours {ours:?}, Python's loads and dumps {theirs:?}, which is {:.1} times as long",
        payload.len(),
        theirs.as_secs_f64() / ours.as_secs_f64()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
