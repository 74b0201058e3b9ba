//! One login at the daemon.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use patchbay_sdk::{Fault, FaultKind, RawJson, Secret};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_util::codec::{Encoder, Framed};
use zeroize::Zeroizing;

use super::connect::{connect, connect_from, next, unavailable, within};
use super::decode::{decode_small, is_empty_list, is_none, refusal_text};
use crate::auth;
use crate::banner::Banner;
use crate::config::Settings;
use crate::event;
use crate::frame::{CommandCodec, CommandFrame, FrameError, ReplyFrame};
use crate::pickle::{Arg, encode};
use crate::verb::{self, Verb};

/// The daemon may lose its accept loop if a client goes away sooner after its event connection has opened.
const SETTLE: Duration = Duration::from_secs(1);

/// How long each part of a farewell may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

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
    pub banner_json: RawJson,
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
        let user_level = match authenticate(&mut commands, credentials).await {
            Ok(ReplyFrame::Value(payload)) => level(&payload)?,
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
        // Also an opening that fails from here on may be under way at the daemon.
        self.events_opened = Some(Instant::now());
        let opening = async {
            let stream = self.commands.get_ref();
            let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
            connect_from(settings, local, peer, &self.identity).await
        };
        let stream = within(settings, async {
            opening
                .await
                .map_err(|error| unavailable(settings, &error.to_string()))
        });
        stream.await
    }

    /// Sends a command and waits for its reply, and for the second one where NICOS may send two.
    ///
    /// `gethistory` without a value cache gets an empty list and then a refusal, `finish` while the script stops a
    /// refusal and then an acknowledgement. Who does not read both is off by one for ever.
    ///
    /// # Errors
    /// When the connection fails; it is then of no further use.
    pub(super) async fn call(&mut self, verb: Verb, args: Bytes) -> Result<ReplyFrame, FrameError> {
        let reply = exchange(&mut self.commands, verb, args).await?;
        let may_be_two = match &reply {
            ReplyFrame::Refused(payload) => verb.answers_twice(&refusal_text(payload)),
            ReplyFrame::Value(payload) => verb == verb::GETHISTORY && is_empty_list(payload),
            _ => false,
        };
        if !may_be_two {
            return Ok(reply);
        }
        match self.second().await? {
            Some(refusal @ ReplyFrame::Refused(_)) => Ok(refusal),
            _ => Ok(reply),
        }
    }

    /// The second reply, if there is one: it comes before the reply to a command that always has a value.
    async fn second(&mut self) -> Result<Option<ReplyFrame>, FrameError> {
        let reply = exchange(&mut self.commands, verb::GETVERSION, nothing()).await?;
        match &reply {
            ReplyFrame::Value(payload) if !is_none(payload) => Ok(None),
            _ => {
                next(&mut self.commands).await?;
                Ok(Some(reply))
            }
        }
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
        self.settle().await;
        let farewell = exchange(&mut self.commands, verb::QUIT, nothing());
        let _ = timeout(FAREWELL, farewell).await;
        leave(self.commands.into_inner()).await;
    }

    /// Gives up a connection that is out of step. Takes up to two seconds.
    pub(super) async fn abandon(self) {
        self.settle().await;
        leave(self.commands.into_inner()).await;
    }

    async fn settle(&self) {
        if let Some(opened) = self.events_opened {
            tokio::time::sleep_until(opened + SETTLE).await;
        }
    }
}

/// Ends a connection. What is still under way is read and thrown away, for [`FAREWELL`]: closing a socket with unread
/// bytes resets the connection.
pub(super) async fn leave(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut scrap = vec![0; 16 * 1024];
    let drain = async { while matches!(stream.read(&mut scrap).await, Ok(1..)) {} };
    let _ = timeout(FAREWELL, drain).await;
}

fn level(payload: &[u8]) -> Result<i64, Fault> {
    let json = decode_small(payload)?;
    let said: Authenticated = serde_json::from_str(json.get()).map_err(|error| {
        Fault::new(
            FaultKind::Protocol,
            format!("the daemon's answer to the login is not one: {error}"),
        )
    })?;
    Ok(said.user_level)
}

/// No arguments.
fn nothing() -> Bytes {
    Bytes::from(encode(Vec::new()))
}

/// Sends the credentials past the connection's buffers, in which they would stay.
async fn authenticate(
    commands: &mut Framed<TcpStream, CommandCodec>,
    credentials: Zeroizing<Vec<u8>>,
) -> Result<ReplyFrame, FrameError> {
    let frame = CommandFrame {
        code: verb::AUTHENTICATE.code,
        payload: Bytes::from_owner(credentials),
    };
    let mut wire = BytesMut::new();
    commands.codec_mut().encode(frame, &mut wire)?;
    let wire = Zeroizing::new(Vec::from(wire));
    commands.get_mut().write_all(&wire).await?;
    next(commands).await
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

fn refused(text: &str) -> Fault {
    Fault::new(
        FaultKind::Unauthorized,
        format!("NICOS refused the login: “{text}”"),
    )
}
