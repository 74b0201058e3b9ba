//! The gateway's side: a port that leads into the child, and a thread that listens to it.

use super::inlet::Inlet;
use super::outlet::Outlet;
use super::process::{Process, Task};
use super::{GRACE, LOADED, Room, failed};
use crate::plugin::trust::Digest;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a child may take to load the plugin when it is only asked for the schema.
const TO_LOAD: Duration = Duration::from_secs(60);

/// What is asked for its schema is no instance; `ps` shows this in place of a name.
const NO_INSTANCE: &str = "schema";

/// What a schema is allowed to be, in bytes.
const LARGEST_SCHEMA: Room = Room {
    body_bytes: 4 * 1024 * 1024,
};

/// Opens an instance in a child, and says by which number that goes. It speaks to `host`, which is dropped when the child
/// is gone.
///
/// # Errors
/// A sentence, if there is no child.
pub(in crate::plugin) fn open(
    (file, path, digest): (&File, &Path, Digest),
    instance: &str,
    host: Port,
    room: Room,
) -> Result<(Port, u32), String> {
    let no_process = |error: io::Error| format!("no process of its own can be started: {error}");
    let task = Task {
        file,
        path,
        digest,
        instance,
        room,
    };
    let (process, socket) = Process::start(&task).map_err(no_process)?;
    let number = process.number();
    let begin = || {
        let inlet = Inlet::new(socket.try_clone()?, room);
        let outlet = Outlet::start(socket, room)?;
        let process = process.clone();
        let thread = std::thread::Builder::new().name(format!("of-{instance}"));
        let (there, listened) = (outlet.clone(), process.clone());
        let listening = thread.spawn(move || listen(inlet, &there, &listened, host));
        // Without its reader the child is of no use; the thread that writes to it must not stay either.
        listening.inspect_err(|_| outlet.close())?;
        Ok(Port::new(Child { outlet, process }))
    };
    let begun = begin();
    if begun.is_err() {
        process.kill();
        process.wait();
    }
    Ok((begun.map_err(no_process)?, number))
}

/// What a plugin says of an instance's configuration, asked in a child.
///
/// # Errors
/// A sentence: what the plugin says, or how the child ended.
pub(in crate::plugin) fn schema(
    file: &File,
    path: &Path,
    digest: Digest,
) -> Result<String, String> {
    let shown = path.display();
    let no_process = |error: io::Error| {
        format!("{shown}: no process can be started to ask it for its settings: {error}")
    };
    let task = Task {
        file,
        path,
        digest,
        instance: NO_INSTANCE,
        room: LARGEST_SCHEMA,
    };
    let (process, socket) = Process::start(&task).map_err(no_process)?;
    let mut inlet = Inlet::new(socket, LARGEST_SCHEMA);
    process.end_within(TO_LOAD);
    let said = inlet.next();
    drop(inlet);
    // It ends at once when it is let go of, or is killed with what it holds: it has done nothing yet.
    process.end_within(Duration::ZERO);
    let ended = process.wait();
    match said {
        Ok(Some(message)) if message.kind == LOADED => message
            .body
            .as_str()
            .map(str::to_owned)
            .map_err(|_| format!("{shown} describes its settings in what is no text")),
        Ok(Some(message)) if message.kind == Kind::FAILED => Err(fault_of(&message)),
        Ok(None) => Err(format!("{shown} cannot be loaded: {ended}")),
        Ok(Some(_)) => Err(format!(
            "{shown} cannot be loaded: its process says nonsense"
        )),
        Err(error) => Err(format!("{shown} cannot be loaded: {error}")),
    }
}

fn fault_of(message: &Message) -> String {
    let fault = message.read_head::<Fault>();
    fault.map_or_else(|_| "it did not say why".to_owned(), |fault| fault.message)
}

/// Where the instance takes messages. When nobody speaks to it any more, it ends.
struct Child {
    outlet: Arc<Outlet>,
    process: Arc<Process>,
}

impl Deliver for Child {
    fn deliver(&self, message: Message) -> Delivery {
        hand_over(&self.outlet, message)
    }
}

/// Gives the child a message. In place of an answer that is not taken it gets one that is: somebody there waits without end.
fn hand_over(outlet: &Outlet, message: Message) -> Delivery {
    let (kind, id) = (message.kind, message.id);
    match outlet.deliver(message) {
        Delivery::Refused if kind == Kind::REPLY => outlet.deliver(no_room(id)),
        delivery => delivery,
    }
}

fn no_room(id: u64) -> Message {
    let why =
        "the answer found no room on its way to the frontend's process; look before you ask again";
    let head = head::Reply {
        fault: Some(Fault::new(FaultKind::UnknownOutcome, why)),
        ..head::Reply::default()
    };
    Message::new(Kind::REPLY, id, &head)
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.let_go();
        self.outlet.close();
    }
}

/// Hands on what the instance says, until its process is gone.
fn listen(mut inlet: Inlet, outlet: &Outlet, process: &Arc<Process>, host: Port) {
    let mut has_said_its_end = false;
    let broken = loop {
        match inlet.next() {
            Ok(Some(message)) if message.kind == LOADED => {}
            Ok(Some(message)) => {
                has_said_its_end |= matches!(message.kind, Kind::STOPPED | Kind::FAILED);
                host.deliver(message);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let expected = has_said_its_end || process.is_let_go();
    outlet.close();
    process.end_within(if broken.is_some() {
        Duration::ZERO
    } else {
        GRACE
    });
    let ended = process.wait();
    if !expected {
        host.deliver(failed(match broken {
            Some(error) => format!("its process said nonsense and was ended: {error}"),
            None => ended,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn an_answer_that_is_not_taken_is_answered_all_the_same() {
        let room = Room { body_bytes: 10 };
        let (ours, theirs) = UnixStream::pair().unwrap();
        let outlet = Outlet::start(ours, room).unwrap();
        let mut inlet = Inlet::new(theirs, room);
        let reply = Message::new(Kind::REPLY, 7, &head::Reply::default());
        let long = reply.body(vec![b' '; 10_000_000]);
        assert_eq!(hand_over(&outlet, long), Delivery::Taken);
        let told = inlet.next().unwrap().unwrap();
        let head: head::Reply = told.read_head().unwrap();
        assert_eq!(told.id, 7);
        assert_eq!(head.fault.unwrap().kind, FaultKind::UnknownOutcome);
    }
}
