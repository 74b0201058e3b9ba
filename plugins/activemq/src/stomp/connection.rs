//! One connection: CONNECT with a deadline, reading with a watch on the broker's heart-beats, the writer task.

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, split};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::Decoder;

use super::codec::GuardCodec;
use super::error::LinkError;
use super::frame::ServerEvent;
use super::heartbeat::HeartBeat;
use super::outgoing::Outgoing;
use super::quickack::QuickAck;
use super::target::Target;
use super::tls::Tls;

/// How long a frame that looks complete may stay doubtful, see [`super::scan`].
const DOUBT: Duration = Duration::from_secs(3);
/// After a silence that is too long, what lies in the socket gets this much time to be seen: it may be we who were held up.
const LAST_LOOK: Duration = Duration::from_millis(100);
/// What a TLS server's complaint about a client without TLS begins with.
const TLS_ALERT: u8 = 21;
/// Room asked for before each read.
const READ: usize = 64 << 10;

/// A connection's bytes, in the clear or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// The reading half. Dropping it ends the connection.
pub struct Incoming {
    socket: ReadHalf<Box<dyn Socket>>,
    codec: GuardCodec,
    buffer: BytesMut,
    heard: Instant,
    patience: Option<Duration>,
    doubt: Option<Instant>,
    stuck: watch::Receiver<Option<Duration>>,
    writer: JoinHandle<()>,
    greeting: Greeting,
}

/// What the broker says of itself and of the connection.
struct Greeting {
    heart_beat: Option<String>,
    server: Option<String>,
    session: Option<String>,
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
        self.greeting.server.as_deref().unwrap_or("unknown")
    }

    /// What the broker calls this connection.
    pub fn session(&self) -> Option<&str> {
        self.greeting.session.as_deref()
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
        // In this order: what flows without end must not keep a doubt for ever, and what was sent in time is no silence,
        // however late we come to read it.
        tokio::select! {
            biased;
            () = at(doubt) => {
                self.codec.believe_nul();
                self.doubt = None;
                Ok(())
            }
            read = self.socket.read_buf(&mut self.buffer) => {
                self.hear(read?)
            }
            () = at(silence) => self.look_once_more().await,
            Ok(()) = self.stuck.changed() => Err(self.end()),
        }
    }

    async fn look_once_more(&mut self) -> Result<(), LinkError> {
        let silent = |_| LinkError::NoHeartBeat(self.patience.unwrap_or_default());
        let read = timeout(LAST_LOOK, self.socket.read_buf(&mut self.buffer));
        let read = read.await.map_err(silent)??;
        self.hear(read)
    }

    fn hear(&mut self, bytes: usize) -> Result<(), LinkError> {
        if bytes == 0 {
            return Err(self.end());
        }
        self.heard = Instant::now();
        Ok(())
    }

    fn end(&self) -> LinkError {
        (*self.stuck.borrow()).map_or(LinkError::Closed, LinkError::NotReading)
    }
}

/// Without what was read.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("server", &self.server())
            .finish_non_exhaustive()
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
    let files = target.clone();
    let load = move || {
        let config = files.tls.as_ref().map(Tls::load).transpose()?;
        Ok::<_, LinkError>((files.connect_frame()?, config))
    };
    let (connect, config) = spawn_blocking(load)
        .await
        .map_err(std::io::Error::other)??;
    let socket = TcpStream::connect(&target.address).await;
    let socket = socket.map_err(LinkError::Connect)?;
    socket.set_nodelay(true)?;
    let socket = QuickAck::new(socket);
    let socket: Box<dyn Socket> = match (&target.tls, config) {
        (Some(tls), Some(config)) => Box::new(tls.wrap(config, target.host(), socket).await?),
        _ => Box::new(socket),
    };
    let (mut reader, mut writer) = split(socket);
    let mut codec = GuardCodec::new(target.limits);
    let mut buffer = BytesMut::new();
    // A broker that does not like our certificate says so only now.
    let explain = |error| match (&target.tls, error) {
        (Some(tls), LinkError::Io(error)) => tls.explain(error, target.host()),
        (_, error) => error,
    };
    let greeted = async {
        writer.write_all(&connect).await?;
        writer.flush().await?;
        connected(&mut reader, &mut codec, &mut buffer).await
    };
    let greeting = greeted.await.map_err(explain)?;
    let agreed = HeartBeat::agree(target.heart_beat, greeting.heart_beat.as_deref());
    let (outgoing, task, stuck) = Outgoing::start(writer, agreed.beat_every(), target);
    let incoming = Incoming {
        socket: reader,
        codec,
        buffer,
        heard: Instant::now(),
        patience: agreed.patience(),
        doubt: None,
        stuck,
        writer: tokio::spawn(task.run()),
        greeting,
    };
    Ok((incoming, outgoing))
}

async fn connected(
    reader: &mut ReadHalf<Box<dyn Socket>>,
    codec: &mut GuardCodec,
    buffer: &mut BytesMut,
) -> Result<Greeting, LinkError> {
    loop {
        if buffer.first() == Some(&TLS_ALERT) {
            return Err(LinkError::WantsTls);
        }
        match codec.decode(buffer)? {
            Some(ServerEvent::Connected {
                heart_beat,
                server,
                session,
            }) => {
                return Ok(Greeting {
                    heart_beat,
                    server,
                    session,
                });
            }
            Some(ServerEvent::Error(error)) => return Err(LinkError::Refused(error.message)),
            Some(ServerEvent::HeartBeat) => {}
            Some(ServerEvent::Unusable { reason, .. }) => return Err(LinkError::NotStomp(reason)),
            Some(_) => return Err(LinkError::NotStomp("another frame".into())),
            None if reader.read_buf(buffer).await? > 0 => {}
            None => return Err(LinkError::Closed),
        }
    }
}
