//! One login at the daemon.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use patchbay_sdk::{Fault, FaultKind, Secret};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_util::codec::Framed;

use super::decode::{decode, refusal_text};
use crate::auth;
use crate::banner::Banner;
use crate::config::Settings;
use crate::event;
use crate::frame::{CommandCodec, CommandFrame, FrameError, ReplyFrame};
use crate::pickle::{Arg, encode};
use crate::verb::{self, Verb};

/// The daemon may lose its accept loop if a client goes away sooner after its event connection has opened.
const SETTLE: Duration = Duration::from_secs(1);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password.
    pub secret: Secret,
}

/// What the daemon said at the start of a connection.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// Its banner, read.
    pub banner: Banner,
    /// Its banner as it came.
    pub banner_json: Box<RawValue>,
    /// What the login may do: 0 guest, 10 user, 20 admin.
    pub user_level: i64,
}

/// A login at the daemon, ready for commands.
#[derive(Debug)]
pub struct Link {
    commands: Framed<TcpStream, CommandCodec>,
    identity: [u8; 16],
    greeting: Greeting,
    events_opened: Option<Instant>,
}

#[derive(Deserialize)]
struct Authenticated {
    user_level: i64,
}

/// Connects and reads the banner, without logging in: whether a daemon is there, and which.
///
/// # Errors
/// As [`Link::open`].
pub async fn greet(settings: &Settings) -> Result<(Banner, Box<RawValue>), Fault> {
    within(settings, connect(settings))
        .await
        .map(|(_, _, banner, json)| (banner, json))
}

impl Link {
    /// Connects, logs in and masks the events not wanted. The event connection is still to be opened.
    ///
    /// # Errors
    /// `Unavailable` if there is no daemon or it does not answer in time, `Unauthorized` if it refuses the login,
    /// `Unsupported` if it is one that cannot be spoken to.
    pub async fn open(
        settings: &Settings,
        account: &Account,
        reads_events: bool,
    ) -> Result<Self, Fault> {
        within(settings, Self::establish(settings, account, reads_events)).await
    }

    async fn establish(
        settings: &Settings,
        account: &Account,
        reads_events: bool,
    ) -> Result<Self, Fault> {
        let (mut commands, identity, banner, banner_json) = connect(settings).await?;
        let credentials =
            auth::credentials(&account.user, &account.secret, &banner, settings.password)?;
        let credentials = Bytes::copy_from_slice(&credentials);
        let user_level = match exchange(&mut commands, verb::AUTHENTICATE, credentials).await {
            Ok(ReplyFrame::Value(payload)) => level(payload, settings).await?,
            Ok(ReplyFrame::Refused(payload)) => {
                return Err(refused(&refusal_text(&payload)));
            }
            // Before authentication the daemon closes without a word when it cannot decrypt the password.
            Ok(_) | Err(_) => {
                return Err(unavailable(
                    settings,
                    "the daemon closed the connection at login",
                ));
            }
        };
        let masked = event::masked(reads_events, &settings.events_off);
        let masked = Arg::List(masked.into_iter().map(Arg::Text).collect());
        let mask = Bytes::from(encode(vec![masked]));
        exchange(&mut commands, verb::EVENTMASK, mask)
            .await
            .map_err(|error| unavailable(settings, &error.to_string()))?;
        let greeting = Greeting {
            banner,
            banner_json,
            user_level,
        };
        Ok(Self {
            commands,
            identity,
            greeting,
            events_opened: None,
        })
    }

    /// What the daemon said.
    #[must_use]
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Opens the event connection, from the same local address: the daemon tells clients by address and identity.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be opened.
    pub async fn open_events(&mut self, settings: &Settings) -> Result<TcpStream, Fault> {
        let opening = async {
            let stream = self.commands.get_ref();
            connect_from(stream.local_addr()?, stream.peer_addr()?, &self.identity).await
        };
        let stream = within(settings, async {
            opening
                .await
                .map_err(|error| unavailable(settings, &error.to_string()))
        });
        let stream = stream.await?;
        self.events_opened = Some(Instant::now());
        Ok(stream)
    }

    /// Sends a command and waits for its reply, both of a reply that comes twice.
    ///
    /// # Errors
    /// When the connection fails; it is then of no further use.
    pub(super) async fn call(&mut self, verb: Verb, args: Bytes) -> Result<ReplyFrame, FrameError> {
        let reply = exchange(&mut self.commands, verb, args).await?;
        if let ReplyFrame::Refused(payload) = &reply
            && verb.answers_twice(&refusal_text(payload))
        {
            next(&mut self.commands).await?;
        }
        Ok(reply)
    }

