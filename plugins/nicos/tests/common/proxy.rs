//! A network that can be cut, or lose what a daemon says: passes bytes between the plugin and a daemon.

use std::collections::HashSet;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to the daemon at `address`.
pub struct Proxy {
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    /// How often the event connections that were there have been muted.
    muted: watch::Sender<u32>,
}

/// Opens a way to the daemon.
pub async fn proxy(daemon: SocketAddr) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (open, state) = watch::channel(true);
    let (muted, mute) = watch::channel(0);
    tokio::spawn(async move {
        let mut known = HashSet::new();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            // Whoever comes while it is cut is turned away, and the daemon does not hear of it.
            if !*state.borrow() {
                continue;
            }
            let mut identity = [0; 16];
            if client.read_exact(&mut identity).await.is_err() {
                continue;
            }
            let server = TcpStream::connect(daemon).await.unwrap();
            // The second connection of an identity is its event connection.
            let mut mute = (!known.insert(identity)).then(|| mute.clone());
            if let Some(mute) = &mut mute {
                // What was muted before it is no matter of its own.
                mute.mark_unchanged();
            }
            let mut state = state.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = pass(client, server, identity, mute) => {}
                    _ = state.wait_for(|open| !open) => {}
                }
            });
        }
    });
    Proxy {
        address,
        open,
        muted,
    }
}

async fn pass(
    client: TcpStream,
    mut server: TcpStream,
    identity: [u8; 16],
    mut mute: Option<watch::Receiver<u32>>,
) -> std::io::Result<()> {
    server.write_all(&identity).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let back = async {
        let muted = async {
            match &mut mute {
                Some(mute) => drop(mute.changed().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            end = copy(&mut from_server, &mut to_client) => {
                end?;
                return to_client.shutdown().await;
            }
            () = muted => {}
        }
        copy(&mut from_server, &mut tokio::io::sink()).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(there, back).map(drop)
}

impl Proxy {
    /// Closes every connection, and lets no new one through.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets new connections through again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }

    /// Loses whatever comes by the event connections that are there.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn mute(&self) {
        self.muted.send_modify(|muted| *muted += 1);
    }
}
