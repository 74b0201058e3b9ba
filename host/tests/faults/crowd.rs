//! Clients of a healthy backend who ask all the time, and notice everything.

use crate::client::Client;
use crate::wait;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

const CLIENTS: usize = 3;
/// Questions that each has open at a time.
const OPEN: usize = 4;
/// Answers that each must get while it is watched.
const SOME: u64 = 25;

pub struct Crowd {
    stop: Arc<AtomicBool>,
    members: Vec<Member>,
}

struct Member {
    answered: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Crowd {
    pub fn gather(socket: &Path) -> Crowd {
        let stop = Arc::new(AtomicBool::new(false));
        let member = |number| {
            let client = Client::login(socket, "anna");
            let answered = Arc::new(AtomicU64::new(0));
            let (counter, stop) = (answered.clone(), stop.clone());
            let thread = std::thread::spawn(move || ask_on(client, number, &counter, &stop));
            Member { answered, thread }
        };
        let members = (0..CLIENTS).map(member).collect();
        Crowd { stop, members }
    }

    /// Each of them gets answers now, as before.
    pub fn goes_on(&self) {
        let now = |member: &Member| member.answered.load(Ordering::Relaxed);
        let before: Vec<u64> = self.members.iter().map(now).collect();
        wait("the crowd is served", || {
            let members = self.members.iter().zip(&before);
            // One that has noticed something has panicked, and is asked why at the end.
            let mut served =
                members.map(|(one, before)| one.thread.is_finished() || now(one) >= before + SOME);
            served.all(|served| served).then_some(())
        });
    }

    /// None of them has noticed anything.
    pub fn disperse(self) {
        self.stop.store(true, Ordering::Relaxed);
        for member in self.members {
            member.thread.join().expect("they noticed nothing");
        }
    }
}

/// Every line must be the right answer to a question that is open, which is how one answer too many, one too few, or
/// that of somebody else is noticed. The first has one question open at a time: its answers come in order.
fn ask_on(mut client: Client, number: usize, answered: &AtomicU64, stop: &AtomicBool) {
    let most = if number == 0 { 1 } else { OPEN };
    let (mut asked, mut open) = (0_u64, BTreeSet::new());
    loop {
        while open.len() < most && !stop.load(Ordering::Relaxed) {
            asked += 1;
            open.insert(asked);
            let args = json!({"client": number, "n": asked});
            client.send(&json!({"op": "status", "args": args, "id": asked}));
        }
        if open.is_empty() {
            return;
        }
        let answer = client.line();
        let id = answer["id"].as_u64().unwrap_or_default();
        assert!(open.remove(&id), "{answer}");
        assert_eq!(answer["ok"], json!({"client": number, "n": id}), "{answer}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}
