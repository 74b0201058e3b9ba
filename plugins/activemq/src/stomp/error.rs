//! What can go wrong between us and the broker.

use std::time::Duration;

use super::tls_error::TlsError;

/// The bytes of the broker cannot be framed any more; the connection has to go.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScanError {
    /// The head of a frame is longer than anything a broker passes on.
    #[error("the head of a frame of the broker is longer than {limit} bytes")]
    FrameTooLong {
        /// The limit in bytes.
        limit: u64,
    },
}

/// A frame that must not be sent, because the broker would close the connection over it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EncodeError {
    /// ActiveMQ closes the connection on a header line above 10 KiB.
    #[error("the header {name} would be {length} bytes long; the broker takes at most {limit}")]
    HeaderTooLong {
        /// The header.
        name: String,
        /// Its length on the wire.
        length: usize,
        /// What the broker takes.
        limit: usize,
    },
    /// A text frame ends at the first NUL.
    #[error("the text holds a NUL character, which would end the frame")]
    NulInText,
    /// tokio-stomp refused the frame.
    #[error("the frame cannot be written: {0}")]
    Refused(String),
}

/// Why a connection to the broker could not be made or has ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No TCP connection.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// There is a login, but its passcode cannot be had.
    #[error("{0}")]
    Passcode(String),
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The broker answers as if it wanted TLS.
    #[error("the broker wants TLS at this port; set `tls`")]
    WantsTls,
    /// Connected, but no CONNECTED in time.
    #[error("the broker did not answer CONNECT within {0:?}; is it a STOMP port?")]
    Silent(Duration),
    /// The broker answered CONNECT with ERROR.
    #[error("the broker refused the login: {0}")]
    Refused(String),
    /// The broker answered CONNECT with something else.
    #[error("the broker answered CONNECT with {0}; is it a STOMP port?")]
    NotStomp(String),
    /// A frame that this connection needs cannot be written, such as an over-long login.
    #[error("cannot speak to the broker: {0}")]
    Frame(#[from] EncodeError),
    /// End of file.
    #[error("the broker closed the connection")]
    Closed,
    /// Heart-beats stopped.
    #[error("nothing came from the broker for {0:?}")]
    NoHeartBeat(Duration),
    /// We could not write.
    #[error("the broker took nothing from us for {0:?}")]
    NotReading(Duration),
    /// Unusable bytes.
    #[error(transparent)]
    Garbled(#[from] ScanError),
    /// Any other socket error.
    #[error("the connection to the broker failed: {0}")]
    Io(#[from] std::io::Error),
    /// A SUBSCRIBE was refused.
    #[error("the broker refused to let us subscribe to {destination}: {message}")]
    Subscribe {
        /// What we asked for.
        destination: String,
        /// The broker's words.
        message: String,
    },
    /// The other of the two connections is at another broker.
    #[error("the connection that reads requests has gone to another broker")]
    Moved,
    /// The other of the two connections cannot be made.
    #[error("a second connection, for the answers, cannot be made")]
    NoAnswers,
    /// A RECEIPT did not come in time.
    #[error("the broker did not confirm {what} within {after:?}")]
    NoReceipt {
        /// What was asked.
        what: String,
        /// The deadline.
        after: Duration,
    },
}
