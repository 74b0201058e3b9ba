//! What an event costs the frontend for each subscriber: processor time of the instance's thread, clients not included.
//! `cargo bench -p patchbay-socket` (Linux).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot go on must fail"
)]

use patchbay_sdk::{Event, EventKind};
use patchbay_socket::Socket;
use patchbay_testkit::{FrontendHost, Wire};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;

/// As many events as the host hands out at once.
const BURST: u64 = 200;
const BURSTS: u64 = 50;

/// The time that the instance's thread has spent so far, in ns.
fn spent() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let mut spent = 0;
    for task in tasks.map(|task| task.unwrap().path()) {
        let read = |file| std::fs::read_to_string(task.join(file)).unwrap_or_default();
        if read("comm").trim() == "under-test" {
            let of_thread = read("schedstat");
            spent += of_thread
                .split(' ')
                .next()
                .map_or(0, |ns| ns.parse().unwrap_or(0));
        }
    }
    spent
}

/// A subscriber that says when it has read a burst.
fn subscribe(path: &Path, read: mpsc::Sender<()>) {
    let mut stream = UnixStream::connect(path).unwrap();
    let login = json!({"op": "login", "args": {"user": "a", "secret": "b"}});
    write!(stream, "{login}\n{}\n", json!({"op": "subscribe"})).unwrap();
    let mut lines = BufReader::new(stream).lines();
    lines.by_ref().take(3).for_each(|line| drop(line.unwrap()));
    read.send(()).unwrap();
    std::thread::spawn(move || {
        for count in 1.. {
            if lines.next().is_none_or(|line| line.is_err()) {
                return;
            }
            if count % BURST == 0 && read.send(()).is_err() {
                return;
            }
        }
    });
}

async fn measure(subscribers: u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let host =
        FrontendHost::start::<Socket>(json!({"unix": path}), Wire::InProcess, |_| Ok(Value::Null));
    let host = host.await.unwrap();
    let (read, done) = mpsc::channel();
    (0..subscribers).for_each(|_| subscribe(&path, read.clone()));
    let wait = || (0..subscribers).for_each(|_| done.recv().unwrap());
    wait();
    let before = spent();
    for burst in 0..BURSTS {
        for at in 1..=BURST {
            let text = "a line of a script's output, as long as such lines are";
            let event =
                Event::new(EventKind::Log, &json!({"level": "info", "text": text})).unwrap();
            host.event(burst * BURST + at, event);
        }
        wait();
    }
    let each = (spent() - before) as f64 / (BURST * BURSTS) as f64;
    let mine = each / subscribers as f64;
    println!(
        "{subscribers:4} subscribers: {each:8.0} ns for each event, {mine:6.0} ns for each event and subscriber"
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for subscribers in [1, 10, 100] {
        measure(subscribers).await;
    }
}
