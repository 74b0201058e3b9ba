//! A script that prints 2,000 lines while 1, 10 and 50 clients look on: directly, by the socket, by the broker's topics.
//!
//! There are two daemons, so that the gateway, which looks on too, does not slow down the script that is watched directly.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use patchbay_servers::{ActiveMq, Gateway, Nicos, to_stderr};

use crate::child::Child;
use crate::daemon::{DONE, Daemon, Events, is_line};
use crate::figure::{Bound, Figure, To};
use crate::forwarder::Forwarder;
use crate::line::Line;
use crate::responders::program;
use crate::{gateway, say};

const LINES: usize = 2_000;
const CLIENTS: [usize; 3] = [1, 10, 50];
const QUEUE: &str = "watch";
const TOPIC: &str = "watch.events";
const LIMIT: Duration = Duration::from_secs(120);

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let mut site = Site::start()?;
    let mut direct = Figure::new(
        format!("{LINES} lines until all have seen them: directly"),
        "s",
    );
    let mut socket = Figure::new("the same, by the gateway's socket", "s");
    let mut topics = Figure::new("the same, by the gateway's JMS topics", "s");
    let mut ended = Figure::new("meanwhile, until the script itself has ended", "s");
    let mut bare = Figure::new("by JMS topics from a bare forwarder", "s");
    let mut bare_ended = Figure::new("meanwhile, until the script itself has ended there", "s");
    for round in 1..=rounds {
        for count in CLIENTS {
            say(&format!("{}, round {round} of {rounds}", clients(count)));
            let contender = clients(count);
            direct.add(&contender, site.directly(count)?);
            socket.add(&contender, site.by_socket(count)?);
            let (script, all) = site.by_topics(count)?;
            ended.add(&contender, script);
            topics.add(&contender, all);
            let (script, all) = site.by_forwarder(count)?;
            bare_ended.add(&contender, script);
            bare.add(&contender, all);
        }
    }
    let like_one = |figure: Figure| {
        let [one, .., many] = CLIENTS.map(clients);
        figure.aim(&many, To::Times(one), Bound::AtMost(1.1))
    };
    Ok(vec![
        direct,
        like_one(socket),
        like_one(topics),
        like_one(ended),
        bare,
        bare_ended,
    ])
}

fn clients(count: usize) -> String {
    match count {
        1 => "1 client".into(),
        _ => format!("{count} clients"),
    }
}

/// The servers, and who gives each daemon its scripts.
struct Site {
    topics: Child,
    gateway: Gateway,
    direct: (Nicos, Daemon),
    behind: (Nicos, Daemon),
    broker: ActiveMq,
    /// How many there were.
    forwarders: u64,
}

impl Site {
    fn start() -> Result<Self> {
        let broker = ActiveMq::start(&to_stderr)?;
        let [direct, behind] = [daemon()?, daemon()?];
        let gateway = gateway::start(&[
            &gateway::nicos(&behind.0.address().to_string()),
            &gateway::socket("nicos"),
            &gateway::activemq("nicos", &broker.stomp().to_string(), QUEUE),
        ])?;
        let mut java = program("Watch")?;
        java.arg(format!("tcp://{}", broker.openwire()));
        java.arg(format!("{TOPIC}.>"));
        Ok(Self {
            topics: Child::start("the clients of the topics", java)?,
            gateway,
            direct,
            behind,
            broker,
            forwarders: 0,
        })
    }

