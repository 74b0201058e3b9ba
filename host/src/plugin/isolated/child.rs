//! The child: it runs one instance of one plugin, as `patchbay plugin-host`.

use super::inlet::Inlet;
use super::outlet::Outlet;
use super::{LOADED, Room, THREADS, failed};
use crate::exit::Exit;
use crate::metrics::EVENTS_DROPPED;
use crate::plugin::Plugin;
use crate::plugin::trust::Digest;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpid, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How long it may take to end when the gateway is gone.
const ORPHANED: Duration = Duration::from_secs(1);

/// How long the last messages may take to leave.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Runs an instance of the plugin that was handed over as standard output, for whoever is at the other end of standard input.
pub fn run(path: &Path, digest: Digest, instance: &str, room: Room) -> Exit {
    match inherit().and_then(|inherited| begin(inherited, path, digest, instance, room)) {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("error: this is for the gateway itself, which starts it: {error}");
            Exit::Failed
        }
    }
}

/// Takes what was handed over; whatever the plugin reads or prints there goes nowhere, or to the log.
fn inherit() -> io::Result<(UnixStream, File)> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((socket, file))
}

fn begin(
    (socket, file): (UnixStream, File),
    path: &Path,
    digest: Digest,
    instance: &str,
    room: Room,
) -> io::Result<()> {
    // They are sent to everything that belongs to a service; the gateway ends it in order.
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    die_with_the_gateway(socket.try_clone()?)?;
    let inlet = Inlet::new(socket.try_clone()?, room);
    let outlet = Outlet::start(socket, room)?;
    match Plugin::load_handed(file, path, digest) {
        Ok(plugin) => {
            let schema = plugin.schema.to_string();
            outlet.deliver(Message::bare(LOADED, 0).body(schema));
            serve(&plugin, instance, inlet, &outlet, room);
        }
        Err(why) => _ = outlet.deliver(failed(why)),
    }
    outlet.drain(LAST_WORDS);
    Ok(())
}

/// Kills this process, and what the plugin has started, when nobody is at the other end any more; whatever the plugin is
/// doing then.
fn die_with_the_gateway(socket: UnixStream) -> io::Result<()> {
    let watch = move || {
        loop {
            let mut polled = [PollFd::new(&socket, PollFlags::empty())];
            let found = poll(&mut polled, None);
            let gone = polled.iter().any(|one| !one.revents().is_empty());
            if found.is_ok() && gone {
                break;
            }
        }
        std::thread::sleep(ORPHANED);
        let _ = kill_process_group(getpid(), Signal::KILL);
    };
    let thread = std::thread::Builder::new().name("orphaned".to_owned());
    thread.spawn(watch).map(drop)
}

/// Hands on what the gateway says, until it says no more and the instance has ended.
fn serve(plugin: &Plugin, instance: &str, mut inlet: Inlet, outlet: &Arc<Outlet>, room: Room) {
    // Nothing is opened for whoever only wants to know the schema.
    let Ok(Some(first)) = inlet.next() else {
        return;
    };
    let (there, gone) = mpsc::channel();
    let host = Port::new(Gateway {
        outlet: outlet.clone(),
        room,
        lost: Lost::default(),
        _there: there,
    });
    let port = match plugin.open(instance, host) {
        Ok(port) => port,
        Err(why) => {
            outlet.deliver(failed(why));
            return;
        }
    };
    hand_on(&port, outlet, first);
    while let Ok(Some(message)) = inlet.next() {
        hand_on(&port, outlet, message);
    }
    drop(port);
    // Nothing is ever sent: it ends when the last of the instance's threads drops the gateway's port.
    let _ = gone.recv_timeout(THREADS);
}

/// Gives the instance a message. What it does not take is answered as the gateway would.
fn hand_on(port: &Port, outlet: &Outlet, message: Message) {
    let (kind, id) = (message.kind, message.id);
    if port.deliver(message) == Delivery::Taken {
        return;
    }
    match kind {
        Kind::CALL | Kind::LOGIN => {
            let text = "the plugin does not take it at present; try again in a moment";
            let fault = Fault::new(FaultKind::Unavailable, text);
            outlet.deliver(refused(id, fault));
        }
        Kind::START => _ = outlet.deliver(failed("it does not take its start")),
        _ => {}
    }
}

fn refused(id: u64, fault: Fault) -> Message {
    let head = head::Reply {
        fault: Some(fault),
        ..head::Reply::default()
    };
    Message::new(Kind::REPLY, id, &head)
}

/// The gateway, as the instance sees it.
struct Gateway {
    outlet: Arc<Outlet>,
    room: Room,
    /// What found no room and has not been told of.
    lost: Lost,
    _there: mpsc::Sender<()>,
}

impl Deliver for Gateway {
    fn deliver(&self, message: Message) -> Delivery {
        let (kind, id, weight) = (message.kind, message.id, message.weight());
        let delivery = self.outlet.deliver(message);
        match delivery {
            Delivery::Refused if kind == Kind::REPLY => {
                let limit = self.room.body_bytes;
                let fault = match weight > limit {
                    true => Fault::new(
                        FaultKind::TooLarge,
                        format!(
                            "an answer of {weight} bytes; the limit is {limit} (max_body_bytes)"
                        ),
                    ),
                    false => Fault::new(
                        FaultKind::UnknownOutcome,
                        "the answer found no room on its way from the plugin's process; look before you ask again",
                    ),
                };
                return self.outlet.deliver(refused(id, fault));
            }
            Delivery::Refused => self.lost.add(kind),
            Delivery::Taken => self.lost.tell(&self.outlet),
            _ => {}
        }
        delivery
    }
}

/// How many messages found no room and have not been told of. Of events their readers are told too.
#[derive(Default)]
struct Lost {
    events: AtomicU64,
    others: AtomicU64,
}

impl Lost {
    fn add(&self, kind: Kind) {
        let count = match kind {
            Kind::EVENT => &self.events,
            _ => &self.others,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn tell(&self, outlet: &Outlet) {
        for (counter, count) in [
            (EVENTS_DROPPED, &self.events),
            ("messages_dropped", &self.others),
        ] {
            if count.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let add = count.swap(0, Ordering::Relaxed);
            let head = head::Metric {
                counter: counter.to_owned(),
                add,
                ..head::Metric::default()
            };
            if outlet.deliver(Message::new(Kind::METRIC, 0, &head)) != Delivery::Taken {
                count.fetch_add(add, Ordering::Relaxed);
            }
        }
    }
}
