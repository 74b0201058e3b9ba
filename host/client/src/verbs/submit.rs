//! `submit`: runs a script, and stays with it until it ends.

use serde_json::{Value, json};
use uuid::Uuid;

use super::script;
use crate::args::Submit;
use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::follow::{Outage, Script, Watcher, again};
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
    };
    let job = order.place(submit.patience.seconds)?;
    let cursor = order.cursor;
    screen.record(&json!({"ok": {"job": job}}))?;
    if submit.queue {
        screen.say(&job)?;
        return Ok(Exit::Done);
    }
    screen.note(&paint(DIM, format_args!("{} is {job}", clean(&name))));
    let script = Script { job, name, code };
    Watcher::new(session, screen, script, cursor, submit.patience.seconds).run()
}

/// A submit on its way, which may be repeated: its key says that it is the same.
struct Order<'a> {
    session: &'a mut Session,
    screen: &'a Screen,
    name: &'a str,
    args: Value,
    key: String,
    cursor: Option<Cursor>,
}

impl Order<'_> {
    /// Submits it, over a broken connection too; its id.
    fn place(&mut self, patience: u32) -> Result<String> {
        self.cursor = match self.session.subscribe(KINDS, None) {
            Err(Failure::Broken(why)) => {
                return Err(Complaint::connect(why).advice("nothing was submitted"));
            }
            cursor => cursor?,
        };
        let mut outage = None;
        loop {
            let asked = self
                .session
                .connection
                .ask("submit", &self.args, Some(&self.key));
            match (asked, &mut outage) {
                (Ok(answer), _) => return id(&answer),
                (Err(Failure::Broken(why)), _) => {
                    let outage = outage.get_or_insert_with(|| Outage::new(patience));
                    self.again(&why, outage)?;
                }
                // A gateway that has just come back may have to find its script server first.
                (Err(Failure::Refused(refusal)), Some(outage))
                    if matches!(refusal.kind.as_str(), "unavailable" | "busy") =>
                {
                    outage.wait(unknown(self.name, &self.key, &refusal.message))?;
                }
                (Err(Failure::Refused(refusal)), _) => return Err(refusal.into()),
                (Err(Failure::Interrupted), _) => {
                    return Err(unknown(self.name, &self.key, "given up by Ctrl-C"));
                }
            }
        }
    }

    fn again(&mut self, why: &str, outage: &mut Outage) -> Result<()> {
        let kinds = (KINDS, self.cursor);
        let came_back = again(self.session, self.screen, kinds, (why, outage));
        self.cursor =
            came_back.map_err(|complaint| unknown(self.name, &self.key, &complaint.message))?;
        Ok(())
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
