//! `submit`: runs a script, and stays with it until it ends.

use serde_json::{Value, json};
use uuid::Uuid;

use super::script;
use crate::args::Submit;
use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::follow::{Choice, Outage, Script, Watcher, again, choose};
use crate::interrupt;
use crate::screen::{DIM, Screen, clean, paint};
use crate::session::{KINDS, Session};
use crate::wire::{Cursor, Failure};

/// Submits it; the exit status says how it ended.
pub(super) fn submit(desk: &mut Desk, submit: &Submit) -> Result<Exit> {
    let code = script::read(&submit.file)?;
    let name = submit.name.clone().or_else(|| script::name(&submit.file));
    let mut args = json!({"code": code});
    if let Some(name) = &name {
        args["name"] = name.as_str().into();
    }
    if submit.start {
        args["start"] = true.into();
    }
    let name = name.unwrap_or_else(|| "the script".to_owned());
    let (session, screen) = desk.both()?;
    interrupt::catch()?;
    let mut order = Order {
        session,
        screen,
        name: &name,
        args,
        key: Uuid::new_v4().to_string(),
        cursor: None,
        is_to_stop: false,
    };
    let job = order.place(submit.patience.seconds)?;
    let (cursor, is_to_stop) = (order.cursor, order.is_to_stop);
    screen.record(&json!({"ok": {"job": job}}))?;
    if submit.queue && !is_to_stop {
        screen.say(&job)?;
        return Ok(Exit::Done);
    }
    screen.note(&paint(DIM, format_args!("{} is {job}", clean(&name))));
    let code = code.into();
    let script = Script { job, name, code };
    let watcher = Watcher::new(session, screen, script, cursor, submit.patience.seconds);
    match is_to_stop {
        true => watcher.stop(),
        false => watcher.run(),
    }
}

/// A submit on its way, which may be repeated: its key says that it is the same.
struct Order<'a> {
    session: &'a mut Session,
    screen: &'a Screen,
    name: &'a str,
    args: Value,
    key: String,
    cursor: Option<Cursor>,
    /// Somebody wants it to be stopped, which needs its id.
    is_to_stop: bool,
}

impl Order<'_> {
    /// Submits it, over a broken connection too; its id.
    fn place(&mut self, patience: u32) -> Result<String> {
        self.cursor = match self.session.subscribe(KINDS, None) {
            Err(Failure::Broken(why)) => {
                return Err(Complaint::connect(why).advice("nothing was submitted"));
            }
            Err(Failure::Interrupted) => {
                return Err(Complaint::interrupted("given up; nothing was submitted"));
            }
            cursor => cursor?,
        };
        let mut outage: Option<Outage> = None;
        loop {
            match (self.ask(), &mut outage) {
                (Ok(answer), _) => return id(&answer),
                // A gateway that comes back each time, and never answers.
                (Err(Failure::Broken(why)), Some(outage)) if outage.is_over() => {
                    return Err(unknown(self.name, &self.key, &why));
                }
                (Err(Failure::Broken(why)), _) => {
                    let outage = outage.get_or_insert_with(|| Outage::new(patience));
                    self.again(&why, outage)?;
                }
                // A gateway that has just come back may have to find its script server first.
                (Err(Failure::Refused(refusal)), Some(outage))
                    if matches!(refusal.kind.as_str(), "unavailable" | "busy") =>
                {
                    let waited = outage.wait(refusal.into());
                    self.unless_left(waited)?;
                }
                (Err(Failure::Refused(refusal)), _) => return Err(refusal.into()),
                (Err(Failure::Interrupted), _) => return Err(self.left()),
            }
        }
    }

    /// Sends it and waits for its answer; `Interrupted` only if somebody wants to wait no more.
    fn ask(&mut self) -> Result<Value, Failure> {
        let connection = &mut self.session.connection;
        let id = connection.send("submit", &self.args, Some(&self.key))?;
        loop {
            match self.session.connection.answer("submit", id) {
                Err(Failure::Interrupted) if self.goes_on() => {}
                answer => return answer,
            }
        }
    }

    fn again(&mut self, why: &str, outage: &mut Outage) -> Result<()> {
        loop {
            let kinds = (KINDS, self.cursor);
            let came_back = again(self.session, self.screen, kinds, (why, outage));
            if let Some(cursor) = self.unless_left(came_back)? {
                self.cursor = cursor;
                return Ok(());
            }
        }
    }

    /// What was waited for; `None` after a Ctrl-C that was not meant as the end.
    fn unless_left<T>(&mut self, waited: Result<T>) -> Result<Option<T>> {
        match waited {
            Err(complaint) if complaint.exit == Exit::GivenUp => match self.goes_on() {
                true => Ok(None),
                false => Err(self.left()),
            },
            Err(complaint) => Err(unknown(self.name, &self.key, &complaint.message)),
            Ok(done) => Ok(Some(done)),
        }
    }

    /// After Ctrl-C: whether the answer is waited for all the same.
    fn goes_on(&mut self) -> bool {
        match choose(self.screen) {
            Choice::Leave => return false,
            Choice::Stop => {
                self.is_to_stop = true;
                self.screen
                    .note("it is stopped as soon as the gateway says its id");
            }
            Choice::GoOn => {}
        }
        true
    }

    fn left(&self) -> Complaint {
        let (name, key) = (self.name, &self.key);
        let message = format!(
            "nobody waits for {name} here any more; it was sent under the key {key}, and runs if it has arrived"
        );
        Complaint::interrupted(message)
            .advice("`patchbay client status` and `patchbay client log` show whether it does")
    }
}

fn id(answer: &Value) -> Result<String> {
    let job = answer.get("job").and_then(Value::as_str);
    job.map(String::from)
        .ok_or_else(|| Complaint::lost("the gateway did not say the script's id"))
}

fn unknown(name: &str, key: &str, why: &str) -> Complaint {
    let message = format!("it is not known whether {name} was submitted (key {key}): {why}");
    Complaint::lost(message).advice("look at `status` and `log` before submitting it again")
}
