//! Stands in for an RE Manager, and does what a real one never would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use patchbay_queueserver::zmtp::{Decoder, Incoming, encode, greeting};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a request.
pub enum Deed {
    /// Answers with this.
    Answer(Value),
    /// Sends these bytes.
    Raw(Vec<u8>),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Closes the connection.
    Close,
}

/// A peer that listens until it is dropped.
pub struct Peer {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Script = Arc<dyn Fn(&Value) -> Deed + Send + Sync>;

/// A REP socket that does with each request what the script says.
pub async fn rep(script: impl Fn(&Value) -> Deed + Send + Sync + 'static) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let (script, count): (Script, _) = (Arc::new(script), Arc::clone(&connections));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(stream, Arc::clone(&script)));
        }
    });
    Peer {
        address,
        connections,
        task,
    }
}

/// Sends these bytes to whoever connects, and keeps the connection.
pub async fn blurt(bytes: Vec<u8>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let task = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(&bytes).await;
            kept.push(stream);
        }
    });
    Peer {
        address,
        connections,
        task,
    }
}

/// The handshake of a socket of that name.
pub fn hello(socket: &str) -> Vec<u8> {
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend_from_slice(&(socket.len() as u32).to_be_bytes());
    ready.extend_from_slice(socket.as_bytes());
    [greeting().to_vec(), encode(&[&ready], true)].concat()
}

async fn serve(mut stream: TcpStream, script: Script) {
    let mut skipped = [0; 64];
    stream.write_all(&hello("REP")).await.unwrap();
    if stream.read_exact(&mut skipped).await.is_err() {
        return;
    }
    let (mut decoder, mut read) = (Decoder::new(1 << 20), BytesMut::new());
    loop {
        while let Some(incoming) = decoder.take(&mut read).unwrap() {
            let Incoming::Message(frames) = incoming else {
                continue;
            };
            assert!(frames.len() == 2 && frames[0].is_empty(), "as a REQ sends");
            let request = serde_json::from_slice(&frames[1]).unwrap();
            match script(&request) {
                Deed::Answer(value) => {
                    let answer = encode(&[b"", value.to_string().as_bytes()], false);
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
                Deed::Raw(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                }
                Deed::Silence => {}
                Deed::Close => return,
            }
        }
        if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
            return;
        }
    }
}
