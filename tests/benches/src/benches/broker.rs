//! JSON over ActiveMQ to the echo backend: beside answerers that do nothing else, in Java and in Python.

use anyhow::Result;
use patchbay_servers::{ActiveMq, to_stderr};

use crate::figure::{Bound, Figure, To};
use crate::load::{Load, Outcome, Work};
use crate::{gateway, responders, say};

/// Some 60 bytes. It changes nothing: what does is noted in the audit log and remembered in case it comes twice, which no echo does.
const REQUEST: &str = r#"{"op":"complete","args":{"line":"motor.po","word":"po"},"id":17}"#;

/// One request at a time, and sixteen: of one client, and of sixteen.
const WORKS: [(&str, Work); 3] = [
    ("16 outstanding", work(1, 16, 10_000)),
    ("16 clients", work(16, 1, 625)),
    ("1 outstanding", work(1, 1, 1_500)),
];

const fn work(clients: usize, outstanding: usize, requests: usize) -> Work {
    Work {
        clients,
        outstanding,
        requests,
    }
}

const STOMP: &str = "raw STOMP echo";
const STOMP_AUTO: &str = "raw STOMP echo, auto-ack";
const JMS: &str = "JMS echo";
const PEER: &str = "Python proxy";
const PATCHBAY: &str = "Patchbay";

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let broker = ActiveMq::start(&to_stderr)?;
    let stomp = responders::stomp_echo(&broker, "stomp", "individual")?;
    let auto = responders::stomp_echo(&broker, "auto", "auto")?;
    let jms = responders::jms_echo(&broker, "jms")?;
    let peer = responders::peer(&broker, "peer", None)?;
    let frontend = gateway::activemq("echo", &broker.stomp().to_string(), "patchbay");
    let gateway = gateway::start(&[gateway::ECHO, &frontend])?;
    let contenders = [
        (STOMP, "stomp", stomp.pid()),
        (PATCHBAY, "patchbay", gateway.pid()),
        (STOMP_AUTO, "auto", auto.pid()),
        (JMS, "jms", jms.pid()),
        (PEER, "peer", peer.pid()),
    ];
    let mut load = Load::start(&broker)?;
    say("warming up");
    for (_, queue, pid) in contenders {
        load.run(queue, pid, work(16, 1, 1_000), REQUEST)?;
    }
    let mut figures = Vec::new();
    for (name, work) in WORKS {
        let mut quantities = Quantities::of(name, work);
        for round in 1..=rounds {
            say(&format!("{name}, round {round} of {rounds}"));
            for (contender, queue, pid) in contenders {
                quantities.add(contender, load.run(queue, pid, work, REQUEST)?);
            }
        }
        figures.extend(quantities.figures());
    }
    Ok(figures)
}

/// What is measured of each contender.
struct Quantities {
    rate: Figure,
    p50: Figure,
    p99: Figure,
    cpu: Figure,
}

impl Quantities {
    /// With the aims for so much work.
    fn of(name: &str, work: Work) -> Self {
        let to_stomp = |figure: Figure, bound| match work.clients * work.outstanding {
            16 => figure.aim(PATCHBAY, To::Times(STOMP.into()), bound),
            _ => figure,
        };
        Self {
            rate: to_stomp(
                Figure::new(format!("{name}: rate"), "/s"),
                Bound::AtLeast(0.95),
            ),
            p50: Figure::new(format!("{name}: p50"), "µs"),
            p99: to_stomp(
                Figure::new(format!("{name}: p99"), "µs"),
                Bound::AtMost(1.0),
            ),
            cpu: to_stomp(
                Figure::new(format!("{name}: CPU of the answerer"), "µs/message"),
                Bound::AtMost(1.0),
            ),
        }
    }

    fn add(&mut self, contender: &str, outcome: Outcome) {
        self.rate.add(contender, outcome.rate);
        self.p50.add(contender, outcome.p50);
        self.p99.add(contender, outcome.p99);
        self.cpu.add(contender, outcome.cpu);
    }

    fn figures(self) -> [Figure; 4] {
        [self.rate, self.p50, self.p99, self.cpu]
    }
}
