//! The script, and the two clients that stay: one of 2017 sends it, one of the socket follows it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use patchbay_servers::{Connect, Event, IbexEvent, IbexSees, IbexWhat};
use serde_json::{Value, json};

use super::Server;
use super::lab::Lab;
use super::load::Load;
use crate::demo::outcome::Outcome;
use crate::demo::screen::{progress, say};
use crate::demo::stack::QUEUE;
use crate::demo::talk::Talk;
use crate::demo::update::Update;
use crate::signals;

/// About two seconds. (NICOS refuses scripts that read `time.sleep`, which would hold it up.)
const CODE: &str = "\
import time as clock
print('Hello from a script that knows no server')
for step in range(1, 4):
    print('step %d of 3' % step)
    clock.sleep(0.6)
print('6 times 7 is %d' % (6 * 7))
";

/// The client of 2017, by its name in the Java process.
const IBEX: &str = "ibex";
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const READY_LIMIT: Duration = Duration::from_secs(60);
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);
/// How often the job's state is asked for, should an event be lost.
const ASK_EVERY: Duration = Duration::from_secs(2);
const SLICE: Duration = Duration::from_millis(100);
/// What was printed last may come after the word that it is over.
const LATE: Duration = Duration::from_millis(500);

/// What became of the script at one server.
pub struct Visit {
    pub server: &'static Server,
    pub job: String,
    pub lines: Vec<String>,
    pub outcome: Outcome,
    /// How many requests of others were answered meanwhile.
    pub answered: u64,
    /// What the server says of each operation.
    pub ops: Value,
}

/// The clients.
pub struct Clients {
    talk: Talk,
}

/// Shows the script.
pub fn show() {
    progress("the script, which is the same every time:");
    for line in CODE.lines() {
        progress(&format!("  {line}"));
    }
}

impl Clients {
    /// Connects both, and logs them in.
    pub fn connect(lab: &mut Lab) -> Result<Self> {
        let connect = Connect::to(lab.broker.openwire()).queue(QUEUE);
        lab.jms
            .ibex(IBEX, &connect)
            .context("cannot connect to ActiveMQ")?;
        answer(lab, "the login")?;
        progress(
            "one by ActiveMQ, which does what the IBEX client of 2017 does; it sends the script",
        );
        let mut talk = Talk::to(&lab.socket())?;
        talk.ask("login", &json!({"user": "admin", "secret": "admin"}))?;
        talk.ask("subscribe", &json!({"kinds": ["job", "log"]}))?;
        progress("one by the socket, which follows it");
        Ok(Self { talk })
    }

    /// Has the script run by the server that is there now.
    pub fn visit(&mut self, lab: &mut Lab, load: &Load, server: &'static Server) -> Result<Visit> {
        self.wait_until_ready(lab, server)?;
        let before = load.answered();
        let job = send(lab)?;
        progress(&format!("queued as job {job}\n"));
        let (lines, outcome) = self.follow(lab, &job)?;
        let capabilities = self.talk.ask("capabilities", &json!({}))?;
        let answered = load.answered() - before;
        progress(&format!("meanwhile the four others got {answered} answers"));
        Ok(Visit {
            server,
            job,
            lines,
            outcome,
            answered,
            ops: capabilities["ops"].clone(),
        })
    }

    /// Whoever comes back finds what ran there.
    pub fn still_knows(&mut self, lab: &mut Lab, visit: &Visit) -> Result<String> {
        lab.check()?;
        let job = self.talk.ask("job", &json!({"job": visit.job}))?;
        let state = job["state"].as_str().context("a job without a state")?;
        Ok(format!("it knows job {} as before: {state}", visit.job))
    }

