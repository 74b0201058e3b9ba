//! What can be measured, each in a file of its own.

mod boundary;
mod broker;
mod fanout;
mod idle;
mod instructions;
mod large;
mod nicos;
mod watch;

use anyhow::{Result, bail};

use crate::figure::Figure;

/// A benchmark.
pub struct Bench {
    /// What it is called by.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Lets the contenders take turns so many times.
    pub run: fn(usize) -> Result<Vec<Figure>>,
}

/// All of them.
pub const BENCHES: &[Bench] = &[
    Bench {
        name: "broker",
        about: "JSON over ActiveMQ to the echo backend",
        run: broker::run,
    },
    Bench {
        name: "nicos",
        about: "a status that NICOS itself is asked for, over ActiveMQ",
        run: nicos::run,
    },
    Bench {
        name: "watch",
        about: "a script that prints 2,000 lines while many look on",
        run: watch::run,
    },
    Bench {
        name: "fanout",
        about: "a script's 10,000 lines to 100 subscribers of the socket",
        run: fanout::run,
    },
    Bench {
        name: "idle",
        about: "memory, idle time, start, and a look from memory",
        run: idle::run,
    },
    Bench {
        name: "large",
        about: "replies of a megabyte, from pickle to the client's JSON",
        run: large::run,
    },
    Bench {
        name: "boundary",
        about: "what it costs to cross from host to plugin",
        run: boundary::run,
    },
    Bench {
        name: "instructions",
        about: "instructions of a request, counted by callgrind",
        run: instructions::run,
    },
];

/// Those of these names; all, if there is none.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Bench>> {
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        bail!("there is no benchmark `{unknown}`; there are\n{}", list());
    }
    let is_chosen =
        |bench: &&Bench| names.is_empty() || names.iter().any(|name| name == bench.name);
    Ok(BENCHES.iter().filter(is_chosen).collect())
}

/// What there is, a line each.
pub fn list() -> String {
    let lines = BENCHES
        .iter()
        .map(|bench| format!("{:12} {}\n", bench.name, bench.about));
    lines.collect()
}

fn find(name: &str) -> Option<&'static Bench> {
    BENCHES.iter().find(|bench| bench.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_chosen_by_name() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names)
                .map(|chosen| chosen.len())
                .map_err(|error| error.to_string())
        };
        assert_eq!(names(&[]), Ok(BENCHES.len()));
        assert_eq!(names(&["broker"]), Ok(1));
        assert!(
            names(&["brokre"])
                .is_err_and(|said| said.contains("`brokre`") && said.contains("broker "))
        );
    }
}
