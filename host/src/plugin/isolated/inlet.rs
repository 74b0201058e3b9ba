//! Messages as they come out of the socket.

use super::Room;
use patchbay_abi::{Message, frame};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use zeroize::Zeroize;

/// What is read at once, at most, in bytes.
const CHUNK: usize = 64 * 1024;

/// More than this is given back when a large message was read, in bytes.
const KEPT: usize = 1024 * 1024;

/// One direction of the socket, to be read.
pub(super) struct Inlet {
    socket: UnixStream,
    limit: usize,
    buffer: Vec<u8>,
    /// What has been read and not yet been taken for a message lies between these.
    start: usize,
    end: usize,
}

impl Inlet {
    pub(super) fn new(socket: UnixStream, room: Room) -> Inlet {
        Inlet {
            socket,
            limit: room.frame(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// Waits for the next message; `None` at the end, also where that comes in the middle of one: the side that is
    /// gone wanted to say no more.
    ///
    /// # Errors
    /// If what came is no message, or the socket is broken.
    pub(super) fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            let read = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some((message, length)) =
                frame::decode(read, self.limit).map_err(io::Error::other)?
            {
                self.take(length, message.secret.is_some());
                return Ok(Some(message));
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self, length: usize, secret: bool) {
        let taken = self.start..self.start + length;
        self.start = taken.end;
        if let Some(bytes) = self.buffer.get_mut(taken).filter(|_| secret) {
            bytes.zeroize();
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.buffer.len() > KEPT && self.end - self.start < KEPT {
            self.buffer = self.buffer.split_off(self.start);
            (self.start, self.end) = (0, self.end - self.start);
            self.buffer.truncate(self.end);
            self.buffer.shrink_to_fit();
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            // Twice as much each time: it grows with what has really come, whatever the frame says of itself.
            let needed = (2 * self.end).max(self.end + CHUNK);
            if self.buffer.len() < needed {
                self.buffer.resize(needed, 0);
            }
        }
        loop {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.socket.read(free) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was written before the other side was killed has been read.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(0),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use super::*;
    use patchbay_abi::{Kind, Secret};
    use std::io::Write;

    const ROOM: Room = Room {
        body_bytes: 3_000_000,
    };

    #[test]
    fn messages_of_all_sizes_come_out_as_they_went_in_and_the_end_may_come_anywhere() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let sizes = [0, 1, 70_000, 0, 2_900_000, 5];
        let writer = std::thread::spawn(move || {
            for (id, size) in sizes.into_iter().enumerate() {
                let message = Message::bare(Kind::LOGIN, id as u64).body("x".repeat(size));
                let message = message.secret(Secret::new("s"));
                let bytes = frame::encode(&message, ROOM.frame()).unwrap();
                for part in bytes.chunks(99_999) {
                    ours.write_all(part).unwrap();
                }
            }
            ours.write_all(&[0, 0, 1]).unwrap();
        });
        let mut inlet = Inlet::new(theirs, ROOM);
        for (id, size) in sizes.into_iter().enumerate() {
            let message = inlet.next().unwrap().unwrap();
            assert_eq!((message.id, message.body.len()), (id as u64, size));
        }
        assert!(inlet.next().unwrap().is_none());
        writer.join().unwrap();
        assert!(inlet.buffer.len() <= KEPT, "{}", inlet.buffer.len());
    }

    #[test]
    fn what_is_no_message_or_announces_too_large_a_one_is_an_error() {
        for bytes in [[0xff; 8], [0, 0, 0, 1, 1, 1, 1, 1]] {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            ours.write_all(&bytes).unwrap();
            assert!(Inlet::new(theirs, ROOM).next().is_err(), "{bytes:?}");
        }
    }
}
