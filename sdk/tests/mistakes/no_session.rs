//! Whoever is logged in cannot ask for anything.

use patchbay_sdk::{Backend, BackendContext, Fault, Login};

struct Server;
struct Somebody;

impl Backend for Server {
    type Config = ();
    type Session = Somebody;

    async fn start(_: (), _: BackendContext) -> Result<Self, Fault> {
        Ok(Server)
    }

    async fn login(&self, _: Login) -> Result<Somebody, Fault> {
        Ok(Somebody)
    }
}

fn main() {}
