//! The demo's script: sent, followed live, and its outcome asked for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::lab::Lab;
use crate::demo::outcome::Outcome;
use crate::demo::screen::{progress, say};
use crate::demo::talk::Talk;
use crate::demo::update::Update;
use crate::signals;

/// About four seconds.
const CODE: &str = "\
import sys, time
print('Hello from Python', '.'.join(map(str, sys.version_info[:2])))
for step in range(1, 6):
    print(f'step {step} of 5')
    time.sleep(0.8)
total = sum(range(101))
print('the numbers up to 100 make', total)
";

const PYTHON_LIMIT: Duration = Duration::from_secs(30);
const SCRIPT_LIMIT: Duration = Duration::from_secs(40);
const SLICE: Duration = Duration::from_millis(100);
/// How often the job's state is asked for, should an event be lost.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Runs the script to its end.
///
/// # Errors
/// When the gateway dies, there is no Python, or the script does not end in time.
pub fn run(lab: &mut Lab) -> Result<Outcome> {
    follow(lab).or_else(|error| {
        // What fails first may be something that needed the gateway: then that is named.
        std::thread::sleep(Duration::from_millis(300));
        lab.check().and(Err(error))
    })
}

fn follow(lab: &mut Lab) -> Result<Outcome> {
    let mut talk = Talk::to(&lab.socket())?;
    talk.ask("login", &json!({"user": "you", "secret": "any"}))?;
    wait_for_python(lab, &mut talk)?;
    talk.ask("subscribe", &json!({}))?;
    let job = submit(&mut talk)?;
    let end = Instant::now() + SCRIPT_LIMIT;
    let mut ask = Instant::now() + ASK_EVERY;
    while Instant::now() < end {
        let over = look(lab, &mut talk, &job)?;
        if over || Instant::now() >= ask {
            ask = Instant::now() + ASK_EVERY;
            let state = talk.ask("job", &json!({ "job": job }))?;
            let state = state["state"].as_str().context("a job without a state")?;
            if let Some(outcome) = Outcome::of_state(state) {
                return Ok(outcome);
            }
        }
    }
    let limit = SCRIPT_LIMIT.as_secs();
    bail!("the script did not end within {limit} s{}", lab.log())
}

fn wait_for_python(lab: &mut Lab, talk: &mut Talk) -> Result<()> {
    let end = Instant::now() + PYTHON_LIMIT;
    loop {
        let status = talk.ask("status", &json!({}))?;
        match status["link"].as_str() {
            Some("up") => break,
            Some("down") => bail!("Python does not start{}", lab.log()),
            _ if Instant::now() >= end || signals::are_caught() => {
                bail!("Python is not ready{}", lab.log())
            }
            _ => std::thread::sleep(SLICE),
        }
    }
    let banner = talk.ask("banner", &json!({}))?;
    let python = banner["python"].as_str().unwrap_or_default();
    progress(&format!("connected; scripts run in Python {python}"));
    Ok(())
}

fn submit(talk: &mut Talk) -> Result<String> {
    for line in CODE.lines() {
        progress(&format!("  {line}"));
    }
    let answer = talk.ask("submit", &json!({"name": "Demo", "code": CODE}))?;
    let job = answer["job"].as_str().context("an answer without a job")?;
    progress(&format!("queued as job {job}\n"));
    Ok(job.to_owned())
}

/// Shows what comes next; whether it was the job's end.
fn look(lab: &mut Lab, talk: &mut Talk, job: &str) -> Result<bool> {
    lab.check()?;
    if signals::are_caught() {
        bail!("interrupted");
    }
    let event = talk.event(SLICE)?;
    let update = event.and_then(|event| Update::parse(&event.to_string()));
    let Some(update) = update.filter(|update| update.concerns(job)) else {
        return Ok(false);
    };
    if let Some(line) = update.line() {
        say(&line);
    }
    Ok(update.end_of(job).is_some())
}
