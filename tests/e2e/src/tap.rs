//! A way between two processes on which, at a chosen point of what they say, somebody is killed.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// In which direction bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From whoever connected.
    Up,
    /// To whoever connected.
    Down,
}

/// What has to pass by.
#[derive(Debug, Clone)]
pub struct Cue {
    way: Way,
    /// Empty: whatever comes next on the connection of the cue before.
    text: Vec<u8>,
}

impl Cue {
    /// Bytes with that text in them.
    pub fn new(way: Way, text: &str) -> Cue {
        let text = text.as_bytes().to_vec();
        Cue { way, text }
    }

    /// What comes next that way on the same connection.
    pub fn next(way: Way) -> Cue {
        Cue::new(way, "")
    }
}

/// When the blow falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The last cue's bytes do not arrive any more.
    Before,
    /// They have just arrived, and nothing can have been done with them.
    AtOnce,
    /// They have arrived a moment ago.
    After,
}

/// The receiver of the bytes gets as long to do something with them.
const AFTER: Duration = Duration::from_millis(10);

struct Trap {
    cues: VecDeque<Cue>,
    when: When,
    /// The connection of the cue before.
    connection: usize,
    spring: Box<dyn FnOnce() + Send>,
    sprung: Sender<()>,
}

type Armed = Arc<Mutex<Option<Trap>>>;

/// A way to a server; it lives as long as the process.
pub struct Tap {
    /// Where to connect.
    pub address: SocketAddr,
    armed: Armed,
    /// All that went up, piece after piece.
    up: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// A way to `server`, which may come and go.
    pub fn new(server: SocketAddr) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let armed = Armed::default();
        let trap = armed.clone();
        let up = Arc::<Mutex<Vec<u8>>>::default();
        let heard = up.clone();
        std::thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) {
                    pass(number, client, server, &trap, &heard);
                }
            }
        });
        Tap { address, armed, up }
    }

    /// Whether that has gone up, on any connection.
    pub fn heard(&self, text: &str) -> bool {
        let up = self.up.lock().unwrap();
        up.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }

    /// Does `blow` once when all the cues have passed one after the other. Says so then.
    pub fn arm(
        &self,
        cues: Vec<Cue>,
        when: When,
        blow: impl FnOnce() + Send + 'static,
    ) -> Receiver<()> {
        let (sprung, says) = channel();
        *self.armed.lock().unwrap() = Some(Trap {
            cues: cues.into(),
            when,
            connection: usize::MAX,
            spring: Box::new(blow),
            sprung,
        });
        says
    }
}

fn pass(
    number: usize,
    client: TcpStream,
    server: TcpStream,
    armed: &Armed,
    heard: &Arc<Mutex<Vec<u8>>>,
) {
    for (way, from, to) in [(Way::Up, &client, &server), (Way::Down, &server, &client)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        from.set_nodelay(true).unwrap();
        let (armed, heard) = (armed.clone(), heard.clone());
        std::thread::spawn(move || {
            let note = |bytes: &[u8]| match way {
                Way::Up => heard.lock().unwrap().extend_from_slice(bytes),
                Way::Down => {}
            };
            let _ = copy(number, way, &from, &to, &armed, note);
            // A process that dies closes both directions at once.
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
}

fn copy(
    number: usize,
    way: Way,
    mut from: &TcpStream,
    mut to: &TcpStream,
    armed: &Armed,
    note: impl Fn(&[u8]),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut seen = Vec::new();
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        note(&buffer[..length]);
        // What is sought may come in two pieces.
        seen.drain(..seen.len().saturating_sub(500));
        seen.extend_from_slice(&buffer[..length]);
        match step(number, way, &seen, armed) {
            Some(trap) if trap.when == When::Before => {
                (trap.spring)();
                let _ = trap.sprung.send(());
                return Ok(());
            }
            Some(trap) => {
                to.write_all(&buffer[..length])?;
                if trap.when == When::After {
                    std::thread::sleep(AFTER);
                }
                (trap.spring)();
                let _ = trap.sprung.send(());
            }
            None => to.write_all(&buffer[..length])?,
        }
    }
}

/// The trap, if these bytes were its last cue.
fn step(number: usize, way: Way, seen: &[u8], armed: &Armed) -> Option<Trap> {
    let mut armed = armed.lock().unwrap();
    let trap = armed.as_mut()?;
    let cue = trap.cues.front()?;
    let here = match &*cue.text {
        [] => trap.connection == number,
        text => seen.windows(text.len()).any(|bytes| bytes == text),
    };
    if cue.way != way || !here {
        return None;
    }
    trap.cues.pop_front();
    trap.connection = number;
    trap.cues.is_empty().then(|| armed.take()).flatten()
}
