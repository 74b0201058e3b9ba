//! The guard codec in front of tokio-stomp 0.4.0.
//!
//! What tokio-stomp does here: it knows the commands and their required headers in both directions, and escapes what we
//! send. What it cannot be trusted with, and the guard does: finding the frame (no limits, quadratic; `content-length` is
//! believed), heart-beats (two in a row are a parse error), unescaping received headers (it never does), headers beyond
//! its own on the way out (dropped), the text of SEND (it always writes `content-length`), CONNECT (see
//! [`super::target`]). Only heads pass through it, never bodies, so a long body is not copied.

use bytes::BytesMut;
use tokio_stomp::client::ClientCodec;
use tokio_stomp::{FromServer, Message};
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
            Some(Piece::Frame(head, body)) => Some(read(&head, body)),
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

fn read(head: &Head, body: Body) -> ServerEvent {
    if head.dropped() > 0 {
        tracing::debug!(
            dropped = head.dropped(),
            "header lines were too long, too many or repeated"
        );
    }
    if head.is_forged() {
        return unusable(head, "its ack or its subscription is there twice");
    }
    let mut frame = BytesMut::from(&*head.to_frame());
    match ClientCodec.decode(&mut frame) {
        Ok(Some(message)) => event(message, head, body),
        Ok(None) => unusable(head, "its head is incomplete"),
        Err(error) => unusable(head, &error.to_string()),
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

fn event(message: Message<FromServer>, head: &Head, body: Body) -> ServerEvent {
    let plain = |value: String| unescape(&value).into_owned();
    match message.content {
        FromServer::Connected {
            heartbeat,
            server,
            session,
            ..
        } => ServerEvent::Connected {
            heart_beat: heartbeat.map(plain),
            server: server.map(plain),
            session: session.map(plain),
        },
        FromServer::Receipt { receipt_id } => ServerEvent::Receipt(plain(receipt_id)),
        FromServer::Error { message, .. } => ServerEvent::Error(ErrorFrame {
            message: message.map(plain).unwrap_or_default(),
            detail: body.first_line(),
            receipt: head.get("receipt-id").map(|id| unescape(id).into_owned()),
        }),
        FromServer::Message {
            destination,
            message_id,
            subscription,
            ..
        } => {
            let mut headers = vec![
                ("destination".into(), plain(destination)),
                ("message-id".into(), plain(message_id)),
            ];
            headers.extend(message.extra_headers.iter().map(header));
            let ack = head.get("ack").map(|ack| unescape(ack).into_owned());
            ServerEvent::Message(Box::new(MessageFrame {
                subscription: plain(subscription),
                ack,
                headers,
                body,
            }))
        }
    }
}

fn header((name, value): &(Vec<u8>, Vec<u8>)) -> (String, String) {
    let text = |bytes: &[u8]| unescape(&String::from_utf8_lossy(bytes)).into_owned();
    // ActiveMQ never escapes names.
    (String::from_utf8_lossy(name).into_owned(), text(value))
}
