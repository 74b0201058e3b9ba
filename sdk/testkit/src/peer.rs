//! A peer that does what a test says: it expects bytes, sends some, waits, goes.
//!
//! A plugin connects to it over TCP on this machine, as it would to a script server or a broker. Each wait is bounded by
//! [`PATIENCE`], and ends the test with what had come and what should have.
//!
//! # Time
//! An instance under test has a runtime and a thread of its own, whose clock no test can stop. So nothing here sleeps: a
//! delay is a wait *for* something ([`Connection::hold_until`]), and what the plugin itself does by its clock (a retry, a
//! time limit) is configured short. A part of a plugin that runs on the test's own runtime, without a host, can have virtual
//! time: `#[tokio::test(start_paused = true)]`. Then every wait of both sides that nothing else ends is over at once, in the
//! right order; use [`memory`] as the connection there, because a paused clock does not wait for sockets.
//!
//! ```
//! use patchbay_testkit::peer::Peer;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let peer = Peer::listen().await;
//! // In place of this, a plugin is started with `peer.address()` in its configuration.
//! let mut plugin = tokio::net::TcpStream::connect(peer.address()).await?;
//! let mut connection = peer.accept().await;
//!
//! plugin.write_all(b"HELLO\r\n").await?;
//! connection.expect(b"HELLO\r\n").await;
//! connection.send(b"WELCOME\r\n").await;
//! let mut welcome = [0; 9];
//! plugin.read_exact(&mut welcome).await?;
//! assert_eq!(&welcome, b"WELCOME\r\n");
//! # Ok(())
//! # }
//! ```

use crate::PATIENCE;
use std::future::Future;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// No line that is waited for is longer, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Listens, and does nothing by itself.
pub struct Peer {
    listener: TcpListener,
    address: SocketAddr,
}

/// One connection of the plugin, or of a part of it.
///
/// ```
/// # use patchbay_testkit::peer;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut server, mut part) = peer::memory(64);
/// part.write_all(b"hello\n").await?;
/// server.expect(b"hello\n").await;
/// server.trickle(b"go").await;
/// let mut said = [0; 2];
/// part.read_exact(&mut said).await?;
/// assert_eq!(&said, b"go");
/// drop(part);
/// server.expect_end().await;
/// # Ok(())
/// # }
/// ```
pub struct Connection<S = TcpStream> {
    stream: S,
}

impl Peer {
    /// On a port that is free.
    pub async fn listen() -> Peer {
        Peer::listen_at("127.0.0.1:0".parse().expect("an address")).await
    }

    /// At the address of a peer that is gone, for plugins that come back.
    pub async fn listen_at(address: SocketAddr) -> Peer {
        let listener = TcpListener::bind(address)
            .await
            .expect("the address is free");
        let address = listener.local_addr().expect("an address of its own");
        Peer { listener, address }
    }

    /// Where the plugin has to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    pub async fn accept(&self) -> Connection {
        let (stream, _) = within("a connection", self.listener.accept())
            .await
            .expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Connection { stream }
    }

    /// Is gone: nobody listens any more, and who connects is refused.
    pub fn go(self) -> SocketAddr {
        self.address
    }
}

/// A connection without sockets, and its other end for the part of a plugin that is under test.
///
/// ```
/// use patchbay_testkit::peer;
/// use std::time::Duration;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let (mut peer, mut part) = peer::memory(64);
/// let beats = tokio::spawn(async move {
///     tokio::time::sleep(Duration::from_secs(3600)).await;
///     part.write_all(b"still there").await
/// });
/// // An hour goes by at once.
/// let heard = tokio::time::timeout(Duration::from_secs(3601), beats).await;
/// assert!(heard.is_ok());
/// peer.expect(b"still there").await;
/// # }
/// ```
pub fn memory(bytes: usize) -> (Connection<DuplexStream>, DuplexStream) {
    let (stream, part) = tokio::io::duplex(bytes);
    (Connection { stream }, part)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits for these bytes; they have to be the next ones.
    pub async fn expect(&mut self, bytes: &[u8]) {
        let mut came = Vec::with_capacity(bytes.len());
        let reads = async {
            while came.len() < bytes.len() && bytes.starts_with(&came) {
                let mut byte = [0];
                if self.stream.read(&mut byte).await.unwrap_or(0) == 0 {
                    break;
                }
                came.extend(byte);
            }
        };
        let in_time = timeout(PATIENCE, reads).await.is_ok();
        let why = if in_time {
            ""
        } else {
            ", and then nothing for long"
        };
        assert!(
            came == bytes,
            "expected {}, but there came {}{why}",
            shown(bytes),
            shown(&came)
        );
    }

    /// The next so many bytes, whatever they are.
    pub async fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut came = vec![0; bytes];
        let read = within("bytes", self.stream.read_exact(&mut came)).await;
        read.expect("as many bytes");
        came
    }

    /// The next line, without its end.
    pub async fn line(&mut self) -> String {
        let reads = async {
            let mut line = Vec::new();
            while !line.ends_with(b"\n") && line.len() < LONGEST_LINE {
                line.push(self.stream.read_u8().await.expect("a whole line"));
            }
            line
        };
        let line = within("a line", reads).await;
        let line = String::from_utf8(line).expect("a line of text");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        within("the other side to take bytes", sent)
            .await
            .expect("the other side is there");
    }

    /// Sends these bytes one by one, so that the other side has to wait for the rest of whatever it reads.
    pub async fn trickle(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    /// Sends these bytes, but not before that has happened.
    pub async fn hold_until(&mut self, happens: impl Future<Output = ()>, bytes: &[u8]) {
        within("what the bytes are held for", happens).await;
        self.send(bytes).await;
    }

    /// Waits until the other side is gone; nothing more may come before.
    pub async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // Cut off is gone, too.
        let _ = within("an end", self.stream.read_to_end(&mut rest)).await;
        assert!(
            rest.is_empty(),
            "expected the end, but there came {}",
            shown(&rest)
        );
    }
}

impl Connection {
    /// Is cut, as by a crash: what the other side has not read yet is lost to it.
    pub fn cut(self) {
        self.stream.set_zero_linger().expect("a socket");
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let done = timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

fn shown(bytes: &[u8]) -> String {
    match bytes.is_empty() {
        true => "nothing".to_owned(),
        false => format!("\"{}\"", bytes.escape_ascii()),
    }
}
