//! Messages on their way into the socket. Whoever delivers one writes it at once, on their own thread, if the socket
//! takes it; what it does not take waits, within limits, for a thread that does nothing else. Nobody who delivers
//! ever waits.

use super::Room;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Kind, Message, frame, head};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroize;

/// One direction of the socket, to be written.
pub(super) struct Outlet {
    socket: UnixStream,
    room: Room,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// What the socket has not taken yet.
#[derive(Default)]
struct Waiting {
    /// The first one, of which so many bytes are gone.
    begun: Option<(Frame, usize)>,
    urgent: VecDeque<Frame>,
    others: VecDeque<Frame>,
    bytes: usize,
    state: State,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// Takes nothing more; what waits is still written.
    Closing,
    /// Nothing can be written any more.
    Closed,
}

/// A message as bytes; they are wiped where they hold a secret.
struct Frame {
    bytes: Vec<u8>,
    secret: bool,
}

impl Drop for Frame {
    fn drop(&mut self) {
        if self.secret {
            self.bytes.zeroize();
        }
    }
}

impl Outlet {
    /// Of a socket; its thread ends when it is closed and nothing waits.
    pub(super) fn start(socket: UnixStream, room: Room) -> io::Result<Arc<Outlet>> {
        let outlet = Arc::new(Outlet {
            socket,
            room,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        });
        let writer = outlet.clone();
        let thread = std::thread::Builder::new().name("outlet".to_owned());
        thread.spawn(move || writer.write_what_waits())?;
        Ok(outlet)
    }