    /// Waits until the daemon closes the command connection or says something unasked, which puts it out of step.
    pub(super) async fn lost(&mut self) -> String {
        match next(&mut self.commands).await {
            Ok(_) => "the daemon sent a reply that nobody had asked for".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Says farewell in the way that the daemon survives: not too soon, and without a reset. Takes up to three seconds.
    pub async fn close(mut self) {
        if let Some(opened) = self.events_opened {
            tokio::time::sleep_until(opened + SETTLE).await;
        }
        let farewell = exchange(
            &mut self.commands,
            verb::QUIT,
            Bytes::from(encode(Vec::new())),
        );
        let _ = timeout(FAREWELL, farewell).await;
        let _ = self.commands.get_mut().shutdown().await;
    }

    /// Gives up a connection that is out of step. What is still under way is read and thrown away, because closing a
    /// socket with unread bytes resets the connection.
    pub(super) async fn abandon(mut self) {
        if let Some(opened) = self.events_opened {
            tokio::time::sleep_until(opened + SETTLE).await;
        }
        let stream = self.commands.get_mut();
        let _ = stream.shutdown().await;
        let mut scrap = [0; 4096];
        let drain = async {
            while matches!(
                tokio::io::AsyncReadExt::read(stream, &mut scrap).await,
                Ok(1..)
            ) {}
        };
        let _ = timeout(FAREWELL, drain).await;
    }
}

type Connected = (
    Framed<TcpStream, CommandCodec>,
    [u8; 16],
    Banner,
    Box<RawValue>,
);

async fn connect(settings: &Settings) -> Result<Connected, Fault> {
    let unreachable = |error: std::io::Error| unavailable(settings, &error.to_string());
    let identity = fastrand::u128(..).to_be_bytes();
    let mut stream = TcpStream::connect(&settings.address)
        .await
        .map_err(unreachable)?;
    stream.write_all(&identity).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let mut commands = Framed::new(stream, CommandCodec::new(settings.frame_limit));
    let payload = match next(&mut commands).await {
        Ok(ReplyFrame::Value(payload)) => payload,
        Ok(ReplyFrame::Refused(payload)) => {
            let text = refusal_text(&payload);
            return Err(unavailable(
                settings,
                &format!("the daemon lets this host not in (“{text}”); see its `trustedhosts`"),
            ));
        }
        Ok(_) => {
            return Err(unavailable(
                settings,
                "what greets there is no NICOS daemon",
            ));
        }
        Err(error) => return Err(unavailable(settings, &error.to_string())),
    };
    if payload.first() == Some(&b'{') {
        let message =
            "the daemon uses the serializer `json`; set its `serializercls` to the classic one";
        return Err(Fault::new(FaultKind::Unsupported, message));
    }
    let (json, _) = decode(payload, &settings.limits).await?;
    Ok((commands, identity, Banner::read(&json)?, json))
}

async fn connect_from(
    local: SocketAddr,
    peer: SocketAddr,
    identity: &[u8; 16],
) -> std::io::Result<TcpStream> {
    let socket = if peer.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(local.ip(), 0))?;
    let mut stream = socket.connect(peer).await?;
    stream.write_all(identity).await?;
    Ok(stream)
}

async fn level(payload: Bytes, settings: &Settings) -> Result<i64, Fault> {
    let (json, _) = decode(payload, &settings.limits).await?;
    let said: Authenticated = serde_json::from_str(json.get()).map_err(|error| {
        Fault::new(
            FaultKind::Protocol,
            format!("the daemon's answer to the login is not one: {error}"),
        )
    })?;
    Ok(said.user_level)
}

async fn exchange(
    commands: &mut Framed<TcpStream, CommandCodec>,
    verb: Verb,
    payload: Bytes,
) -> Result<ReplyFrame, FrameError> {
    commands
        .send(CommandFrame {
            code: verb.code,
            payload,
        })
        .await?;
    next(commands).await
}

async fn next(commands: &mut Framed<TcpStream, CommandCodec>) -> Result<ReplyFrame, FrameError> {
    match commands.next().await {
        Some(reply) => reply,
        None => Err(FrameError::Io(std::io::Error::other(
            "the daemon closed the connection",
        ))),
    }
}

async fn within<T>(
    settings: &Settings,
    opening: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let limit = settings.connect_deadline;
    match timeout(limit, opening).await {
        Ok(result) => result,
        Err(_) => Err(unavailable(
            settings,
            &format!("no greeting within {} s", limit.as_secs_f64()),
        )),
    }
}

fn refused(text: &str) -> Fault {
    Fault::new(
        FaultKind::Unauthorized,
        format!("NICOS refused the login: “{text}”"),
    )
}

fn unavailable(settings: &Settings, cause: &str) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!("no NICOS daemon at {}: {cause}", settings.address),
    )
}
