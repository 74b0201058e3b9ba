//! One client: asks, waits for the answer, and asks again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use patchbay_servers::{Connect, IBEX_PASSWORD, Jms, Message};
use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::site::Site;

/// After so long a client asks something else; its answer may still come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two requests, in seconds.
const PAUSE: std::ops::Range<f64> = 1.0..7.0;

/// Of a hundred requests, so many are scripts.
const SCRIPTS: u8 = 15;

/// A JMS client and its habits.
pub struct Client {
    name: String,
    persistent: bool,
    connect: Connect,
    runs: PathBuf,
    jms: Arc<Jms>,
    ledger: Arc<Ledger>,
    dice: fastrand::Rng,
}

impl Client {
    pub fn new(
        number: usize,
        site: &Site,
        jms: &Arc<Jms>,
        ledger: &Arc<Ledger>,
        dice: fastrand::Rng,
    ) -> Self {
        let persistent = number.is_multiple_of(2);
        let connect = Connect::to(site.broker.openwire());
        Self {
            name: format!("c{number}"),
            persistent,
            connect: match persistent {
                true => connect.failover(),
                false => connect,
            },
            runs: site.runs.clone(),
            jms: jms.clone(),
            ledger: ledger.clone(),
            dice,
        }
    }

    /// Asks until it is told not to.
    pub fn run(mut self, asking: &AtomicBool) {
        let mut connected = false;
        while asking.load(Ordering::Relaxed) {
            if !connected || self.ledger.take_lost(&self.name) {
                connected = self.jms.open(&self.name, &self.connect).is_ok();
                if connected {
                    self.log_in();
                } else {
                    thread::sleep(Duration::from_secs(1));
                    continue;
                }
            }
            thread::sleep(Duration::from_secs_f64(self.pause()));
            self.ask_something();
        }
    }

    fn pause(&mut self) -> f64 {
        PAUSE.start + self.dice.f64() * (PAUSE.end - PAUSE.start)
    }

    fn log_in(&mut self) {
        let login = json!({
            "command": "authenticate", "login": "ibex", "passwd": IBEX_PASSWORD, "display": "soak"
        });
        self.ask(&login, None);
    }

    fn ask_something(&mut self) {
        if self.dice.u8(..100) < SCRIPTS {
            self.queue_a_script();
        } else if self.dice.bool() {
            self.ask(&json!({ "command": "getstatus" }), None);
        } else {
            self.ask(&json!({ "command": "getmessages", "n": 5 }), None);
        }
    }

    fn queue_a_script(&mut self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let line = format!("{}-{}", self.name, LAST.fetch_add(1, Ordering::Relaxed));
        let file = self.runs.display();
        // One write of one short line, with NICOS's id of this script: whole, whoever else writes.
        let code = format!(
            "from nicos import session\n\
             job = session.daemon_device._controller.current_script.reqid\n\
             with open('{file}', 'a') as f:\n    f.write('{line} ' + job + '\\n')\n"
        );
        self.ask(
            &json!({ "command": "queue", "name": line, "code": code }),
            Some(line),
        );
    }

    /// Asks and waits for a while; a client that is not logged in (any more) logs in.
    fn ask(&mut self, request: &Value, script: Option<String>) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let correlation = format!("soak-{}", LAST.fetch_add(1, Ordering::Relaxed));
        let mut message = Message::text(&request.to_string()).correlation(&correlation);
        if self.persistent {
            message = message.persistent();
        }
        self.ledger.sent(&correlation, self.persistent, script);
        if self.jms.send_message(&self.name, &message).is_err() {
            // Whether the library gave up before or after sending: only a script's own line tells.
            return self.ledger.not_sent(&correlation);
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.ledger.outcome(&correlation) {
                Some(Err(why))
                    if why.contains("log in") && request["command"] != "authenticate" =>
                {
                    return self.log_in();
                }
                Some(_) => return,
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}
