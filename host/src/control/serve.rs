//! The gateway's side.

use super::access::{self, Group};
use super::look_on::look_on;
use super::{
    Answer, Changed, ChangedStep, GatewayStatus, LONGEST_LINE, Order, StateFolder, socket_in,
};
use crate::audit::Line;
use crate::broker::Broker;
use crate::intents::prepare;
use crate::logging::level_of;
use crate::reload::{Done, Refusal, Reloader};
use socket2::{Domain, SockAddr, Type};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long an operator's command may take to say what it wants, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Commands that may wait while another one is answered.
const BACKLOG: i32 = 16;

/// Commands that can be carried out at one time; some wait for a drain, and `status` is wanted meanwhile.
const AT_ONCE: usize = 16;

/// The socket's file; removed when this is dropped.
pub struct Control {
    file: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Listens in the state directory, on a thread of its own, and on one for each operator's question.
/// The socket's file is closed to others, but for the members of `group`.
///
/// # Errors
/// A sentence that says why nobody can be listened to.
pub fn serve(
    name: &str,
    state: &Path,
    group: Option<&str>,
    broker: Arc<Broker>,
    reloader: Arc<Reloader>,
) -> Result<Control, String> {
    let file = socket_in(state);
    let group = group.map(access::group).transpose()?;
    prepare(state)?;
    let listener = access::let_in(state, group)
        .and_then(|()| listen(&file, group))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let desk = Arc::new(Desk {
        name: name.to_owned(),
        state: state.to_owned(),
        begun: Instant::now(),
        broker,
        reloader,
        talking: AtomicUsize::new(0),
    });
    let thread = std::thread::Builder::new().name("control".to_owned());
    thread
        .spawn(move || {
            for stream in listener.incoming() {
                if let Err(error) = stream.and_then(|stream| desk.receive(stream)) {
                    tracing::debug!(%error, "an operator's command broke off");
                }
            }
        })
        .map_err(|error| format!("no thread: {error}"))?;
    Ok(Control { file })
}

/// Listens at a file that only this user can reach, and the members of that group.
pub(crate) fn listen(file: &Path, group: Option<Group>) -> io::Result<UnixListener> {
    // One that nobody listens on any more was left behind by a gateway that was killed.
    if UnixStream::connect(file).is_ok() {
        return Err(io::Error::other("another process listens there already"));
    }
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Between the two nobody gets in: what is bound and does not listen refuses everybody.
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(file)?)?;
    access::restrict(file, group)?;
    socket.listen(BACKLOG)?;
    Ok(std::os::fd::OwnedFd::from(socket).into())
}

struct Desk {
    name: String,
    state: PathBuf,
    begun: Instant,
    broker: Arc<Broker>,
    reloader: Arc<Reloader>,
    /// Operators who are being answered.
    talking: AtomicUsize,
}

impl Desk {
    /// Answers an operator on a thread of its own.
    fn receive(self: &Arc<Self>, stream: UnixStream) -> io::Result<()> {
        if self.talking.fetch_add(1, Ordering::AcqRel) >= AT_ONCE {
            self.talking.fetch_sub(1, Ordering::AcqRel);
            let why = format!("{AT_ONCE} commands are being carried out; try again in a moment");
            return answer(&stream, &Answer::Refused(why));
        }
        let desk = self.clone();
        let work = move || {
            if let Err(error) = desk.talk(stream) {
                tracing::debug!(%error, "an operator's command broke off");
            }
            desk.talking.fetch_sub(1, Ordering::AcqRel);
        };
        let thread = std::thread::Builder::new().name("operator".to_owned());
        let begun = thread.spawn(work).map(drop);
        begun.inspect_err(|_| _ = self.talking.fetch_sub(1, Ordering::AcqRel))
    }

    fn talk(&self, stream: UnixStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        BufReader::new((&stream).take(LONGEST_LINE)).read_line(&mut line)?;
        let said = match serde_json::from_str(&line) {
            Ok(Order::Trace(filter)) => match self.broker.watch(filter) {
                Ok(watch) => {
                    answer(&stream, &Answer::Done)?;
                    return look_on(stream, watch);
                }
                Err(why) => Answer::Refused(why),
            },
            Ok(order) => {
                let noted = noted(&order, operator(&stream));
                let said = self.carry_out(order);
                if let Some(line) = noted {
                    self.broker.record_order(with_outcome(line, &said));
                }
                said
            }
            Err(error) => Answer::Refused(format!(
                "this gateway ({}) does not understand that: {error}",
                env!("CARGO_PKG_VERSION")
            )),
        };
        answer(&stream, &said)
    }

