//! `stomp://` of ActiveMQ leaves Nagle's algorithm on, so a MESSAGE above 8 KiB waits 40 ms for our delayed ACK. Asking
//! Linux for an immediate ACK takes that away; the flag does not last, hence after each read anew.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket that acknowledges at once, also below TLS.
#[derive(Debug)]
pub(super) struct QuickAck(TcpStream);

impl QuickAck {
    pub(super) fn new(socket: TcpStream) -> Self {
        arm(&socket);
        Self(socket)
    }
}

#[cfg(target_os = "linux")]
fn arm(socket: &TcpStream) {
    // Only a matter of speed, so a refusal is of no interest.
    let _ = socket2::SockRef::from(socket).set_tcp_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn arm(_socket: &TcpStream) {}

impl AsyncRead for QuickAck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.0).poll_read(cx, buf));
        arm(&self.0);
        Poll::Ready(read)
    }
}

impl AsyncWrite for QuickAck {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn acknowledgements_are_asked_for_at_once_before_and_after_each_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut socket = QuickAck::new(socket);
        let quick = |socket: &QuickAck| socket2::SockRef::from(&socket.0).tcp_quickack().unwrap();
        assert!(quick(&socket));
        for _ in 0..3 {
            // Talking makes Linux delay them again.
            socket.write_all(b"x").await.unwrap();
            peer.write_all(&[0; 10_000]).await.unwrap();
            socket.read_exact(&mut [0; 10_000]).await.unwrap();
            assert!(quick(&socket));
        }
    }
}
