//! `cargo xtask demo --swap`: one script and its clients, which stay; three script servers, which come and go under them.

mod differences;
mod lab;
mod load;
mod script;
mod summary;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use patchbay_servers::install_all;

use super::screen::{self, progress, say};
use super::{Args, build};
use crate::signals;
use lab::Lab;
use load::Load;
use script::{Clients, Visit};

/// What it needs to be built.
const PACKAGES: [&str; 6] = [
    "patchbay",
    "patchbay-nicos",
    "patchbay-queueserver",
    "patchbay-python",
    "patchbay-activemq",
    "patchbay-socket",
];

/// A script server, by its backend's id in the configuration, and as people call it.
pub struct Server {
    pub id: &'static str,
    pub name: &'static str,
}

const SERVERS: [Server; 3] = [
    Server {
        id: "nicos",
        name: "NICOS",
    },
    Server {
        id: "queueserver",
        name: "RE Manager",
    },
    Server {
        id: "python",
        name: "Python",
    },
];

/// Exits with 0 only if the script succeeded on all three, with the same output, and no request was lost.
pub fn run(args: &Args) -> Result<ExitCode> {
    screen::heading("Servers: installing what is missing");
    install_all(&progress).context(
        "NICOS, an RE Manager and ActiveMQ are needed for this; `cargo xtask demo --embedded` needs nothing but Python",
    )?;
    let binaries = build(args.release, &PACKAGES)?;
    show(args, &binaries)
}

fn show(args: &Args, binaries: &Path) -> Result<ExitCode> {
    screen::heading(
        "Starting NICOS, an RE Manager, ActiveMQ and the gateway on free ports of 127.0.0.1",
    );
    let mut lab = Lab::start(binaries)?;
    let visits = swap(&mut lab).or_else(|error| {
        // What fails first may be something that needed a process that has died: then that is named.
        thread::sleep(Duration::from_millis(300));
        lab.check().and(Err(error))
    })?;
    let is_well = summary::show(&visits);
    if !args.once && (is_well || args.keep_going) {
        say(&lab.help());
        while !signals::are_caught() {
            lab.check()?;
            drop(lab.jms.unmatched());
            thread::sleep(Duration::from_millis(100));
        }
        say("\nEnding everything.");
    }
    Ok(match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn swap(lab: &mut Lab) -> Result<Vec<Visit>> {
    screen::heading("The clients: they log in now, and never again");
    let mut clients = Clients::connect(lab)?;
    let load = Load::start(&lab.socket())?;
    progress("and four more by the socket, which look and evaluate all the time");
    script::show();
    let mut visits = Vec::new();
    for (number, server) in SERVERS.iter().enumerate() {
        screen::heading(&format!(
            "{} of {}: {}",
            number + 1,
            SERVERS.len(),
            server.name
        ));
        if number > 0 {
            lab.route_all(server)?;
            progress("both lead there at once, while the four others go on asking");
        }
        visits.push(clients.visit(lab, &load, server)?);
    }
    screen::heading("Back to NICOS, as soon as nothing is under way");
    progress(&load.end()?);
    lab.route_all_when_idle(&SERVERS[0])?;
    progress(&clients.still_knows(lab, &visits[0])?);
    differences::show(&visits);
    Ok(visits)
}
