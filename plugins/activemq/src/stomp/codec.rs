//! The guard codec in front of tokio-stomp 0.4.0.
//!
//! What tokio-stomp does here: it knows the commands and headers of what we send, and escapes them. What it cannot be trusted
//! with, and is done here: headers beyond its own (dropped), the text of SEND (it always writes `content-length`), CONNECT (see
//! [`super::target`]), and reading: it finds frames without limits and in quadratic time, believes `content-length`, takes two
//! heart-beats in a row for an error and never unescapes. Once the scanner has found and taken apart a head for it, there is
//! nothing left that it could do. Only heads pass through it, never bodies, so a long body is not copied.

use std::borrow::Cow;

use bytes::BytesMut;
use tokio_stomp::Message;
use tokio_stomp::client::ClientCodec;
use tokio_util::codec::{Decoder, Encoder};

use super::error::{EncodeError, LinkError};
use super::frame::{Body, ClientFrame, ErrorFrame, MessageFrame, ServerEvent};
use super::head::Head;
use super::limits::Limits;
use super::scan::{Piece, Scanner};
use super::target::MAX_HEADER_LINE;
use super::text::{escape, unescape};

/// See the module.
#[derive(Debug)]
pub struct GuardCodec {
    scanner: Scanner,
}

impl GuardCodec {
    /// A codec for one connection.
    pub fn new(limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(limits),
        }
    }

    /// See [`Scanner::is_doubtful`].
    pub fn is_doubtful(&self) -> bool {
        self.scanner.is_doubtful()
    }

    /// See [`Scanner::believe_nul`].
    pub fn believe_nul(&mut self) {
        self.scanner.believe_nul();
    }
}

impl Decoder for GuardCodec {
    type Item = ServerEvent;
    type Error = LinkError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<ServerEvent>, LinkError> {
        Ok(match self.scanner.next(src)? {
            None => None,
            Some(Piece::HeartBeat) => Some(ServerEvent::HeartBeat),
            Some(Piece::Frame(head, body)) => Some(read(head, body)),
        })
    }
}

impl Encoder<ClientFrame> for GuardCodec {
    type Error = LinkError;

    fn encode(&mut self, frame: ClientFrame, dst: &mut BytesMut) -> Result<(), LinkError> {
        dst.extend_from_slice(&encode(frame)?);
        Ok(())
    }
}

/// The bytes of `frame`. On an error nothing was written, so the connection can go on.
///
/// # Errors
/// [`EncodeError`]: the broker would close the connection over this frame.
pub fn encode(frame: ClientFrame) -> Result<Vec<u8>, EncodeError> {
    if frame
        .text
        .as_ref()
        .is_some_and(|text| text.0.contains('\0'))
    {
        return Err(EncodeError::NulInText);
    }
    let mut head = BytesMut::new();
    let message = Message {
        content: frame.content,
        extra_headers: Vec::new(),
    };
    ClientCodec
        .encode(message, &mut head)
        .map_err(|error| EncodeError::Refused(error.to_string()))?;
    let lines = head.strip_suffix(b"\n\0").unwrap_or(&head);
    check_lines(lines)?;
    let text = frame.text.map(|text| text.0).unwrap_or_default();
    let mut bytes = Vec::with_capacity(lines.len() + text.len() + 256);
    bytes.extend_from_slice(lines);
    for (name, value) in &frame.extra {
        write_header(&mut bytes, name, value)?;
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    Ok(bytes)
}

fn write_header(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), EncodeError> {
    let start = out.len();
    escape(name, out);
    out.push(b':');
    escape(value, out);
    check_line(&out[start..])?;
    out.push(b'\n');
    Ok(())
}

fn check_lines(lines: &[u8]) -> Result<(), EncodeError> {
    lines.split(|byte| *byte == b'\n').try_for_each(check_line)
}

fn check_line(line: &[u8]) -> Result<(), EncodeError> {
    if line.contains(&0) {
        return Err(EncodeError::NulInText);
    }
    if line.len() <= MAX_HEADER_LINE {
        return Ok(());
    }
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]).into_owned();
    Err(EncodeError::HeaderTooLong {
        name,
        length: line.len(),
        limit: MAX_HEADER_LINE,
    })
}

fn read(mut head: Head, body: Body) -> ServerEvent {
    if head.dropped() > 0 {
        tracing::debug!(
            dropped = head.dropped(),
            "header lines were too long, too many or repeated"
        );
    }
    if head.is_forged() {
        return unusable(&head, "its ack or its subscription is there twice");
    }
    match event(&mut head, body) {
        Ok(event) => event,
        Err(reason) => unusable(&head, &reason),
    }
}

fn unusable(head: &Head, reason: &str) -> ServerEvent {
    let command: String = head.command().chars().take(40).collect();
    let reason: String = reason.chars().take(200).collect();
    let all = |name| {
        let values = head.all(name).into_iter();
        values.map(|value| unescape(value).into_owned()).collect()
    };
    ServerEvent::Unusable {
        reason: format!("{command:?} frame: {reason}"),
        subscriptions: all("subscription"),
        acks: all("ack"),
    }
}

/// On an error the head is as it was.
fn event(head: &mut Head, body: Body) -> Result<ServerEvent, String> {
    Ok(match head.command() {
        // Without a version it speaks STOMP 1.0, in which nothing is escaped.
        "CONNECTED" if head.get("version").is_none() => return Err(missing("version")),
        "CONNECTED" => ServerEvent::Connected {
            heart_beat: plain(head, "heart-beat"),
            server: plain(head, "server"),
            session: plain(head, "session"),
        },
        "RECEIPT" => ServerEvent::Receipt(needed(head, "receipt-id")?),
        "ERROR" => ServerEvent::Error(ErrorFrame {
            message: plain(head, "message").unwrap_or_default(),
            detail: body.first_line(),
            receipt: plain(head, "receipt-id"),
        }),
        "MESSAGE" => ServerEvent::Message(Box::new(message(head, body)?)),
        _ => return Err("a broker sends no such frame".into()),
    })
}

fn message(head: &mut Head, body: Body) -> Result<MessageFrame, String> {
    for name in ["subscription", "destination", "message-id"] {
        head.get(name).ok_or_else(|| missing(name))?;
    }
    Ok(MessageFrame {
        subscription: plain(head, "subscription").unwrap_or_default(),
        ack: plain(head, "ack"),
        // ActiveMQ never escapes names.
        headers: head
            .take_all()
            .map(|(name, value)| (name, unescaped(value)))
            .collect(),
        body,
    })
}

fn needed(head: &mut Head, name: &str) -> Result<String, String> {
    plain(head, name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> String {
    format!("it has no `{name}`")
}

/// A header, which is not there any more then.
fn plain(head: &mut Head, name: &str) -> Option<String> {
    head.take(name).map(unescaped)
}

fn unescaped(value: String) -> String {
    match unescape(&value) {
        Cow::Borrowed(_) => value,
        Cow::Owned(plain) => plain,
    }
}
