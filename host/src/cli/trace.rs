//! `patchbay trace`: what crosses the boundary of a gateway that runs, as it happens.

use super::control::Which;
use crate::control::{Order, follow};
use crate::exit::Exit;
use crate::trace::{Filter, Line, Sight, What};
use clap::Args;
use std::io::Write;
use std::ops::ControlFlow;

/// What is to be seen.
#[derive(Args)]
pub(super) struct Trace {
    #[command(flatten)]
    which: Which,
    /// Only the client with this number; `patchbay sessions` says which.
    #[arg(long)]
    session: Option<u64>,
    /// Only this operation, or events of this kind.
    #[arg(long)]
    op: Option<String>,
    /// Only what concerns this backend.
    #[arg(long)]
    backend: Option<String>,
    /// Only what concerns this frontend; events for everybody concern none.
    #[arg(long)]
    frontend: Option<String>,
    /// Only events.
    #[arg(long, conflicts_with = "requests")]
    events: bool,
    /// Only requests and their answers.
    #[arg(long)]
    requests: bool,
    /// Of each body, so many bytes; 0 for none.
    #[arg(long, value_name = "BYTES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=65536))]
    bodies: u32,
}

impl Trace {
    pub(super) fn run(self) -> Exit {
        let state = match self.which.state() {
            Ok(state) => state,
            Err(exit) => return exit,
        };
        let json = self.which.json;
        let filter = Filter {
            session: self.session,
            op: self.op,
            backend: self.backend,
            frontend: self.frontend,
            requests: !self.events,
            events: !self.requests,
            bodies: self.bodies as usize,
        };
        let mut out = std::io::stdout();
        let show = |sight| {
            let line = match json {
                true => as_json(&sight),
                false => as_text(&sight),
            };
            // Whoever reads it may have had enough: `patchbay trace | head`.
            match line.map_or(Ok(()), |line| writeln!(out, "{line}")) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        match follow(&state, &Order::Trace(filter), show) {
            Ok(()) => Exit::Done,
            Err(why) => {
                eprintln!("error: {why}");
                Exit::Failed
            }
        }
    }
}

fn as_json(sight: &Sight) -> Option<String> {
    match sight {
        Sight::Line(line) => serde_json::to_string(line).ok(),
        Sight::Lost(lines) => Some(format!("{{\"lost\":{lines}}}")),
        Sight::Nothing => None,
    }
}

fn as_text(sight: &Sight) -> Option<String> {
    let text = match sight {
        Sight::Line(line) => of_line(line),
        Sight::Lost(lines) => format!("… {lines} lines were left out: they were not read in time"),
        Sight::Nothing => return None,
    };
    Some(text.replace(char::is_control, " "))
}

/// `14:02:11.125  #17  5 anna  status  local ← nicos  ok  1200 bytes  host 0.03 ms, backend 1.80 ms  {…}`
fn of_line(line: &Line) -> String {
    let mut parts = vec![clock(line.time)];
    parts.push(match line.request {
        0 => "–".to_owned(),
        request => format!("#{request}"),
    });
    parts.push(match (line.session, line.user.as_str()) {
        (0, "") => "–".to_owned(),
        (session, user) => format!("{session} {user}"),
    });
    let (frontend, backend) = (&line.frontend, &line.backend);
    let way = match line.what {
        What::Request => format!("{frontend} → {backend}"),
        What::Answer => format!("{frontend} ← {backend}"),
        What::Event if frontend.is_empty() => format!("event ← {backend}"),
        What::Event => format!("event for {frontend} ← {backend}"),
    };
    parts.extend([line.op.clone(), way]);
    parts.extend(line.outcome.clone());
    parts.push(format!("{} bytes", line.bytes));
    let ms = |seconds: f64| format!("{:.2} ms", seconds * 1000.0);
    let host = line.host_s.map(|host| format!("host {}", ms(host)));
    let backend = line.backend_s.map(|time| format!("backend {}", ms(time)));
    let times: Vec<String> = host.into_iter().chain(backend).collect();
    parts.extend((!times.is_empty()).then(|| times.join(", ")));
    parts.extend(line.reference.as_ref().map(|name| format!("as {name}")));
    parts.extend((!line.body.is_empty()).then(|| line.body.clone()));
    parts.join("  ")
}

/// The time of the day, UTC, as in the log.
fn clock(time: f64) -> String {
    let ms = (time * 1000.0) as u64 % 86_400_000;
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_what_where_how_long_and_cannot_paint_the_screen() {
        let line = Box::new(Line {
            time: 50_531.125,
            what: What::Answer,
            request: 17,
            session: 5,
            user: "an\u{1b}na".into(),
            op: "status".into(),
            frontend: "local".into(),
            backend: "nicos".into(),
            reference: None,
            bytes: 1200,
            body: "{}".into(),
            outcome: Some("ok".into()),
            host_s: Some(0.00003),
            backend_s: Some(0.0018),
        });
        assert_eq!(
            as_text(&Sight::Line(line)).unwrap(),
            "14:02:11.125  #17  5 an na  status  local ← nicos  ok  1200 bytes  host 0.03 ms, backend 1.80 ms  {}"
        );
        let lost = as_text(&Sight::Lost(120)).unwrap();
        assert!(lost.starts_with("… 120 lines were left out"), "{lost}");
        assert_eq!(as_text(&Sight::Nothing), None);
    }
}
