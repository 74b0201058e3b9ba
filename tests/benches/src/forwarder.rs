//! The floor for events to topics: what the daemon prints, passed on to the broker in a gateway's words by somebody who does
//! nothing else, so that what remains is the broker's work and its clients'.

use std::io::{BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Result, ensure};
use patchbay_servers::ActiveMq;

use crate::daemon::{DONE, Daemon, Events, is_line};

const CONNECT: &[u8] =
    b"CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:0,0\nlogin:\npasscode:\n\n\0";
const CONNECTED: &[u8] = b"CONNECTED";

/// Passes one script's output on.
pub struct Forwarder {
    events: Events,
    topic: Topic,
}

impl Forwarder {
    /// From this daemon to this topic and those below it; before the script begins.
    pub fn open(daemon: &Daemon, broker: &ActiveMq, topic: &str) -> Result<Self> {
        Ok(Self {
            events: daemon.events()?,
            topic: Topic::open(broker, topic)?,
        })
    }

    /// Until the script has ended, which is this job; when that was.
    pub fn start(mut self, job: String) -> JoinHandle<Result<Instant>> {
        thread::spawn(move || self.run(&job))
    }

    fn run(&mut self, job: &str) -> Result<Instant> {
        let mut payload = Vec::new();
        let mut lines = 0;
        loop {
            match self.events.next(&mut payload)? {
                DONE => break,
                kind if is_line(kind, &payload) => {
                    lines += 1;
                    self.topic.line(job, lines)?;
                }
                _ => {}
            }
            if self.events.is_dry() {
                self.topic.flush()?;
            }
        }
        let ended = Instant::now();
        self.topic.end(job)?;
        Ok(ended)
    }
}

/// A connection to the broker that only sends.
struct Topic {
    stream: BufWriter<TcpStream>,
    name: String,
}

impl Topic {
    fn open(broker: &ActiveMq, name: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(broker.stomp())?;
        stream.set_nodelay(true)?;
        stream.write_all(CONNECT)?;
        let mut greeting = [0; CONNECTED.len()];
        BufReader::new(&stream).read_exact(&mut greeting)?;
        ensure!(greeting == CONNECTED, "the broker lets nobody in");
        Ok(Self {
            stream: BufWriter::with_capacity(1 << 16, stream),
            name: name.to_owned(),
        })
    }

    /// As long as the gateway's own.
    fn line(&mut self, job: &str, seq: u64) -> Result<()> {
        let text = format!(
            r#"{{"epoch":1785088000000,"seq":{seq},"time":1785088000.123456,"kind":"log","job":"{job}","body":{{"source":"nicos","level":"info","text":"{seq}","time":1785088000.123456}}}}"#
        );
        self.send("log", &text)
    }

    fn end(&mut self, job: &str) -> Result<()> {
        let text = format!(r#"{{"kind":"job","job":"{job}","body":{{"state":"finished"}}}}"#);
        self.send("job", &text)?;
        self.flush()
    }

    fn send(&mut self, kind: &str, text: &str) -> Result<()> {
        let name = &self.name;
        write!(
            self.stream,
            "SEND\ndestination:/topic/{name}.{kind}\n\n{text}\0"
        )?;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.stream.flush()?)
    }
}
