//! The demo's script: sent, followed live, and its outcome asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use patchbay_servers::{Connect, IBEX_PASSWORD, IbexSees, Received};
use serde_json::{Value, json};

use super::outcome::Outcome;
use super::screen::{progress, say};
use super::stack::{QUEUE, Stack};
use super::update::Update;

/// About six seconds: output, waits, and a motor that takes its time.
const CODE: &str = "\
print('Hello from a NICOS script')
for step in range(1, 6):
    print('step %d of 5' % step)
    sleep(0.8)
print('now a motor that takes two seconds')
maw(slow, slow.read() + 2)
print('the motor stands at %.1f mm' % slow.read())
";

const CLIENT: &str = "demo";
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const SCRIPT_LIMIT: Duration = Duration::from_secs(40);
/// How often the job's state is asked for, should an event be lost.
const ASK_EVERY: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_millis(700);
/// Numbers the requests, for their correlation ids.
static REQUESTS: AtomicU64 = AtomicU64::new(1);
const SLICE: Duration = Duration::from_millis(100);

/// Runs the script to its end.
///
/// # Errors
/// When a process dies, an answer does not come in time, or the script does not end in time.
pub fn run(stack: &mut Stack) -> Result<Outcome> {
    connect(stack)?;
    let job = submit(stack)?;
    let end = Instant::now() + SCRIPT_LIMIT;
    while Instant::now() < end {
        if follow(stack, &job, ASK_EVERY)? {
            // What was printed last may come after the word that it is over.
            follow(stack, &job, LATE)?;
        }
        if let Some(outcome) = ask(stack, &job)? {
            return Ok(outcome);
        }
    }
    let limit = SCRIPT_LIMIT.as_secs();
    bail!("the script did not end within {limit} s{}", stack.logs())
}

/// As the client connects, in the order in which it misses nothing.
fn connect(stack: &mut Stack) -> Result<()> {
    let connect = Connect::to(stack.broker.openwire()).queue(QUEUE);
    stack
        .jms
        .open(CLIENT, &connect)
        .context("cannot connect to ActiveMQ")?;
    // One subscription for log, job and state events, so that they keep their order.
    stack.jms.subscribe(CLIENT, &format!("{QUEUE}.events.*"))?;
    let login = json!({
        "command": "authenticate", "login": "ibex", "passwd": IBEX_PASSWORD, "display": "",
    });
    accepted(&request(stack, "authenticate", &login)?, "the login")?;
    progress("logged in as `ibex`");
    Ok(())
}

/// Returns the job's id.
fn submit(stack: &mut Stack) -> Result<String> {
    for line in CODE.lines() {
        progress(&format!("  {line}"));
    }
    let command = json!({"command": "queue", "name": "Demo", "code": CODE});
    let answer = request(stack, "queue", &command)?;
    accepted(&answer, "the script")?;
    let answer: Value = serde_json::from_str(&answer)?;
    let job = answer.get("payload").and_then(Value::as_str);
    let job = job.with_context(|| format!("the answer to the script names no job: {answer}"))?;
    progress(&format!("queued as job {job}\n"));
    Ok(job.to_owned())
}

/// Shows what comes within `limit`; whether the job's end was among it.
fn follow(stack: &mut Stack, job: &str, limit: Duration) -> Result<bool> {
    let end = Instant::now() + limit;
    loop {
        stack.check()?;
        let left = end.saturating_duration_since(Instant::now()).min(SLICE);
        let is_event = |message: &Received| message.destination.starts_with("topic://");
        let Some(event) = stack.jms.receive(left, is_event)? else {
            if Instant::now() >= end {
                return Ok(false);
            }
            continue;
        };
        let update = Update::parse(event.text.as_deref().unwrap_or_default());
        let Some(update) = update.filter(|update| update.concerns(job)) else {
            continue;
        };
        if let Some(line) = update.line() {
            say(&line);
        }
        if update.end_of(job).is_some() {
            return Ok(true);
        }
    }
}

/// What the gateway knows of the job: its outcome, or `None` while it is not over.
fn ask(stack: &mut Stack, job: &str) -> Result<Option<Outcome>> {
    let answer = request(stack, "job", &json!({"op": "job", "args": {"job": job}}))?;
    let answer: Value = serde_json::from_str(&answer).context("the job's state is no JSON")?;
    match answer.pointer("/ok/state").and_then(Value::as_str) {
        Some(state) => Ok(Outcome::of_state(state)),
        None => bail!("the gateway did not tell the job's state: {answer}"),
    }
}

/// Sends a request and waits for its answer, looking at the processes meanwhile.
fn request(stack: &mut Stack, name: &str, body: &Value) -> Result<String> {
    let id = format!("demo-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    stack.jms.send(CLIENT, &id, &body.to_string())?;
    let end = Instant::now() + ANSWER_LIMIT;
    while Instant::now() < end {
        stack.check()?;
        let is_answer = |message: &Received| message.correlation.as_deref() == Some(&id);
        if let Some(answer) = stack.jms.receive(SLICE, is_answer)? {
            return answer.text.context("an answer without text");
        }
    }
    bail!(
        "no answer to `{name}` within {} s{}",
        ANSWER_LIMIT.as_secs(),
        stack.logs()
    )
}

fn accepted(answer: &str, what: &str) -> Result<()> {
    match IbexSees::of_answer(answer) {
        IbexSees::Accepted => Ok(()),
        IbexSees::Refused(why) => bail!("{what} was refused: {why}"),
    }
}
