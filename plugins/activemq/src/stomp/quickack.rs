//! `stomp://` of ActiveMQ leaves Nagle's algorithm on, so a MESSAGE above 8 KiB waits 40 ms for our delayed ACK. Asking
//! Linux for an immediate ACK before each read takes that away; the flag does not last, hence each read.

use tokio::net::tcp::OwnedReadHalf;

#[cfg(target_os = "linux")]
pub(super) fn arm(stream: &OwnedReadHalf) {
    // Only a matter of speed, so a refusal is of no interest.
    let _ = socket2::SockRef::from(stream.as_ref()).set_tcp_quickack(true);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn arm(_stream: &OwnedReadHalf) {}
