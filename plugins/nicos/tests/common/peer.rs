//! A scripted daemon: shakes hands properly and then answers as the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use patchbay_nicos::pickle::{Arg, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the scripted daemon saw, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// A client has logged in.
    Login,
    /// A command with this number arrived, and nothing else behind it.
    Command(u16),
    /// A command arrived while another one had not been answered.
    Pipelined,
    /// A command connection was closed by the client.
    Closed,
}

/// A step of an answer.
#[derive(Clone)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits, in milliseconds, and notes if the client says anything meanwhile.
    Wait(u64),
    /// Closes the connection.
    Close,
}

/// A reply with the number as its value.
pub fn number(value: u8) -> Vec<u8> {
    sized(0x03, &[0x80, 2, b'K', value, b'.'])
}

/// A refusal.
pub fn refusal(text: &str) -> Vec<u8> {
    let mut payload = vec![0x80, 2, b'X'];
    payload.extend((text.len() as u32).to_le_bytes());
    payload.extend(text.as_bytes());
    payload.push(b'.');
    sized(0x15, &payload)
}

/// The reply of a command that has nothing to say.
pub const ACK: [u8; 1] = [0x06];

pub fn sized(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &(payload.len() as u32).to_be_bytes(), payload].concat()
}

/// Its address, and what it sees. Each command takes the next answer; without one it is never answered.
pub struct Peer {
    pub address: String,
    pub seen: mpsc::UnboundedReceiver<Seen>,
}

/// What it answers: to commands, and to logins.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<std::vec::IntoIter<Vec<Step>>>>,
    logins: Arc<Mutex<std::vec::IntoIter<Vec<u8>>>>,
}

/// The reply that lets somebody in with this level.
pub fn level(level: u8) -> Vec<u8> {
    let payload = [
        b"\x80\x02}X\x0a\x00\x00\x00user_levelK",
        &[level][..],
        b"s.",
    ]
    .concat();
    sized(0x03, &payload)
}

/// Starts a scripted daemon that lets everybody in with level 10.
pub async fn peer(answers: Vec<Vec<Step>>) -> Peer {
    peer_of(Vec::new(), answers).await
}

/// Starts a scripted daemon that answers the first logins so, and all later ones with level 10.
pub async fn peer_of(logins: Vec<Vec<u8>>, answers: Vec<Vec<Step>>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, seen) = mpsc::unbounded_channel();
    let script = Script {
        answers: Arc::new(Mutex::new(answers.into_iter())),
        logins: Arc::new(Mutex::new(logins.into_iter())),
    };
    tokio::spawn(async move {
        let mut events = HashMap::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut identity = [0; 16];
            stream.read_exact(&mut identity).await.unwrap();
            // The second connection of an identity is its event connection, and only needs to stay open.
            match events.remove(&identity) {
                Some(()) => std::mem::forget(stream),
                None => {
                    events.insert(identity, ());
                    tokio::spawn(commands(stream, script.clone(), tell.clone()));
                }
            }
        }
    });
    Peer { address, seen }
}

/// Starts a listener that sends these bytes to whoever connects, and then is silent.
pub async fn greeter(greeting: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&greeting).await.unwrap();
            std::mem::forget(stream);
        }
    });
    address
}

async fn commands(mut stream: TcpStream, script: Script, tell: mpsc::UnboundedSender<Seen>) {
    stream.write_all(&banner()).await.unwrap();
    loop {
        let Some(code) = command(&mut stream).await else {
            let _ = tell.send(Seen::Closed);
            return;
        };
        match code {
            0x64 => {
                let reply = script.logins.lock().unwrap().next();
                let reply = reply.unwrap_or_else(|| level(10));
                stream.write_all(&reply).await.unwrap();
                let _ = tell.send(Seen::Login);
            }
            0x61 | 0x63 => stream.write_all(&ACK).await.unwrap(),
            code => {
                let _ = tell.send(Seen::Command(code));
                let steps = script
                    .answers
                    .lock()
                    .unwrap()
                    .next()
                    .unwrap_or(vec![Step::Wait(60_000)]);
                if !play(&mut stream, steps, &tell).await {
                    return;
                }
            }
        }
    }
}

async fn play(
    stream: &mut TcpStream,
    steps: Vec<Step>,
    tell: &mpsc::UnboundedSender<Seen>,
) -> bool {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
            }
            Step::Wait(milliseconds) => {
                let mut byte = [0; 1];
                let waited = tokio::time::sleep(std::time::Duration::from_millis(milliseconds));
                tokio::select! {
                    () = waited => {}
                    read = stream.peek(&mut byte) => match read {
                        Ok(1..) => drop(tell.send(Seen::Pipelined)),
                        _ => {
                            let _ = tell.send(Seen::Closed);
                            return false;
                        }
                    }
                }
            }
            Step::Close => return false,
        }
    }
    true
}

async fn command(stream: &mut TcpStream) -> Option<u16> {
    let (code, length) = header(stream).await.ok()?;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.ok()?;
    Some(code)
}

/// The number of the next command, and the length of its payload.
pub async fn header(stream: &mut TcpStream) -> std::io::Result<(u16, usize)> {
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    assert_eq!(header[0], 0x05, "a command begins with ENQ");
    let length = u32::from_be_bytes([header[3], header[4], header[5], header[6]]);
    Ok((u16::from_be_bytes([header[1], header[2]]), length as usize))
}

/// The greeting.
pub fn banner() -> Vec<u8> {
    let fields = [
        ("daemon_version", Arg::from("scripted")),
        ("pw_hashing", Arg::from("plain")),
        ("serializer", Arg::from("classic")),
        ("protocol_version", Arg::Int(24)),
    ];
    dict(fields.to_vec())
}

/// A reply with a dict as its value.
pub fn dict(fields: Vec<(&str, Arg)>) -> Vec<u8> {
    let fields = fields
        .into_iter()
        .map(|(key, value)| (Arg::from(key), value));
    // A tuple of one dict, of which the tuple is taken off.
    let tuple = encode(vec![Arg::Dict(fields.collect())]);
    let payload = [tuple.strip_suffix(b"\x85.").unwrap(), b"."].concat();
    sized(0x03, &payload)
}
