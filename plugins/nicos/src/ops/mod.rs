//! The model's operations, each as the daemon's commands.

mod code;
mod control;
mod emergency;
mod look;
mod queue;

use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::config::Settings;
use crate::lane::{Answer, Lane, decode};
use crate::logins::Login;
use crate::observer::SharedJobs;
use crate::pickle::{Arg, Raised, encode};
use crate::refusal;
use crate::verb::Verb;

/// What an operation works with.
pub struct Scene<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// Whose lanes are used.
    pub login: &'a Login,
    /// What is known of the jobs.
    pub jobs: &'a SharedJobs,
}

/// Does what the command asks.
///
/// # Errors
/// `Unsupported` for an operation that this backend does not offer, else whatever goes wrong with it.
pub async fn run(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    match command.op.as_str() {
        "submit" => queue::submit(scene, command).await,
        "remove" => queue::remove(scene, command).await,
        "job" => queue::job(scene, command),
        "pause" => control::pause(scene, command).await,
        "resume" => control::resume(scene, command).await,
        "stop" => control::stop(scene, command).await,
        "emergency" => emergency::emergency(scene, command).await,
        "status" => look::status(scene, command).await,
        "log" => look::log(scene, command).await,
        "banner" => look::banner(scene),
        "eval" => code::eval(scene, command).await,
        "exec" => code::exec(scene, command).await,
        other => Err(Fault::new(
            FaultKind::Unsupported,
            format!("this NICOS backend does not offer `{other}` yet"),
        )),
    }
}

impl Scene<'_> {
    /// Sends a command; a refusal becomes a fault.
    async fn ask(
        &self,
        lane: &Lane,
        command: &Command,
        verb: Verb,
        args: Vec<Arg>,
    ) -> Result<Answer, Fault> {
        match self.send(lane, command.deadline, verb, args).await? {
            Answer::Refused(text) => Err(refusal::fault(verb, &text)),
            answer => Ok(answer),
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
        lane.call(verb, args, deadline).await
    }

    /// The JSON of an answer (`null` for none), and the exception that it is, if it is one.
    async fn read(&self, answer: Answer) -> Result<(Box<RawValue>, Option<Raised>), Fault> {
        match answer {
            Answer::Value(payload) => decode(payload, &self.settings.limits).await,
            _ => Ok((RawValue::NULL.to_owned(), None)),
        }
    }
}
