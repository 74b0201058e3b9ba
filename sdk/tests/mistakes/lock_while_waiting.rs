//! A lock of the standard library, held while it waits for something.

use patchbay_sdk::{BackendSession, Command, Fault, Reply, Role};
use std::sync::Mutex;

struct Somebody {
    asked: Mutex<u64>,
}

impl BackendSession for Somebody {
    fn role(&self) -> Role {
        Role::User
    }

    async fn call(&self, _: Command) -> Result<Reply, Fault> {
        let mut asked = self.asked.lock().unwrap();
        tokio::task::yield_now().await;
        *asked += 1;
        Reply::new(&*asked)
    }
}

fn main() {}
