//! Many JMS clients for minutes while broker, daemon and gateway are killed at random; ends with a report.

#![forbid(unsafe_code)]

mod chaos;
mod client;
mod ledger;
mod report;
mod site;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use patchbay_servers::{Event, Jms};

use chaos::Chaos;
use client::Client;
use ledger::Ledger;
use site::Site;

/// How long answers may still come when nothing is sent and killed any more.
const DRAIN: Duration = Duration::from_secs(120);

/// Many clients, and servers that are killed meanwhile.
#[derive(Parser)]
#[command(name = "patchbay-soak")]
struct Args {
    /// JMS clients; every second one sends persistent messages over a failover connection.
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// How long they ask.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Seconds between two kills, on average.
    #[arg(long, default_value_t = 20.0)]
    kill_every_s: f64,
    /// Repeats an earlier run's choices.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    println!(
        "{} clients for {} minutes, seed {seed}",
        args.clients, args.minutes
    );
    let site = Site::start()?;
    let ledger = Arc::new(Ledger::default());
    let jms = Arc::new(Jms::start(&patchbay_servers::silent)?);
    let listening = listen(jms.clone(), ledger.clone());
    let asking = Arc::new(AtomicBool::new(true));
    let mut dice = fastrand::Rng::with_seed(seed);
    let clients: Vec<_> = (0..args.clients)
        .map(|number| Client::new(number, &site, &jms, &ledger, dice.fork()))
        .map(|client| {
            let asking = asking.clone();
            thread::spawn(move || client.run(&asking))
        })
        .collect();
    let mut chaos = Chaos::new(site, ledger.clone(), dice.fork());
    chaos.reign(
        Instant::now() + Duration::from_secs_f64(args.minutes * 60.0),
        Duration::from_secs_f64(args.kill_every_s),
    )?;
    println!("asking no more; waiting for what is due");
    asking.store(false, Ordering::Relaxed);
    for client in clients {
        let _ = client.join();
    }
    ledger.wait_for_answers(DRAIN);
    let runs = chaos.runs()?;
    listening.store(false, Ordering::Relaxed);
    let report = report::Report::of(&ledger, &runs);
    println!("{report}");
    Ok(match report.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Hands what comes to the clients to the ledger; until the switch is turned off.
fn listen(jms: Arc<Jms>, ledger: Arc<Ledger>) -> Arc<AtomicBool> {
    let on = Arc::new(AtomicBool::new(true));
    let switch = on.clone();
    thread::spawn(move || {
        while switch.load(Ordering::Relaxed) {
            match jms.event(Duration::from_millis(200), |_| true) {
                Ok(Some(Event::Message(message))) => ledger.answered(&message),
                Ok(Some(Event::Lost { client, .. })) => ledger.lost_connection(&client),
                Ok(_) => {}
                Err(error) => return eprintln!("the clients' process: {error}"),
            }
        }
    });
    on
}
