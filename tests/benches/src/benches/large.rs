//! A long value of NICOS's, and what it takes until it is a client's JSON.

use anyhow::Result;
use patchbay_servers::{Nicos, to_stderr};

use crate::daemon::{Command, Daemon, pickle_eval};
use crate::figure::{Bound, Figure, Spread, To};
use crate::line::Line;
use crate::{gateway, say};

/// Each about 1 MB as a pickle.
const VALUES: [(&str, &str); 3] = [
    (
        "messages",
        "[['nicos', 1795000000.25 + i, 20, 'a line of a script with a number: %d\\n' % i, None, '0f6c'] for i in range(11500)]",
    ),
    (
        "points",
        "[[i * 0.1, i * 1.1, i * 2.1] for i in range(33000)]",
    ),
    ("a text", "'x' * 1000000"),
];
const REPEATS: usize = 7;
const DIRECT: &str = "direct, undecoded";
const PATCHBAY: &str = "Patchbay, as JSON";

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let nicos = Nicos::start(&to_stderr)?;
    let backend = gateway::nicos(&nicos.address().to_string());
    let gateway = gateway::start(&[&backend, &gateway::socket("nicos")])?;
    let mut daemon = Daemon::login(nicos.address(), 1)?;
    let mut line = Line::login(&gateway)?;
    let mut figures = Vec::new();
    for (name, expression) in VALUES {
        let pickle = pickle_eval(expression);
        let request = serde_json::json!({"op": "eval", "args": {"code": expression}}).to_string();
        let size = daemon.ask(Command::Eval, &pickle)?.len() as f64 / 1e6;
        let mut figure = Figure::new(format!("a reply of {size:.2} MB ({name})"), "ms");
        for round in 1..=rounds {
            say(&format!("{name}, round {round} of {rounds}"));
            figure.add(DIRECT, median_ms(|| daemon.time(Command::Eval, &pickle))?);
            figure.add(PATCHBAY, median_ms(|| line.time(&request))?);
        }
        let added = To::OverSumOf(vec![DIRECT.into()]);
        figures.push(figure.aim(PATCHBAY, added, Bound::AtMost(15.0)));
    }
    Ok(figures)
}

fn median_ms(mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    let times = (0..REPEATS).map(|_| once()).collect::<Result<Vec<f64>>>()?;
    Ok(Spread::of(&times).map_or(0.0, |spread| spread.median / 1e3))
}
