//! A network that can be cut: passes bytes between the plugin and a daemon.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to the daemon at `address`.
pub struct Proxy {
    pub address: SocketAddr,
    open: watch::Sender<bool>,
}

/// Opens a way to the daemon.
pub async fn proxy(daemon: SocketAddr) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (open, state) = watch::channel(true);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            // Whoever comes while it is cut is turned away, and the daemon does not hear of it.
            if *state.borrow() {
                tokio::spawn(pass(client, daemon, state.clone()));
            }
        }
    });
    Proxy { address, open }
}

async fn pass(mut client: TcpStream, daemon: SocketAddr, mut state: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(daemon).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|open| !open) => {}
    }
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
}