    /// Takes nothing more; the other side sees the end when it has read what was taken.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        if waiting.state == State::Open {
            waiting.state = State::Closing;
        }
        self.changed.notify_all();
    }

    /// Waits until all that was taken is written, but not for ever.
    pub(super) fn drain(&self, within: Duration) {
        let waiting = self.lock();
        let waits = |waiting: &mut Waiting| waiting.state != State::Closed && !waiting.is_empty();
        // Whether it came to that makes no difference: the process ends.
        drop(self.changed.wait_timeout_while(waiting, within, waits));
    }

    fn write_what_waits(&self) {
        let mut waiting = self.lock();
        loop {
            match waiting.write(&self.socket) {
                Ok(()) if waiting.is_empty() => self.changed.notify_all(),
                Ok(()) => {
                    drop(waiting);
                    self.wait_for_room();
                    waiting = self.lock();
                    continue;
                }
                Err(_) => waiting.state = State::Closed,
            }
            if waiting.state != State::Open {
                break;
            }
            let idle = |waiting: &mut Waiting| waiting.state == State::Open && waiting.is_empty();
            waiting = self
                .changed
                .wait_while(waiting, idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.state = State::Closed;
        self.changed.notify_all();
        // It may be gone already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    fn wait_for_room(&self) {
        let mut polled = [PollFd::new(&self.socket, PollFlags::OUT)];
        // An interruption is looked into by the next attempt to write.
        let _ = poll(&mut polled, None);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deliver for Outlet {
    fn deliver(&self, message: Message) -> Delivery {
        let urgent = is_urgent(&message);
        let must = urgent || !can_be_refused(message.kind);
        let most = self.room.backlog(must);
        // Looked at beforehand too: what finds no room is tried again and again, and should cost little.
        if self.lock().is_over(message.weight(), most) {
            return Delivery::Refused;
        }
        let Ok(bytes) = frame::encode(&message, self.room.frame()) else {
            return Delivery::Refused;
        };
        let secret = message.secret.is_some();
        let frame = Frame { bytes, secret };
        let mut waiting = self.lock();
        if waiting.state != State::Open {
            return Delivery::Closed;
        }
        if waiting.is_empty() {
            waiting.bytes = frame.bytes.len();
            waiting.begun = Some((frame, 0));
            if waiting.write(&self.socket).is_err() {
                waiting.state = State::Closed;
                self.changed.notify_all();
                return Delivery::Closed;
            }
        } else {
            if waiting.is_over(frame.bytes.len(), most) {
                return Delivery::Refused;
            }
            waiting.bytes += frame.bytes.len();
            match urgent {
                true => waiting.urgent.push_back(frame),
                false => waiting.others.push_back(frame),
            }
        }
        if !waiting.is_empty() {
            self.changed.notify_all();
        }
        Delivery::Taken
    }
}

impl Waiting {
    /// Whether that many bytes more would be too many, behind what waits.
    fn is_over(&self, bytes: usize, most: usize) -> bool {
        self.state == State::Open && !self.is_empty() && self.bytes.saturating_add(bytes) > most
    }

    fn is_empty(&self) -> bool {
        self.begun.is_none()
    }

    /// Writes as much as the socket takes now.
    fn write(&mut self, socket: &UnixStream) -> io::Result<()> {
        while let Some((frame, gone)) = &mut self.begun {
            match send(
                socket,
                frame.bytes.get(*gone..).unwrap_or_default(),
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            ) {
                Ok(written) => *gone += written,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if *gone >= frame.bytes.len() {
                self.bytes = self.bytes.saturating_sub(frame.bytes.len());
                let next = self.urgent.pop_front().or_else(|| self.others.pop_front());
                self.begun = next.map(|frame| (frame, 0));
            }
        }
        Ok(())
    }
}

/// Whether it goes before everything else.
fn is_urgent(message: &Message) -> bool {
    message.kind == Kind::CALL
        && message
            .read_head::<head::Call>()
            .is_ok_and(|call| call.urgent)
}

/// Whether somebody is told, or it is told later, when it finds no room.
fn can_be_refused(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CALL | Kind::LOGIN | Kind::EVENT | Kind::LOG | Kind::METRIC
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use super::super::inlet::Inlet;
    use super::*;

    const ROOM: Room = Room { body_bytes: 1024 };

    fn call(id: u64, urgent: bool, bytes: usize) -> Message {
        let head = head::Call {
            urgent,
            ..head::Call::default()
        };
        Message::new(Kind::CALL, id, &head).body("x".repeat(bytes))
    }

    fn pair() -> (Arc<Outlet>, Inlet) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Outlet::start(ours, ROOM).unwrap(), Inlet::new(theirs, ROOM))
    }

    #[test]
    fn what_the_other_side_does_not_read_is_refused_at_last_and_all_that_was_taken_arrives_in_order()
     {
        let (outlet, mut inlet) = pair();
        let mut taken = 0;
        while outlet.deliver(call(taken, false, 1000)) == Delivery::Taken {
            taken += 1;
            assert!(taken < 100_000, "it takes without end");
        }
        // What must not be lost finds room yet; an emergency goes before what waits.
        let stop = outlet.deliver(Message::bare(Kind::STOP, 0));
        let emergency = outlet.deliver(call(u64::MAX, true, 10));
        assert_eq!((stop, emergency), (Delivery::Taken, Delivery::Taken));
        outlet.close();
        assert_eq!(
            outlet.deliver(Message::bare(Kind::PING, 0)),
            Delivery::Closed
        );
        let (mut ids, mut place) = (Vec::new(), None);
        while let Some(message) = inlet.next().unwrap() {
            match (message.kind, message.id) {
                (Kind::CALL, u64::MAX) => place = Some(ids.len()),
                (_, id) => ids.push(id),
            }
        }
        let expected: Vec<u64> = (0..taken).chain([0]).collect();
        assert_eq!(ids, expected);
        assert!(
            place.is_some_and(|place| place < ids.len() - 10),
            "{place:?}"
        );
    }

    #[test]
    fn what_is_too_large_for_a_frame_is_refused_and_a_side_that_is_gone_is_closed() {
        let (outlet, inlet) = pair();
        let large = call(1, false, ROOM.frame());
        assert_eq!(outlet.deliver(large), Delivery::Refused);
        assert_eq!(outlet.deliver(call(2, false, 10)), Delivery::Taken);
        drop(inlet);
        assert_eq!(outlet.deliver(call(3, false, 10)), Delivery::Closed);
    }
}
