//! The beginning of a connection, up to the daemon's banner.

use std::net::SocketAddr;

use futures_util::StreamExt;
use patchbay_sdk::{Fault, FaultKind, RawJson};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::Framed;

use super::decode::{decode_small, refusal_text};
use crate::banner::Banner;
use crate::config::Settings;
use crate::frame::{CommandCodec, FrameError, ReplyFrame};

/// Connects and reads the banner, without logging in: whether a daemon is there, and which.
///
/// # Errors
/// As [`Link::open`].
pub async fn greet(settings: &Settings) -> Result<(Banner, RawJson), Fault> {
    within(settings, connect(settings))
        .await
        .map(|(_, _, banner, json)| (banner, json))
}

/// A connection, its identity, and the banner, read and as it came.
pub(super) type Connected = (Framed<TcpStream, CommandCodec>, [u8; 16], Banner, RawJson);

/// Sends a new identity and reads the banner.
pub(super) async fn connect(settings: &Settings) -> Result<Connected, Fault> {
    let unreachable = |error: std::io::Error| unavailable(settings, &error.to_string());
    let identity = fastrand::u128(..).to_be_bytes();
    let mut stream = TcpStream::connect(&settings.address)
        .await
        .map_err(unreachable)?;
    stream.write_all(&identity).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    keep_alive(&stream, settings).map_err(unreachable)?;
    let mut commands = Framed::new(stream, CommandCodec::new(settings.frames()));
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
    let json = decode_small(&payload)?;
    Ok((commands, identity, Banner::read(&json)?, json))
}

/// How often the system asks before it takes a silent peer for gone. Its waits are configured.
const TRIES: u32 = 3;

/// Lets the system ask a silent peer whether it is still there. The event connection is one by which we never say anything,
/// and would not hear of it otherwise.
fn keep_alive(stream: &TcpStream, settings: &Settings) -> std::io::Result<()> {
    let wait = settings.tcp_keepalive;
    let keepalive = TcpKeepalive::new()
        .with_time(wait)
        .with_interval(wait)
        .with_retries(TRIES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Opens the second connection of this identity.
pub(super) async fn connect_from(
    settings: &Settings,
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
    keep_alive(&stream, settings)?;
    Ok(stream)
}

/// The next reply.
pub(super) async fn next(
    commands: &mut Framed<TcpStream, CommandCodec>,
) -> Result<ReplyFrame, FrameError> {
    match commands.next().await {
        Some(reply) => reply,
        None => Err(FrameError::Io(std::io::Error::other(
            "the daemon closed the connection",
        ))),
    }
}

/// Limits how long opening a connection may take.
pub(super) async fn within<T>(
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

pub(super) fn unavailable(settings: &Settings, cause: &str) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!("no NICOS daemon at {}: {cause}", settings.address),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn the_system_asks_a_silent_peer_as_often_as_is_configured() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = format!(r#"{{"address": "{address}", "tcp_keepalive_s": 7}}"#);
        let config: Config = serde_json::from_str(&config).unwrap();
        let settings = config.resolve().unwrap();
        let local = "127.0.0.1:0".parse().unwrap();
        let events = connect_from(&settings, local, address, &[0; 16]).await;
        let events = events.unwrap();
        let socket = SockRef::from(&events);
        assert!(socket.keepalive().unwrap());
        let seven = Duration::from_secs(7);
        assert_eq!(socket.tcp_keepalive_time().unwrap(), seven);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), seven);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), TRIES);
    }
}