    fn carry_out(&self, order: Order) -> Answer {
        let changed = match &order {
            Order::Status => return Answer::Status(self.status()),
            Order::Sessions => return Answer::Sessions(self.broker.sessions()),
            // It is not done at once; see above.
            Order::Trace(_) => return Answer::Done,
            Order::Levels => return Answer::Levels(self.broker.levels()),
            Order::Level { who, level } => {
                level_of(level).and_then(|level| self.broker.set_level(who, level))
            }
            Order::Route {
                frontend,
                backend,
                when_idle,
            } => match when_idle {
                true => self.broker.route_when_idle(frontend, backend),
                false => self.broker.route(frontend, backend),
            },
            Order::Restart { instance } => self.reloader.restart(instance),
            Order::Reload { dry_run, colours } => {
                let outcome = self.reloader.reload(*dry_run);
                return changed(outcome, *colours, *dry_run);
            }
            Order::RenewPlugin { plugin, colours } => {
                return changed(self.reloader.renew(plugin), *colours, false);
            }
        };
        match changed {
            Ok(()) => {
                tracing::info!(?order, "done, as an operator wants");
                Answer::Done
            }
            Err(why) => Answer::Refused(why),
        }
    }

    fn status(&self) -> GatewayStatus {
        GatewayStatus {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            up_s: self.begun.elapsed().as_secs(),
            memory_bytes: crate::metrics::memory_of(std::process::id()),
            state: StateFolder::look(&self.state),
            instances: self.broker.instances(),
        }
    }
}

/// What goes to the audit log of an order that changes something.
fn noted(order: &Order, operator: Option<String>) -> Option<Line> {
    let (op, about) = match order {
        Order::Status | Order::Sessions | Order::Trace(_) | Order::Levels => return None,
        Order::Reload { dry_run: true, .. } => return None,
        Order::Level { who, level } => ("patchbay log-level", format!("{who} {level}")),
        Order::Route {
            frontend,
            backend,
            when_idle,
        } => {
            let when = if *when_idle { " --when-idle" } else { "" };
            ("patchbay route", format!("{frontend} {backend}{when}"))
        }
        Order::Restart { instance } => ("patchbay restart", instance.clone()),
        Order::Reload { .. } => ("patchbay reload", String::new()),
        Order::RenewPlugin { plugin, .. } => ("patchbay plugin reload", plugin.clone()),
    };
    Some(Line {
        user: operator,
        client: Some("control socket".to_owned()),
        about: Some(about).filter(|about| !about.is_empty()),
        ..Line::new(op, "done")
    })
}

fn with_outcome(line: Line, said: &Answer) -> Line {
    let failed = match said {
        Answer::Refused(_) | Answer::Mistakes(_) => true,
        Answer::Changed(changed) => changed.steps.iter().any(|step| step.failed.is_some()),
        _ => false,
    };
    let outcome = if failed { "failed" } else { "done" };
    // The time is that of the end.
    let now = Line::new(&line.op, outcome);
    Line {
        time: now.time,
        outcome: now.outcome,
        ..line
    }
}

/// The number of the user who speaks, as the system says.
#[cfg(target_os = "linux")]
fn operator(stream: &UnixStream) -> Option<String> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(format!("uid {}", peer.uid.as_raw()))
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
fn operator(_stream: &UnixStream) -> Option<String> {
    None
}

fn answer(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn changed(outcome: Result<Done, Refusal>, colours: bool, dry_run: bool) -> Answer {
    match outcome {
        Ok((report, warnings)) => {
            if !dry_run {
                report.log();
            }
            let steps = report.steps.into_iter().map(|step| ChangedStep {
                what: step.what,
                failed: step.failed,
            });
            Answer::Changed(Changed {
                steps: steps.collect(),
                warnings: warnings.render(colours),
            })
        }
        Err(Refusal::Mistakes(mistakes)) => Answer::Mistakes(mistakes.render(colours)),
        Err(Refusal::Because(why)) => Answer::Refused(why),
    }
}
