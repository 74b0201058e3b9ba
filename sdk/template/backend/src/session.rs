//! Somebody who is logged in: each operation that this backend knows, and what it says to the others.

use crate::queue::Queue;
use patchbay_sdk::model::Support;
use patchbay_sdk::{BackendSession, Command, Fault, Reply, Role};
use serde_json::json;
use std::sync::Arc;

/// Somebody who is logged in.
pub struct Somebody {
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) queue: Arc<Queue>,
}

impl BackendSession for Somebody {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let queue = &self.queue;
        // Arguments are read into types of the model; what is wrong with them is said by `args`.
        match command.op.as_str() {
            "submit" => Reply::new(&json!({ "job": queue.submit(&self.user, command.args()?)? })),
            "find" => Reply::new(&json!({ "jobs": queue.find(&self.user, &command.args()?) })),
            "job" => Reply::new(&queue.job(&command.args()?)?),
            "remove" => queue.remove(command.args()?).map(|()| Reply::null()),
            "stop" => queue.stop(&self.user).map(|()| Reply::null()),
            "emergency" => {
                queue.emergency(&self.user);
                Ok(Reply::null())
            }
            "status" => Reply::new(&queue.status()),
            "log" => Reply::new(&queue.log(command.args()?)),
            "capabilities" => Reply::new(&json!({
                "server": env!("CARGO_PKG_NAME"),
                "ops": Support::of_all(support),
            })),
            op => Err(support(op).refusal(op)),
        }
    }
}

/// How well this backend does an operation. It is said beforehand as well, so that clients need not try.
fn support(op: &str) -> Support {
    match op {
        "submit" | "find" | "job" | "remove" | "stop" | "emergency" | "status" | "log"
        | "capabilities" => Support::Native,
        "pause" | "resume" => Support::unsupported("what has begun goes on"),
        "edit" => Support::unsupported("remove the job and submit another"),
        "reorder" => Support::unsupported("jobs run in the order in which they came"),
        _ => Support::unsupported("this backend only runs scripts"),
    }
}
