//! One file for each verb, or for a few that are alike.

mod answer;
mod call;
mod code;
mod control;
mod devices;
mod edit;
mod job;
mod log;
mod login;
mod queue;
mod script;
mod status;
mod submit;
mod watch;

use crate::args::Verb;
use crate::complaint::Result;
use crate::desk::Desk;
use crate::exit::Exit;

pub(crate) use code::eval;
pub(crate) use status::status;

/// Does what was said.
pub(crate) fn run(verb: Verb, desk: &mut Desk) -> Result<Exit> {
    let done = |()| Exit::Done;
    match verb {
        Verb::Login { save_password } => login::login(desk, save_password).map(done),
        Verb::Logout => login::logout(desk).map(done),
        Verb::Submit(submit) => submit::submit(desk, &submit),
        Verb::Watch { job, patience } => watch::watch(desk, &job, patience),
        Verb::Status => status(desk).map(done),
        Verb::Queue { verb } => queue::queue(desk, verb).map(done),
        Verb::Log {
            last,
            follow: false,
            ..
        } => log::show(desk, last).map(done),
        Verb::Log { last, patience, .. } => log::follow(desk, last, patience),
        Verb::Pause { at } => control::pause(desk, at).map(done),
        Verb::Resume => control::resume(desk).map(done),
        Verb::Stop { at } => control::stop(desk, at).map(done),
        Verb::Abort => control::abort(desk).map(done),
        Verb::Emergency => control::emergency(desk).map(done),
        Verb::Finish => control::finish(desk).map(done),
        Verb::Edit { job, file, reason } => edit::edit(desk, &job, &file, reason).map(done),
        Verb::Answer { value } => answer::answer(desk, value).map(done),
        Verb::Eval { expression } => code::eval(desk, &expression.join(" ")).map(done),
        Verb::Exec { code } => code::exec(desk, &code.join(" ")).map(done),
        Verb::Devices => devices::devices(desk).map(done),
        Verb::Call { op, args } => call::call(desk, op.as_deref(), args.as_deref()).map(done),
    }
}
