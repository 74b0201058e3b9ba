//! Functions that are not as the trait has them: changing what is shared, another argument, not `async`.

use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, Login, Reply, Role};

struct Server;
struct Somebody;

impl Backend for Server {
    type Config = ();
    type Session = Somebody;

    fn start(_: (), _: BackendContext) -> Result<Self, Fault> {
        Ok(Server)
    }

    async fn login(&self, _: Login, _: Role) -> Result<Somebody, Fault> {
        Ok(Somebody)
    }
}

impl BackendSession for Somebody {
    fn role(&self) -> Role {
        Role::User
    }

    async fn call(&mut self, command: Command) -> Result<Reply, Fault> {
        Ok(Reply::raw(command.args))
    }
}

fn main() {}
