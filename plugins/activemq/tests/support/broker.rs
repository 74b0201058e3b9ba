//! A broker that does as a test says: plain STOMP frames over TCP, written by hand.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::LIMIT;

/// Listens; the test accepts each connection by itself.
pub struct Listener {
    socket: TcpListener,
}

/// One connection of the frontend.
pub struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The id of the subscription to requests.
    pub subscription: String,
    /// That of the subscription to temporary queues that come and go.
    pub advisories: String,
    /// Line ends between frames so far.
    pub beats: usize,
}

/// A frame that the frontend sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub command: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Listener {
    pub async fn bind() -> Self {
        Self {
            socket: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub fn address(&self) -> String {
        self.socket.local_addr().unwrap().to_string()
    }

    /// The configuration of a frontend for this broker.
    pub fn config(&self) -> Value {
        json!({"broker": self.address(), "heart_beat_ms": 0})
    }

    /// The next connection, after CONNECT.
    pub async fn accept(&self) -> Peer {
        let mut peer = self.accept_raw().await;
        assert_eq!(peer.frame().await.command, "CONNECT");
        peer.write("CONNECTED\nversion:1.2\nserver:scripted\nsession:ID\\cgw\\c1\n\n\0\n")
            .await;
        peer
    }

    /// The next connection as it is.
    pub async fn accept_raw(&self) -> Peer {
        let (stream, _) = timeout(LIMIT, self.socket.accept())
            .await
            .expect("a connection")
            .unwrap();
        Peer {
            stream,
            buffer: Vec::new(),
            subscription: String::new(),
            advisories: String::new(),
            beats: 0,
        }
    }

    /// The frontend's two connections: the one that reads requests, subscribed, and the one that answers.
    pub async fn accept_both(&self) -> (Peer, Peer) {
        let (one, other) = (self.accept().await, self.accept().await);
        let reads = tokio::select! {
            () = one.stream_readable() => true,
            () = other.stream_readable() => false,
        };
        let (mut reading, answering) = if reads { (one, other) } else { (other, one) };
        reading.confirm_subscriptions().await;
        (reading, answering)
    }
}

impl Peer {
    async fn stream_readable(&self) {
        self.stream.readable().await.unwrap();
    }

    /// Confirms what the frontend subscribes to, up to its queue, and returns that frame. Of temporary queues it is told as ActiveMQ would: that
    /// of [`super::scripted::REPLY`] is there, and so is the frontend's own.
    pub async fn confirm_subscriptions(&mut self) -> Frame {
        let frame = self.confirm_advisories().await;
        self.created("ID:h:1:1").await;
        self.go_on_from(frame).await
    }

    /// The same up to the subscription to the frontend's own temporary queue, of which it has not been told then.
    pub async fn confirm_advisories(&mut self) -> Frame {
        loop {
            let frame = self.frame().await;
            assert_eq!(frame.command, "SUBSCRIBE");
            self.receipt(&frame).await;
            match frame.header("destination").unwrap() {
                "/topic/ActiveMQ.Advisory.TempQueue" => {
                    self.advisories = frame.header("id").unwrap().to_owned();
                }
                other if other.starts_with("/topic/") => {}
                _ => return frame,
            }
        }
    }

    /// The rest, from that subscription on.
    pub async fn go_on_from(&mut self, mut frame: Frame) -> Frame {
        while !frame.is_for_requests() {
            if frame.command == "SUBSCRIBE" {
                self.created("ID:gw:1:1").await;
            }
            frame = self.frame().await;
        }
        self.receipt(&frame).await;
        self.subscription = frame.header("id").unwrap().to_owned();
        frame
    }

    /// Tells of a new temporary queue.
    pub async fn created(&mut self, queue: &str) {
        let advisory = format!(
            r#"{{"DestinationInfo":{{"destination":{{"@class":"ActiveMQTempQueue","string":"{queue}"}},"operationType":0}}}}"#
        );
        let id = &self.advisories;
        let frame = format!(
            "MESSAGE\ndestination:/topic/x\nmessage-id:1\nsubscription:{id}\n\n{advisory}\0\n"
        );
        self.write(frame).await;
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Delivers a request: `number` makes up its ids, `extra` are further header lines.
    pub async fn request(&mut self, number: u32, extra: &str, body: &str) {
        let frame = format!(
            "MESSAGE\ndestination:/queue/ss_admin\nmessage-id:ID\\cm\\c{number}\nsubscription:{}\nack:a-{number}\ncorrelation-id:c-{number}\n{extra}\n{body}\0\n",
            self.subscription
        );
        self.write(frame).await;
    }

    /// The next frame; heart-beats are left out.
    pub async fn frame(&mut self) -> Frame {
        timeout(LIMIT, self.next_frame())
            .await
            .expect("a frame in time")
            .expect("a frame before the end")
    }

    /// Takes a frame and says `false`, or says `true` at the end.
    pub async fn ends_or_frame(&mut self) -> bool {
        timeout(LIMIT, self.next_frame())
            .await
            .expect("a frame or an end in time")
            .is_none()
    }

    /// Nothing comes for a while.
    pub async fn stays_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.next_frame())
            .await
            .is_err()
    }

    /// The next answer, confirmed.
    pub async fn answer(&mut self) -> (Frame, Value) {
        let frame = self.frame().await;
        assert_eq!(frame.command, "SEND", "{frame:?}");
        self.receipt(&frame).await;
        let value = serde_json::from_str(&frame.body).unwrap();
        (frame, value)
    }

    /// Confirms a frame.
    pub async fn receipt(&mut self, frame: &Frame) {
        let receipt = frame
            .header("receipt")
            .expect("a wish for a receipt")
            .to_owned();
        self.write(format!("RECEIPT\nreceipt-id:{receipt}\n\n\0\n"))
            .await;
    }

    async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let start = self
                .buffer
                .iter()
                .position(|byte| *byte != b'\n')
                .unwrap_or(self.buffer.len());
            self.beats += start;
            self.buffer.drain(..start);
            if let Some(end) = self.buffer.iter().position(|byte| *byte == 0) {
                let frame: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(Frame::parse(&String::from_utf8(frame).unwrap()));
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

impl Frame {
    fn parse(text: &str) -> Self {
        let (head, body) = text.trim_end_matches('\0').split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (
                name.to_owned(),
                value.replace("\\c", ":").replace("\\\\", "\\"),
            )
        };
        Self {
            command: lines.next().unwrap().to_owned(),
            headers: lines.map(header).collect(),
            body: body.to_owned(),
        }
    }

    /// Whether it subscribes to (or leaves) the queue of requests.
    pub fn is_for_requests(&self) -> bool {
        self.header("id")
            .is_some_and(|id| id.starts_with("requests-"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }
}
