//! Where clients come in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind, Stop, wrong_field};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::Shared;
use crate::config::Settings;
use crate::connection;
use crate::outgoing::Outgoing;
#[cfg(unix)]
use crate::socket_file::SocketFile;

/// After so long a silence a client's machine is asked whether it is there, and then as often.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// When no connection can be taken (no file handles are left, say), it is tried again after so long.
const PAUSE: Duration = Duration::from_millis(200);

/// So long it is tried to say why a connection is not taken.
const REFUSAL: Duration = Duration::from_millis(100);

/// The reading half of a connection.
pub type Reading = Box<dyn AsyncRead + Send + Unpin>;
/// The writing half of a connection.
pub type Writing = Box<dyn AsyncWrite + Send + Unpin>;

/// A client that has connected.
pub struct Peer {
    /// Where it is, for logs.
    pub name: String,
    /// What it says.
    pub reading: Reading,
    /// What it hears.
    pub writing: Writing,
}

/// Something to listen on.
pub enum Door {
    /// A port.
    Tcp(TcpListener),
    /// A socket file, which goes when this does.
    #[cfg(unix)]
    Unix(SocketFile),
}

/// Opens all that is configured.
///
/// # Errors
/// `Invalid` for what is configured wrongly, `Unavailable` for what cannot be listened on at present.
pub async fn open(settings: &Settings) -> Result<Vec<Door>, Fault> {
    let mut doors = Vec::new();
    if let Some(address) = &settings.tcp {
        doors.push(open_tcp(address, settings.allow_remote).await?);
    }
    if let Some((path, mode)) = &settings.unix {
        doors.push(open_unix(path, *mode).await?);
    }
    Ok(doors)
}

async fn open_tcp(address: &str, allow_remote: bool) -> Result<Door, Fault> {
    let help = r#"an address as `host:port`, such as "127.0.0.1:1310""#;
    let found: Vec<SocketAddr> = match tokio::net::lookup_host(address).await {
        Ok(found) => found.collect(),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(wrong_field("tcp", help));
        }
        Err(error) => return Err(unavailable(address, &error, "does the name exist?")),
    };
    if let Some(remote) = found.iter().find(|address| !address.ip().is_loopback())
        && !allow_remote
    {
        let must = format!(
            "an address on loopback, such as \"127.0.0.1:1310\": other machines reach {remote}, and passwords and scripts travel unencrypted; `allow_remote = true` permits it"
        );
        return Err(wrong_field("tcp", &must));
    }
    match TcpListener::bind(&found[..]).await {
        Ok(listener) => {
            let at = listener
                .local_addr()
                .map_or_else(|_| address.to_owned(), |at| at.to_string());
            tracing::info!("listening on {at}");
            Ok(Door::Tcp(listener))
        }
        Err(error) => Err(unavailable(
            address,
            &error,
            "end what listens there, or configure another address in `tcp`",
        )),
    }
}

#[cfg(unix)]
async fn open_unix(path: &std::path::Path, mode: u32) -> Result<Door, Fault> {
    let shown = path.display().to_string();
    let file = SocketFile::listen(path, mode).await;
    let file = file.map_err(|error| {
        unavailable(
            &shown,
            &error,
            "end what listens there, or configure another path in `unix`",
        )
    })?;
    tracing::info!("listening on {shown}");
    Ok(Door::Unix(file))
}

#[cfg(not(unix))]
async fn open_unix(_: &std::path::Path, _: u32) -> Result<Door, Fault> {
    Err(wrong_field(
        "unix",
        "left out: this system has no Unix sockets",
    ))
}

fn unavailable(what: &str, error: &io::Error, hint: &str) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!("cannot listen on {what}: {error}; {hint}"),
    )
}

impl Door {
    /// Lets clients in until it is time to stop.
    pub async fn keep(self, shared: Arc<Shared>, stop: Stop) {
        let mut troubled = false;
        loop {
            let peer = tokio::select! {
                biased;
                () = stop.wait() => return,
                peer = self.accept() => peer,
            };
            match peer {
                Ok(peer) => {
                    troubled = false;
                    admit(peer, &shared, &stop).await;
                }
                Err(error) => {
                    shared.gateway.count("connections_failed", 1);
                    // Once, not five times a second.
                    if !std::mem::replace(&mut troubled, true) {
                        tracing::warn!(%error, "a connection could not be taken");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<Peer> {
        match self {
            Door::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                tune(&stream);
                let (reading, writing) = stream.into_split();
                Ok(peer(address.to_string(), reading, writing))
            }
            #[cfg(unix)]
            Door::Unix(file) => {
                let (name, stream) = file.accept().await?;
                let (reading, writing) = stream.into_split();
                Ok(peer(name, reading, writing))
            }
        }
    }
}

fn peer(
    name: String,
    reading: impl AsyncRead + Send + Unpin + 'static,
    writing: impl AsyncWrite + Send + Unpin + 'static,
) -> Peer {
    Peer {
        name,
        reading: Box::new(reading),
        writing: Box::new(writing),
    }
}

/// Answers do not wait for more, and a client whose machine is gone is noticed. A connection works without.
fn tune(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE);
    let tuned = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = tuned {
        tracing::debug!(%error, "a connection could not be tuned");
    }
}

async fn admit(peer: Peer, shared: &Arc<Shared>, stop: &Stop) {
    shared.gateway.count("connections", 1);
    let seat = match (shared.connections.take(), shared.strangers.take()) {
        (None, _) => Err((&shared.connections, "connections")),
        (_, None) => Err((&shared.strangers, "connections without a login")),
        (Some(place), Some(stranger)) => Ok((place, stranger)),
    };
    match seat {
        Ok(seat) => drop(tokio::spawn(connection::serve(
            shared.clone(),
            peer,
            seat,
            stop.clone(),
        ))),
        Err((places, what)) => {
            shared.gateway.count("connections_refused", 1);
            refuse(peer, &format!("{} {what}", places.most())).await;
        }
    }
}

async fn refuse(mut peer: Peer, most: &str) {
    tracing::warn!(
        from = peer.name,
        "there are {most} already (limits.connections, limits.strangers); one more is refused"
    );
    let text = format!("the gateway has {most} already; try again later");
    let bye = Outgoing::bye(&Fault::new(FaultKind::Busy, text));
    if let Outgoing::Notice(bye) = bye {
        let bye = bye + "\n";
        let _ = timeout(REFUSAL, peer.writing.write_all(bye.as_bytes())).await;
    }
}
