//! Somebody who is logged in: each operation that this backend knows, and what it says to the others.

use crate::queue::Queue;
use patchbay_sdk::{BackendSession, Command, Fault, FaultKind, Reply, Role};
use serde_json::{Value, json};
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
            "capabilities" => Reply::new(&capabilities()),
            op => Err(Fault::new(
                FaultKind::Unsupported,
                format!("this backend does not offer `{op}`"),
            )),
        }
    }
}

/// Says beforehand what is `"native"`, `{"emulated": how}` or `{"unsupported": why}`.
fn capabilities() -> Value {
    let no_pause = json!({ "unsupported": "what has begun goes on" });
    json!({
        "server": env!("CARGO_PKG_NAME"),
        "queue": {
            "owned_by": "gateway",
            "kinds": ["script"],
            "persist": { "unsupported": "the queue is kept in memory" },
            "remove": "native",
            "reorder": { "unsupported": "jobs run in the order in which they came" },
            "edit": { "unsupported": "remove the job and submit another" },
        },
        "pause": no_pause,
        "stop": { "at": ["now"] },
        "emergency": "native",
        "progress": ["line"],
        "log": { "stream": "native", "history": "native" },
        "outcome": "native",
    })
}
