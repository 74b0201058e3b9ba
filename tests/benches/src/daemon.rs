//! A client of the NICOS daemon without the gateway: bare frames, nothing decoded that need not be.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use patchbay_nicos::pickle::{Limits, decode};

const PATIENCE: Duration = Duration::from_secs(60);
const COMMAND: u8 = 0x05;
const ACK: u8 = 0x06;
const STX: u8 = 0x03;

/// The number of the daemon's event of a printed line, or of what it says itself.
const MESSAGE: u16 = 0x1001;
/// The number of its event of a script's end.
pub const DONE: u16 = 0x101c;

/// Whether an event is a line that a script has printed: its level is 20, while what the daemon says of a script has another.
pub fn is_line(kind: u16, payload: &[u8]) -> bool {
    kind == MESSAGE && payload.windows(2).any(|part| part == b"K\x14")
}

/// What the daemon can be told, by the numbers of its protocol.
#[derive(Debug, Clone, Copy)]
pub enum Command {
    /// Begins a script or queues it.
    Queue = 0x03,
    /// The value of an expression.
    Eval = 0x22,
    /// What `status` is made of.
    GetStatus = 0x42,
    /// Logs in.
    Authenticate = 0x64,
}

/// A connection for commands, logged in as `admin`, and the identity that its events go by.
pub struct Daemon {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    id: [u8; 16],
    reply: Vec<u8>,
}

impl Daemon {
    /// Connects and logs in.
    pub fn login(address: SocketAddr, number: u64) -> Result<Self> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let mut daemon = Self {
            stream: open(address, id)?,
            address,
            id,
            reply: Vec::new(),
        };
        daemon.reply()?;
        let fields = [("login", "admin"), ("passwd", "admin"), ("display", "")];
        daemon.ask(Command::Authenticate, &pickle_dict(&fields))?;
        Ok(daemon)
    }

    /// Tells it something; the payload of its reply, as it is.
    pub fn ask(&mut self, command: Command, payload: &[u8]) -> Result<&[u8]> {
        let mut frame = vec![COMMAND, 0, command as u8];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(payload);
        self.stream.get_mut().write_all(&frame)?;
        self.reply()
    }

    /// As [`Daemon::ask`]; how long it took, in µs.
    pub fn time(&mut self, command: Command, payload: &[u8]) -> Result<f64> {
        let begun = Instant::now();
        self.ask(command, payload)?;
        Ok(begun.elapsed().as_secs_f64() * 1e6)
    }

    /// Queues a script; its job.
    pub fn queue(&mut self, code: &str) -> Result<String> {
        let job = decode(
            self.ask(Command::Queue, &pickle_texts(&["bench", code]))?,
            &Limits::default(),
        )?;
        serde_json::from_str(job.to_json()?.get()).context("NICOS gave a script no id")
    }

    /// A second connection, on which the events come.
    pub fn events(&self) -> Result<Events> {
        Ok(Events(open(self.address, self.id)?))
    }

    fn reply(&mut self) -> Result<&[u8]> {
        let kind = read::<1>(&mut self.stream)?[0];
        self.reply.clear();
        if kind != ACK {
            let length = u32::from_be_bytes(read(&mut self.stream)?);
            self.reply.resize(length as usize, 0);
            self.stream.read_exact(&mut self.reply)?;
        }
        if !matches!(kind, ACK | STX) {
            bail!(
                "NICOS has refused: {}",
                String::from_utf8_lossy(&self.reply)
            );
        }
        Ok(&self.reply)
    }
}

/// A connection on which events come.
pub struct Events(BufReader<TcpStream>);

impl Events {
    /// The number of the next event's kind, and its payload.
    pub fn next(&mut self, payload: &mut Vec<u8>) -> Result<u16> {
        let [start, kind @ .., blobs, a, b, c, d] = read::<8>(&mut self.0)?;
        ensure!(
            start == STX && blobs == 0,
            "an event that no script of ours causes"
        );
        payload.resize(u32::from_be_bytes([a, b, c, d]) as usize, 0);
        self.0.read_exact(payload)?;
        Ok(u16::from_be_bytes(kind))
    }

    /// Whether nothing more has come yet.
    pub fn is_dry(&self) -> bool {
        self.0.buffer().is_empty()
    }
}

fn open(address: SocketAddr, id: [u8; 16]) -> Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&id)?;
    Ok(BufReader::with_capacity(1 << 16, stream))
}

fn read<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// No arguments.
pub const NOTHING: &[u8] = b"\x80\x02).";

/// Texts as arguments.
fn pickle_texts(texts: &[&str]) -> Vec<u8> {
    let mut pickle = b"\x80\x02(".to_vec();
    texts.iter().for_each(|text| pickle_text(&mut pickle, text));
    pickle.extend(b"t.");
    pickle
}

/// An expression, and that its value is wanted as it is, as arguments.
pub fn pickle_eval(expression: &str) -> Vec<u8> {
    let mut pickle = b"\x80\x02".to_vec();
    pickle_text(&mut pickle, expression);
    pickle.extend(b"\x89\x86.");
    pickle
}

/// A dict as the only argument.
fn pickle_dict(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (name, value) in fields {
        pickle_text(&mut pickle, name);
        pickle_text(&mut pickle, value);
    }
    pickle.extend(b"u\x85.");
    pickle
}

fn pickle_text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(pickle: &[u8]) -> Option<String> {
        let value = decode(pickle, &Limits::default()).ok()?;
        Some(value.to_json().ok()?.get().to_owned())
    }

    #[test]
    fn arguments_are_pickles_as_the_gateways_own_decoder_reads_them() {
        assert_eq!(json(NOTHING).as_deref(), Some("[]"));
        assert_eq!(
            json(&pickle_texts(&["a.py", "é"])).as_deref(),
            Some(r#"["a.py","é"]"#)
        );
        assert_eq!(
            json(&pickle_eval("1 + 1")).as_deref(),
            Some(r#"["1 + 1",false]"#)
        );
        let dict = pickle_dict(&[("login", "admin"), ("display", "")]);
        assert_eq!(
            json(&dict).as_deref(),
            Some(r#"[{"login":"admin","display":""}]"#)
        );
    }
}
