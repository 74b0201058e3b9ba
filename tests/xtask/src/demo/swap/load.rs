//! Clients that look and evaluate all the time, each with an answer that only its own question has.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::demo::talk::Talk;

const CLIENTS: usize = 4;
/// Between two requests of one client.
const PACE: Duration = Duration::from_millis(10);

/// All of them. They end when it is dropped.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Result<()>>>,
}

#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    answered: AtomicU64,
}

impl Load {
    /// Logs everybody in, and begins.
    pub fn start(socket: &Path) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            let mut talk = Talk::to(socket)?;
            talk.ask("login", &json!({"user": "user", "secret": "user"}))?;
            let shared = shared.clone();
            clients.push(thread::spawn(move || ask(number, &mut talk, &shared)));
        }
        Ok(Self { shared, clients })
    }

    /// How many requests were answered, each with its own answer.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Ends it; what became of all requests.
    ///
    /// # Errors
    /// With the first thing that went wrong for one of them.
    pub fn end(mut self) -> Result<String> {
        self.shared.ends.store(true, Ordering::Relaxed);
        for client in std::mem::take(&mut self.clients) {
            match client.join() {
                Ok(ended) => ended.context("one of the other clients")?,
                Err(_) => bail!("one of the other clients has panicked"),
            }
        }
        let answered = self.answered();
        Ok(format!(
            "{CLIENTS} other clients asked {answered} times in all; each got its answer, once, and stayed connected"
        ))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
    }
}

fn ask(number: usize, talk: &mut Talk, shared: &Shared) -> Result<()> {
    for count in 0.. {
        if shared.ends.load(Ordering::Relaxed) {
            break;
        }
        let own = format!("{number}/{count}");
        if number.is_multiple_of(2) {
            talk.ask("status", &json!({}))?;
        } else {
            let answer = talk.ask("eval", &json!({ "code": format!("'{own}'") }))?;
            if answer["value"] != own.as_str() {
                bail!("the answer to {own} is another one's: {answer}");
            }
        }
        shared.answered.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PACE);
    }
    Ok(())
}
