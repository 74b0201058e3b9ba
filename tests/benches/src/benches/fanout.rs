//! What a script prints, to many subscribers of the socket: what each event costs, and that none is lost.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use patchbay_servers::{Nicos, to_stderr};

use crate::daemon::Daemon;
use crate::figure::{Bound, Figure, To};
use crate::line::Line;
use crate::{cost, gateway, say};

const LINES: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(120);
const SUBSCRIBERS: [usize; 3] = [0, 1, 100];

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let nicos = Nicos::start(&to_stderr)?;
    let backend = gateway::nicos(&nicos.address().to_string());
    let gateway = gateway::start(&[&backend, &gateway::socket("nicos")])?;
    let mut daemon = Daemon::login(nicos.address(), 1)?;
    let script = format!("for i in range({LINES}): print(i)\n");
    let mut spent = Figure::new(format!("{LINES} lines: CPU of the gateway"), "s");
    let mut each = Figure::new("CPU of each event and further subscriber", "µs");
    let mut told = Figure::new("events of each subscriber", "events");
    let mut lost = Figure::new("events lost", "events");
    for round in 1..=rounds {
        let mut alone = 0.0;
        for count in SUBSCRIBERS {
            say(&format!("{count} subscribers, round {round} of {rounds}"));
            // One more, so that the end is seen also where nobody subscribes.
            let witness = Line::login(&gateway)?;
            let lines = (0..count)
                .map(|_| Line::login(&gateway))
                .collect::<Result<Vec<_>>>()?;
            let before = cost::cpu(gateway.pid())?;
            let readers = lines
                .into_iter()
                .map(subscribe)
                .collect::<Result<Vec<_>>>()?;
            let job = daemon.queue(&script)?;
            let seen = readers
                .into_iter()
                .map(|reader| reader.join().map_err(|_| anyhow!("a reader broke"))?)
                .collect::<Result<Vec<Seen>>>()?;
            wait_for_end(witness, &job)?;
            let cpu = (cost::cpu(gateway.pid())?.saturating_sub(before)).as_secs_f64();
            let contender = subscribers(count);
            spent.add(&contender, cpu);
            if count == 1 {
                alone = cpu;
            }
            for seen in &seen {
                ensure!(
                    seen.lines + seen.lost >= LINES,
                    "a reader saw {} lines",
                    seen.lines
                );
            }
            if let Some(most) = seen
                .iter()
                .map(|seen| seen.events)
                .max()
                .filter(|_| count > 1)
            {
                let shares = (most * (count - 1)) as f64;
                each.add(&contender, (cpu - alone) * 1e6 / shares);
                told.add(&contender, most as f64);
                lost.add(&contender, seen.iter().map(|seen| seen.lost as f64).sum());
            }
        }
    }
    let many = subscribers(SUBSCRIBERS[2]);
    Ok(vec![
        spent.aim(&many, To::Itself, Bound::AtMost(3.0)),
        each.aim(&many, To::Itself, Bound::AtMost(1.0)),
        told,
        lost.aim(&many, To::Itself, Bound::AtMost(0.0)),
    ])
}

fn subscribers(count: usize) -> String {
    match count {
        1 => "1 subscriber".into(),
        _ => format!("{count} subscribers"),
    }
}

/// What a subscriber has seen.
struct Seen {
    events: usize,
    lines: usize,
    lost: usize,
}

fn subscribe(mut line: Line) -> Result<thread::JoinHandle<Result<Seen>>> {
    line.ask(r#"{"op":"subscribe"}"#)?;
    Ok(thread::spawn(move || follow(&mut line)))
}

/// Until the script has ended.
fn follow(line: &mut Line) -> Result<Seen> {
    let (mut events, mut lines, mut lost) = (0, 0, 0);
    let mut last = None;
    loop {
        let text = line.read()?;
        let seq = number_behind(text, "\"seq\":").context("an event without a number")?;
        lost += last.map_or(0, |last| (seq - 1).saturating_sub(last));
        last = Some(seq);
        events += 1;
        lines += usize::from(text.contains("\"kind\":\"log\""));
        if text.contains("\"state\":\"finished\"") {
            return Ok(Seen {
                events,
                lines,
                lost,
            });
        }
    }
}

fn number_behind(text: &str, name: &str) -> Option<usize> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Until the gateway knows that the script has ended.
fn wait_for_end(mut line: Line, job: &str) -> Result<()> {
    let ended = format!(r#""last":{{"id":"{job}""#);
    let begun = Instant::now();
    while !line
        .ask(r#"{"op":"status","args":{"fresh":true}}"#)?
        .contains(&ended)
    {
        ensure!(begun.elapsed() < LIMIT, "a script did not end");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_number_is_found() {
        assert_eq!(
            number_behind(r#"{"epoch":17,"seq":42,"t":1}"#, "\"seq\":"),
            Some(42)
        );
        assert_eq!(number_behind(r#"{"epoch":17}"#, "\"seq\":"), None);
    }
}
