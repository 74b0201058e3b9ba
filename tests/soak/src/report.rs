//! What came of it all.

use std::collections::HashMap;
use std::fmt;

use crate::ledger::{Ledger, Server};

/// What clients are told of what nobody knows.
const UNKNOWN: [&str; 4] = [
    "may have been",
    "may already have been",
    "may or may not have been",
    "whether it was before is not known",
];

/// The figures; see the README of this crate.
#[derive(Debug, Default)]
pub struct Report {
    sent: usize,
    answered: usize,
    errors: usize,
    in_killed_broker: usize,
    silently_lost: usize,
    unasked: u64,
    accepted: usize,
    ran: usize,
    with_killed_daemon: usize,
    not_run: usize,
    unknown: usize,
    unknown_ran: usize,
    refused_but_ran: usize,
    another_job: usize,
    twice: usize,
    kills: [usize; 3],
    sentences: Vec<(String, usize)>,
}

impl Report {
    /// `runs` has one line for each script that ran.
    pub fn of(ledger: &Ledger, runs: &str) -> Self {
        // Each script's line → the jobs that it ran as.
        let mut ran: HashMap<&str, Vec<&str>> = HashMap::new();
        for (line, job) in runs.lines().filter_map(|run| run.split_once(' ')) {
            ran.entry(line).or_default().push(job);
        }
        let book = ledger.lock();
        let mut report = Self {
            sent: book.requests.len(),
            unasked: book.unasked,
            ran: ran.len(),
            twice: ran.values().filter(|jobs| jobs.len() > 1).count(),
            ..Self::default()
        };
        for (server, _) in &book.kills {
            report.kills[*server as usize] += 1;
        }
        let mut sentences: HashMap<String, usize> = HashMap::new();
        for request in book.requests.values() {
            let jobs = request.script.as_deref().and_then(|line| ran.get(line));
            let is_script = request.script.is_some();
            match &request.answer {
                None if book.was_in_killed_broker(request) => report.in_killed_broker += 1,
                None => {
                    report.silently_lost += 1;
                    println!("lost: {request:?}");
                }
                Some(answer) => match &answer.outcome {
                    Ok(payload) => {
                        report.answered += 1;
                        report.accepted += usize::from(is_script);
                        let told = payload.as_str().unwrap_or_default();
                        if jobs.is_some_and(|jobs| !jobs.contains(&told)) {
                            report.another_job += 1;
                            println!("told the job of another script: {request:?}");
                        }
                        if is_script && jobs.is_none() {
                            match book.was_in_killed_daemon(request, answer.at) {
                                true => report.with_killed_daemon += 1,
                                false => {
                                    report.not_run += 1;
                                    println!("accepted and not run: {request:?}");
                                }
                            }
                        }
                    }
                    Err(why) => {
                        report.errors += 1;
                        *sentences.entry(shortened(why)).or_default() += 1;
                        let unknown = is_script && UNKNOWN.iter().any(|part| why.contains(part));
                        report.unknown += usize::from(unknown);
                        report.unknown_ran += usize::from(unknown && jobs.is_some());
                        if is_script && !unknown && jobs.is_some() {
                            report.refused_but_ran += 1;
                            println!("refused and yet run: {request:?}");
                        }
                    }
                },
            }
        }
        report.sentences = sentences.into_iter().collect();
        report
            .sentences
            .sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        report
    }

    pub fn is_good(&self) -> bool {
        let bad = [
            self.silently_lost,
            self.not_run,
            self.twice,
            self.refused_but_ran,
            self.another_job,
        ];
        bad == [0; 5]
    }
}

/// Without what differs from one to the next.
fn shortened(sentence: &str) -> String {
    sentence
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(100)
        .collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let killed = |server: Server| self.kills[server as usize];
        writeln!(
            f,
            "\nkilled: broker {}, daemon {}, gateway {}",
            killed(Server::Broker),
            killed(Server::Daemon),
            killed(Server::Gateway)
        )?;
        let rows = [
            ("sent", self.sent),
            ("answered", self.answered),
            ("errors told", self.errors),
            ("inside a killed broker", self.in_killed_broker),
            ("SILENTLY LOST", self.silently_lost),
            ("scripts accepted", self.accepted),
            ("scripts run", self.ran),
            ("with a killed daemon", self.with_killed_daemon),
            ("ACCEPTED AND NOT RUN", self.not_run),
            ("told as unknown", self.unknown),
            ("  of these run", self.unknown_ran),
            ("REFUSED AND YET RUN", self.refused_but_ran),
            ("TOLD ANOTHER'S JOB", self.another_job),
            ("RUN TWICE", self.twice),
        ];
        for (name, number) in rows {
            writeln!(f, "{name:<24}{number:>8}")?;
        }
        writeln!(f, "{:<24}{:>8}", "answered once more", self.unasked)?;
        writeln!(f, "\nwhat clients were told:")?;
        for (sentence, times) in &self.sentences {
            writeln!(f, "{times:>8}  {sentence}")?;
        }
        Ok(())
    }
}