    fn directly(&mut self, count: usize) -> Result<f64> {
        let (nicos, daemon) = &mut self.direct;
        let clients = (0..count)
            .map(|at| Daemon::login(nicos.address(), 1000 + at as u64))
            .collect::<Result<Vec<_>>>()?;
        let watch = |client: &Daemon| {
            let mut events = client.events()?;
            Ok(thread::spawn(move || see_directly(&mut events)))
        };
        let watchers = clients.iter().map(watch).collect::<Result<Vec<_>>>()?;
        let (begun, _) = begin(daemon)?;
        wait(watchers)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn by_socket(&mut self, count: usize) -> Result<f64> {
        let watchers = (0..count)
            .map(|_| {
                let mut line = Line::login(&self.gateway)?;
                line.ask(r#"{"op":"subscribe"}"#)?;
                Ok(thread::spawn(move || see_by_socket(&mut line)))
            })
            .collect::<Result<Vec<_>>>()?;
        let (begun, _) = begin(&mut self.behind.1)?;
        wait(watchers)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// How long the script takes, which a client of the socket sees, and how long it is until all have seen it.
    fn by_topics(&mut self, count: usize) -> Result<(f64, f64)> {
        self.topics.ask(&format!("open {count}"), LIMIT)?;
        let mut witness = Line::login(&self.gateway)?;
        witness.ask(r#"{"op":"subscribe"}"#)?;
        let witness = thread::spawn(move || see_by_socket(&mut witness).map(|_| Instant::now()));
        let (begun, job) = begin(&mut self.behind.1)?;
        let took = self.all_have_seen(&job, begun)?;
        let ended = witness.join().map_err(|_| anyhow!("a watcher broke"))??;
        Ok(((ended - begun).as_secs_f64(), took))
    }

    /// As [`Site::by_topics`], but without the gateway.
    fn by_forwarder(&mut self, count: usize) -> Result<(f64, f64)> {
        self.topics.ask(&format!("open {count}"), LIMIT)?;
        let (nicos, daemon) = &mut self.direct;
        // A number of its own: the daemon may not be done yet with the one before.
        self.forwarders += 1;
        let client = Daemon::login(nicos.address(), 1_000_000 + self.forwarders)?;
        let forwarder = Forwarder::open(&client, &self.broker, TOPIC)?;
        let (begun, job) = begin(daemon)?;
        let forwarder = forwarder.start(job.clone());
        let took = self.all_have_seen(&job, begun)?;
        let ended = forwarder
            .join()
            .map_err(|_| anyhow!("a forwarder broke"))??;
        Ok(((ended - begun).as_secs_f64(), took))
    }

    /// How long it takes until all clients of the topics have seen the script's end.
    fn all_have_seen(&mut self, job: &str, begun: Instant) -> Result<f64> {
        let fewest = self.topics.ask(&format!("wait {job}"), LIMIT)?;
        let took = begun.elapsed().as_secs_f64();
        self.topics.ask("close", LIMIT)?;
        ensure!(
            fewest == LINES.to_string(),
            "a client of the topics saw {fewest} lines of {LINES}"
        );
        Ok(took)
    }
}

fn daemon() -> Result<(Nicos, Daemon)> {
    let nicos = Nicos::start(&to_stderr)?;
    let daemon = Daemon::login(nicos.address(), 1)?;
    Ok((nicos, daemon))
}

/// Since when the script is on its way, and its job.
fn begin(daemon: &mut Daemon) -> Result<(Instant, String)> {
    let begun = Instant::now();
    let job = daemon.queue(&format!("for i in range({LINES}): print(i)\n"))?;
    Ok((begun, job))
}

fn wait(watchers: Vec<JoinHandle<Result<usize>>>) -> Result<()> {
    for watcher in watchers {
        let seen = watcher.join().map_err(|_| anyhow!("a watcher broke"))??;
        ensure!(seen == LINES, "a watcher saw {seen} lines of {LINES}");
    }
    Ok(())
}

/// The lines that came before the script's end.
fn see_directly(events: &mut Events) -> Result<usize> {
    let (mut lines, mut payload) = (0, Vec::new());
    loop {
        match events.next(&mut payload)? {
            DONE => return Ok(lines),
            kind => lines += usize::from(is_line(kind, &payload)),
        }
    }
}

fn see_by_socket(line: &mut Line) -> Result<usize> {
    let mut lines = 0;
    loop {
        let text = line.read()?;
        let is_line = text.contains(r#""kind":"log""#) && text.contains(r#""level":"info""#);
        lines += usize::from(is_line);
        if text.contains(r#""state":"finished""#) {
            return Ok(lines);
        }
    }
}
