//! Instructions of the gateway for each request, counted by callgrind: the figure that does not depend on the machine.
//!
//! Two runs that differ in their number of requests only; the difference is the requests'.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::bare::Bare;
use crate::figure::Figure;
use crate::gateway::{self, SOCKET};
use crate::line::Line;
use crate::say;

const FEW: usize = 200;
const MANY: usize = 1_200;
const REQUESTS: [(&str, &str); 4] = [
    ("ping, which the frontend answers", r#"{"op":"ping"}"#),
    ("status, which the host answers", r#"{"op":"status"}"#),
    (
        "complete, which the backend answers",
        r#"{"op":"complete","args":{"line":"motor.po","word":"po"},"id":17}"#,
    ),
    (
        "eval, which is a change and noted as such",
        r#"{"op":"eval","args":{"code":"motor.position"},"id":1234567}"#,
    ),
];
const CALLGRIND: [&str; 3] = [
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
];

/// A count is a count, so that there is one round only.
pub fn run(_rounds: usize) -> Result<Vec<Figure>> {
    if !is_installed() {
        bail!("valgrind is missing; install it, as in `apt-get install valgrind`");
    }
    let mut figure = Figure::new(
        "a request over the socket to the echo backend",
        "instructions",
    );
    for (what, request) in REQUESTS {
        say(what);
        let (few, many) = (count(FEW, request)?, count(MANY, request)?);
        figure.add(what, (many - few) / (MANY - FEW) as f64);
    }
    Ok(vec![figure])
}

fn is_installed() -> bool {
    let version = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// All instructions of a gateway's life with so many requests.
fn count(requests: usize, request: &str) -> Result<f64> {
    let mut gateway = Bare::start(&CALLGRIND, &[gateway::ECHO, &gateway::socket("echo")])?;
    gateway.wait_for("\"ready\"")?;
    let mut line = Line::login_at(&gateway.folder().join(SOCKET))?;
    for _ in 0..requests {
        line.ask(request)?;
    }
    drop(line);
    gateway.ask_to_end()?;
    let said = gateway.wait_for("Collected :")?;
    collected(&said).with_context(|| format!("callgrind has said `{said}`"))
}

/// As in `==17== Collected : 123456`.
fn collected(line: &str) -> Option<f64> {
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_count_is_read() {
        assert_eq!(collected("==17== Collected : 123456\n"), Some(123_456.0));
        assert_eq!(collected("==17== Collected\n"), None);
    }
}
