//! One connection: CONNECT with a deadline, reading with a watch on the broker's heart-beats, the writer task.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::Decoder;

use super::codec::GuardCodec;
use super::error::LinkError;
use super::frame::ServerEvent;
use super::heartbeat::HeartBeat;
use super::outgoing::Outgoing;
use super::quickack;
use super::target::Target;

/// How long a frame that looks complete may stay doubtful, see [`super::scan`].
const DOUBT: Duration = Duration::from_secs(3);
/// Room asked for before each read.
const READ: usize = 64 << 10;

/// The reading half. Dropping it ends the connection.
#[derive(Debug)]
pub struct Incoming {
    socket: OwnedReadHalf,
    codec: GuardCodec,
    buffer: BytesMut,
    heard: Instant,
    patience: Option<Duration>,
    doubt: Option<Instant>,
    stuck: watch::Receiver<Option<Duration>>,
    writer: JoinHandle<()>,
    server: Option<String>,
}

/// Connects and logs in.
///
/// # Errors
/// [`LinkError`]; never later than `target.connect_timeout`.
pub async fn open(target: &Target) -> Result<(Incoming, Outgoing), LinkError> {
    let late = || LinkError::Silent(target.connect_timeout);
    timeout(target.connect_timeout, handshake(target))
        .await
        .map_err(|_| late())?
}

impl Incoming {
    /// The next event but heart-beats. Cancel-safe.
    ///
    /// # Errors
    /// [`LinkError`]: the connection has ended.
    pub async fn next(&mut self) -> Result<ServerEvent, LinkError> {
        loop {
            match self.codec.decode(&mut self.buffer)? {
                Some(ServerEvent::HeartBeat) => {}
                Some(event) => {
                    self.doubt = None;
                    return Ok(event);
                }
                None => self.fill().await?,
            }
        }
    }

    /// What the broker calls itself.
    pub fn server(&self) -> &str {
        self.server.as_deref().unwrap_or("unknown")
    }

    async fn fill(&mut self) -> Result<(), LinkError> {
        // Counts from when the doubt arose; heart-beats that come meanwhile do not prolong it.
        let doubt = self
            .codec
            .is_doubtful()
            .then(|| self.doubt.unwrap_or_else(|| Instant::now() + DOUBT));
        self.doubt = doubt;
        let silence = self.patience.map(|patience| self.heard + patience);
        self.buffer.reserve(READ);
        quickack::arm(&self.socket);
        tokio::select! {
            read = self.socket.read_buf(&mut self.buffer) => {
                if read? == 0 {
                    return Err(self.end());
                }
                self.heard = Instant::now();
            }
            () = at(doubt) => {
                self.codec.believe_nul();
                self.doubt = None;
            }
            () = at(silence) => return Err(LinkError::NoHeartBeat(self.patience.unwrap_or_default())),
            Ok(()) = self.stuck.changed() => return Err(self.end()),
        }
        Ok(())
    }

    fn end(&self) -> LinkError {
        (*self.stuck.borrow()).map_or(LinkError::Closed, LinkError::NotReading)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn handshake(target: &Target) -> Result<(Incoming, Outgoing), LinkError> {
    let connect = target.connect_frame()?;
    let stream = TcpStream::connect(&target.address)
        .await
        .map_err(LinkError::Connect)?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    tokio::io::AsyncWriteExt::write_all(&mut writer, &connect).await?;
    let mut codec = GuardCodec::new(target.limits);
    let mut buffer = BytesMut::new();
    let (heart_beat, server) = connected(&mut reader, &mut codec, &mut buffer).await?;
    let agreed = HeartBeat::agree(target.heart_beat, heart_beat.as_deref());
    let (outgoing, task, stuck) =
        Outgoing::start(writer, agreed.beat_every(), target.write_timeout);
    let incoming = Incoming {
        socket: reader,
        codec,
        buffer,
        heard: Instant::now(),
        patience: agreed.patience(),
        doubt: None,
        stuck,
        writer: tokio::spawn(task.run()),
        server,
    };
    Ok((incoming, outgoing))
}

async fn connected(
    reader: &mut OwnedReadHalf,
    codec: &mut GuardCodec,
    buffer: &mut BytesMut,
) -> Result<(Option<String>, Option<String>), LinkError> {
    loop {
        match codec.decode(buffer)? {
            Some(ServerEvent::Connected { heart_beat, server }) => return Ok((heart_beat, server)),
            Some(ServerEvent::Error(error)) => return Err(LinkError::Refused(error.message)),
            Some(ServerEvent::HeartBeat) => {}
            Some(ServerEvent::Unusable { reason, .. }) => return Err(LinkError::NotStomp(reason)),
            Some(_) => return Err(LinkError::NotStomp("another frame".into())),
            None if reader.read_buf(buffer).await? == 0 => return Err(LinkError::Closed),
            None => {}
        }
    }
}
