//! One connection to a 0MQ socket.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::zmtp::{
    Decoder, GREETING, Incoming, Kind, ZmtpError, encode, greeting, read_greeting, read_ready,
    ready,
};

/// As much is read at once.
const CHUNK: usize = 64 << 10;

/// Why a connection cannot be used, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The network's word.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The peer's bytes.
    #[error("{0}")]
    Zmtp(#[from] ZmtpError),
    /// It ended.
    #[error("it closed the connection")]
    Closed,
    /// Nothing came.
    #[error("it did not answer in time")]
    Silent,
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    read: BytesMut,
    decoder: Decoder,
}

impl Socket {
    /// Connects and shakes hands.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn connect(
        address: &str,
        kind: Kind,
        limit: usize,
        deadline: Duration,
    ) -> Result<Self, SocketError> {
        let connect = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut socket = Socket {
                stream,
                read: BytesMut::new(),
                decoder: Decoder::new(limit),
            };
            socket.shake_hands(kind).await?;
            Ok(socket)
        };
        timeout(deadline, connect)
            .await
            .unwrap_or(Err(SocketError::Silent))
    }

    async fn shake_hands(&mut self, kind: Kind) -> Result<(), SocketError> {
        self.stream.write_all(&greeting()).await?;
        let mut theirs = [0; GREETING];
        // What is no 0MQ socket may never send as much.
        self.stream.read_exact(&mut theirs[..1]).await?;
        if theirs[0] != 0xff {
            return Err(ZmtpError::NotZmtp.into());
        }
        self.stream.read_exact(&mut theirs[1..]).await?;
        read_greeting(&theirs)?;
        let ours = encode(&[&ready(kind)], true);
        self.stream.write_all(&ours).await?;
        match self.incoming().await? {
            Incoming::Command(body) => Ok(read_ready(kind, &body)?),
            Incoming::Message(_) => Err(ZmtpError::Garbage("a message before READY").into()),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The network's.
    pub async fn send(&mut self, frames: &[&[u8]]) -> Result<(), SocketError> {
        Ok(self.stream.write_all(&encode(frames, false)).await?)
    }

    /// The next message. If this future is dropped, nothing is lost.
    ///
    /// # Errors
    /// Why there will be none.
    pub async fn receive(&mut self) -> Result<Vec<Bytes>, SocketError> {
        loop {
            if let Incoming::Message(frames) = self.incoming().await? {
                return Ok(frames);
            }
            // Of commands after the handshake there is none that one would have to answer in ZMTP 3.0.
        }
    }

    /// Whether the peer has gone, or has said something unasked: then it cannot be asked anything.
    pub fn is_stale(&self) -> bool {
        if !self.read.is_empty() {
            return true;
        }
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            Ok(_) => true,
        }
    }

    async fn incoming(&mut self) -> Result<Incoming, SocketError> {
        loop {
            if let Some(incoming) = self.decoder.take(&mut self.read)? {
                return Ok(incoming);
            }
            self.read.reserve(CHUNK);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(SocketError::Closed);
            }
        }
    }
}
