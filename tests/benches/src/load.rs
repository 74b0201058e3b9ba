//! JMS clients that ask as fast as they are answered: the same for every contender.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_servers::ActiveMq;
use serde::Deserialize;

use crate::child::Child;
use crate::cost;
use crate::responders::program;

/// No run takes longer.
const LIMIT: Duration = Duration::from_secs(120);
const LOGIN: &str = r#"{"op":"login","args":{"user":"admin","secret":"admin"}}"#;

/// The process of all clients.
pub struct Load(Child);

/// How much is asked at the same time, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Clients, with a temporary queue each.
    pub clients: usize,
    /// Requests that each of them has under way.
    pub outstanding: usize,
    /// Requests of each of them.
    pub requests: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Answers a second.
    pub rate: f64,
    /// How long half of the answers took at the most, in µs.
    pub p50: f64,
    /// The same of 99 in 100.
    pub p99: f64,
    /// Processor time of whoever answered, in µs for each.
    pub cpu: f64,
}

#[derive(Deserialize)]
struct Line {
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
    wrong: Option<String>,
}

impl Load {
    /// Starts it; its clients connect with each run.
    pub fn start(broker: &ActiveMq) -> Result<Self> {
        let mut java = program("Load")?;
        java.arg(format!("tcp://{}", broker.openwire()));
        Ok(Self(Child::start("the load", java)?))
    }

    /// Lets clients ask for `text` in this queue, which that process answers.
    pub fn run(&mut self, queue: &str, answerer: u32, work: Work, text: &str) -> Result<Outcome> {
        let Work {
            clients,
            outstanding,
            requests,
        } = work;
        let [login, text] = [LOGIN, text].map(|text| STANDARD.encode(text));
        let before = cost::cpu(answerer)?;
        let order = format!("{queue} {clients} {outstanding} {requests} {login} {text}");
        let line = self.0.ask(&order, LIMIT)?;
        let spent = cost::cpu(answerer)?.saturating_sub(before);
        let line: Line =
            serde_json::from_str(&line).with_context(|| format!("the load has said `{line}`"))?;
        if let Some(wrong) = line.wrong {
            bail!("clients at the queue {queue} were answered: {wrong}");
        }
        let answers = (clients * requests) as f64;
        Ok(Outcome {
            rate: answers / line.seconds,
            p50: line.p50_us,
            p99: line.p99_us,
            cpu: spent.as_secs_f64() * 1e6 / answers,
        })
    }
}