    fn wait_until_ready(&mut self, lab: &mut Lab, server: &Server) -> Result<()> {
        let end = Instant::now() + READY_LIMIT;
        let mut is_told = false;
        while Instant::now() < end && !signals::are_caught() {
            lab.check()?;
            let status = self.talk.ask("status", &json!({"fresh": true}))?;
            let environment = &status["environment"];
            let is_open = environment.is_null() || environment == "idle";
            if status["link"] == "up" && status["run"] == "idle" && is_open {
                let banner = self.talk.ask("banner", &json!({}))?;
                // The Python backend's own version says less than that of its Python.
                let version = banner["python"].as_str().or(banner["version"].as_str());
                let version = version.unwrap_or_default();
                progress(&format!("{} {version} answers", server.name));
                return Ok(());
            }
            if !std::mem::replace(&mut is_told, true) {
                progress(&format!("waiting until {} can run scripts", server.name));
            }
            std::thread::sleep(SLICE);
        }
        let limit = READY_LIMIT.as_secs();
        bail!(
            "{} could not run scripts within {limit} s{}",
            server.name,
            lab.log()
        )
    }

    /// Shows the script until it is over; what it printed, and how it ended.
    fn follow(&mut self, lab: &mut Lab, job: &str) -> Result<(Vec<String>, Outcome)> {
        let mut lines = Vec::new();
        let end = Instant::now() + SCRIPT_LIMIT;
        while Instant::now() < end {
            if self.look(lab, job, ASK_EVERY, &mut lines)? {
                self.look(lab, job, LATE, &mut lines)?;
            }
            let state = self.talk.ask("job", &json!({ "job": job }))?;
            let state = state["state"].as_str().context("a job without a state")?;
            if let Some(outcome) = Outcome::of_state(state) {
                return Ok((lines, outcome));
            }
        }
        let limit = SCRIPT_LIMIT.as_secs();
        bail!("the script did not end within {limit} s{}", lab.log())
    }

    /// Shows what comes within so long; whether the job's end was among it.
    fn look(
        &mut self,
        lab: &mut Lab,
        job: &str,
        within: Duration,
        lines: &mut Vec<String>,
    ) -> Result<bool> {
        let end = Instant::now() + within;
        while Instant::now() < end {
            lab.check()?;
            if signals::are_caught() {
                bail!("interrupted");
            }
            let event = self.talk.event(SLICE)?;
            let update = event.and_then(|event| Update::parse(&event.to_string()));
            let Some(update) = update.filter(|update| update.is_of(job)) else {
                continue;
            };
            lines.extend(update.output().map(str::to_owned));
            if let Some(line) = update.line() {
                say(&line);
            }
            if update.end_of(job).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The client of 2017 sends the script; the job's id.
fn send(lab: &mut Lab) -> Result<String> {
    lab.jms.ibex_script(IBEX, "Swapped", CODE)?;
    let text = answer(lab, "the script")?;
    let answer: Value = serde_json::from_str(&text)?;
    let job = answer["payload"].as_str();
    let job = job.with_context(|| format!("the answer to the script names no job: {answer}"))?;
    Ok(job.to_owned())
}

/// The next answer that the client of 2017 gets, if it is a good one.
fn answer(lab: &mut Lab, what: &str) -> Result<String> {
    let end = Instant::now() + ANSWER_LIMIT;
    let happened =
        |event: &Event| matches!(event, Event::Ibex(seen) if seen.what != IbexWhat::Sent);
    while Instant::now() < end {
        lab.check()?;
        if let Some(Event::Ibex(event)) = lab.jms.event(SLICE, happened)? {
            return accepted(event, what);
        }
    }
    let limit = ANSWER_LIMIT.as_secs();
    bail!("no answer to {what} within {limit} s{}", lab.log())
}

fn accepted(event: IbexEvent, what: &str) -> Result<String> {
    let text = event.text.unwrap_or_default();
    match (event.what, IbexSees::of_answer(&text)) {
        (IbexWhat::Answered, IbexSees::Accepted) => Ok(text),
        (IbexWhat::Answered, IbexSees::Refused(why)) => bail!("{what} was refused: {why}"),
        (other, _) => bail!("the client of 2017 is {other:?} after {what}: {text}"),
    }
}
