//! The model's operations, each as the daemon's commands.

mod capabilities;
mod code;
mod control;
mod emergency;
mod find;
mod look;
mod native;
mod past;
mod prompt;
mod queue;
mod watch;

use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use tokio::time::Instant;

use crate::config::Settings;
use crate::known::Known;
use crate::lane::{Answer, Decoded, Lane};
use crate::logins::Login;
use crate::pickle::{Arg, encode};
use crate::protocol::Protocol;
use crate::refusal;
use crate::verb::{Verb, Way};

/// What an operation works with.
pub struct Scene<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// Whose lanes are used.
    pub login: &'a Login,
    /// What is known of the daemon.
    pub known: &'a Known,
    /// Who asks.
    pub session: u64,
}

/// Does what the command asks.
///
/// # Errors
/// `Unsupported` for an operation that this backend does not offer, else whatever goes wrong with it.
pub async fn run(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    match command.op.as_str() {
        "submit" => queue::submit(scene, command).await,
        "remove" => queue::remove(scene, command).await,
        "reorder" => queue::reorder(scene, command).await,
        "edit" => queue::edit(scene, command).await,
        "find" => find::find(scene, command).await,
        "job" => queue::job(scene, command),
        "pause" => control::pause(scene, command).await,
        "resume" => control::resume(scene, command).await,
        "stop" => control::stop(scene, command).await,
        "abort" => control::abort(scene, command).await,
        "finish" => control::finish(scene, command).await,
        "emergency" => emergency::emergency(scene, command).await,
        "status" => look::status(scene, command).await,
        "log" => look::log(scene, command).await,
        "trace" => look::trace(scene, command).await,
        "devices" => look::devices(scene, command).await,
        "banner" => look::banner(scene),
        "history" => past::history(scene, command).await,
        "capabilities" => capabilities::capabilities(scene),
        "eval" => code::eval(scene, command).await,
        "exec" => code::exec(scene, command).await,
        "simulate" => code::simulate(scene, command).await,
        "complete" => code::complete(scene, command).await,
        "watch" => watch::watch(scene, command).await,
        "unwatch" => watch::unwatch(scene, command).await,
        "answer" => prompt::answer(scene, command).await,
        "native" => native::native(scene, command).await,
        other => Err(capabilities::support(other).refusal(other)),
    }
}

impl Scene<'_> {
    /// The daemon's protocol, as it was when it was last greeted.
    fn protocol(&self) -> Protocol {
        let greeting = self.login.query().greeting();
        greeting.map_or(Protocol(0), |greeting| greeting.banner.protocol())
    }

    fn lane(&self, way: Way) -> &Lane {
        match way {
            Way::Query => self.login.query(),
            Way::Urgent => self.login.urgent(),
            Way::Long => self.login.long(),
        }
    }

    /// Sends a command the way that it goes; a refusal becomes a fault.
    async fn ask(&self, command: &Command, verb: Verb, args: Vec<Arg>) -> Result<Answer, Fault> {
        let lane = self.lane(verb.way);
        match self.send(lane, command.deadline, verb, args).await? {
            Answer::Refused(text) => Err(refusal::fault(verb, &text)),
            answer => Ok(answer),
        }
    }

    /// Sends a command and returns its value; an exception becomes a fault.
    async fn value(&self, command: &Command, verb: Verb, args: Vec<Arg>) -> Result<RawJson, Fault> {
        let answer = self.ask(command, verb, args).await?;
        match self.read(answer).await? {
            // NICOS returns what an expression raised like any other value.
            (_, Some(raised)) => {
                let message = format!("the expression raised {}: {}", raised.class, raised.text);
                Err(Fault::new(FaultKind::Invalid, message))
            }
            (value, None) => Ok(value),
        }
    }

    async fn send(
        &self,
        lane: &Lane,
        deadline: Instant,
        verb: Verb,
        args: Vec<Arg>,
    ) -> Result<Answer, Fault> {
        let args = encode(args);
        let limit = self.settings.frame_limit;
        if args.len() > limit {
            let message = format!(
                "the command is {} bytes long, and NICOS is sent at most {limit} (`frame_limit_bytes`)",
                args.len()
            );
            return Err(Fault::new(FaultKind::TooLarge, message));
        }
        lane.call_for(Some(self.session), verb, args, deadline)
            .await
    }

    /// The JSON of an answer (`null` for none), and the exception that it is, if it is one.
    async fn read(&self, answer: Answer) -> Result<Decoded, Fault> {
        match answer {
            Answer::Value(payload) => self.login.decoder().decode(payload).await,
            _ => Ok((RawJson::null(), None)),
        }
    }
}
