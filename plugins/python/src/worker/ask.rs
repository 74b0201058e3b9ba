//! Asking a worker something that it answers, beside the script that it runs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Answer, Waiting, Worker, gone};

/// How much longer than its own limit the worker is waited for.
const LONGER: Duration = Duration::from_secs(2);

impl Worker {
    /// Asks, and waits for the answer: for so long, and until `deadline` at the latest.
    ///
    /// # Errors
    /// What the worker says, or why it says nothing.
    pub async fn ask(
        &self,
        mut order: Value,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Value, Fault> {
        let id = self.inner.count.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        order["id"] = json!(id);
        order["seconds"] = json!(limit.as_secs_f64());
        let _awaited = Awaited::enter(&self.inner.waiting, id, answer);
        self.tell(&order)?;
        let until = deadline.min(Instant::now() + limit + LONGER);
        match timeout_at(until, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(gone().retry(false)),
            Err(_) => Err(Fault::new(
                FaultKind::Timeout,
                "it has not ended in time, and goes on in the Python process for as long as it takes",
            )),
        }
    }
}

/// A place in the table of those who wait, given back when nobody does any more.
struct Awaited<'a>(&'a Waiting, u64);

impl<'a> Awaited<'a> {
    fn enter(waiting: &'a Waiting, id: u64, answer: oneshot::Sender<Answer>) -> Self {
        waiting.lock().insert(id, answer);
        Awaited(waiting, id)
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}
