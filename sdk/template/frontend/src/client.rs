//! One client's life: what it asks is asked in its session, what comes of it is written in whatever order it comes.

use crate::Shared;
use crate::line::{self, Request, Said};
use patchbay_sdk::model::find_op;
use patchbay_sdk::{Fault, FaultKind, GatewayEvent, RawJson, Secret, Session};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};

/// Lines that wait to be written to one client. While there are so many, nothing more is read from it.
const LINES: usize = 32;

/// Requests of one client that are under way at once. Urgent ones have as many places of their own.
const REQUESTS: usize = 16;

/// A client that has not taken a line for so long is cut off.
const WRITE: Duration = Duration::from_secs(30);

/// A connection on which nobody has logged in for so long is closed.
const LOGIN: Duration = Duration::from_secs(30);

struct Client {
    shared: Arc<Shared>,
    from: String,
    lines: mpsc::Sender<String>,
    session: Option<Session>,
    requests: JoinSet<()>,
    /// At most one task, which writes events. It ends with the client, as the requests do.
    events: JoinSet<()>,
}

/// Serves a client until it goes, or the gateway ends.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream, from: String) {
    let (reader, writer) = stream.into_split();
    let (lines, to_write) = mpsc::channel(LINES);
    let writing = tokio::spawn(write(writer, to_write));
    let (stop, gone) = (shared.stop.clone(), lines.clone());
    let mut client = Client {
        shared,
        from,
        lines,
        session: None,
        requests: JoinSet::new(),
        events: JoinSet::new(),
    };
    tokio::select! {
        () = client.read(reader) => {}
        // Nothing can be written to it any more.
        () = gone.closed() => {}
        () = stop.wait() => client.answer_what_was_taken(&stop).await,
    }
    // With the client go its requests, which the gateway then cancels, and its session.
    drop((client, gone));
    let _ = writing.await;
}

impl Client {
    async fn read(&mut self, reader: OwnedReadHalf) {
        let mut reader = BufReader::new(reader);
        loop {
            let next = line::next(&mut reader, self.shared.line_bytes);
            let next = match self.session {
                Some(_) => next.await,
                None => timeout(LOGIN, next).await.unwrap_or(Said::End),
            };
            let said = match next {
                Said::Line(said) => said,
                Said::Refused(id, fault) => {
                    self.say(line::answer(&id, Err(fault))).await;
                    continue;
                }
                Said::End => return,
            };
            match Request::read(&said) {
                Ok(request) => self.take(request).await,
                Err(fault) => self.say(line::answer("-", Err(fault))).await,
            }
        }
    }

    async fn take(&mut self, request: Request<'_>) {
        let outcome = match request.word {
            "login" => self.login(request.rest).await,
            "events" => self.show_events(),
            op => match self.ask(request.id, op, request.rest) {
                // It is answered when its answer comes.
                Ok(()) => return,
                Err(fault) => Err(fault),
            },
        };
        self.say(line::answer(request.id, outcome)).await;
    }

    async fn login(&mut self, said: &str) -> Result<RawJson, Fault> {
        let (user, secret) = said.split_once(' ').unwrap_or((said, ""));
        let gateway = &self.shared.gateway;
        let session = gateway.login(&self.from, user, Secret::new(secret)).await?;
        let role = RawJson::new(session.role().as_str());
        self.session = Some(session);
        role
    }

    fn session(&self) -> Result<&Session, Fault> {
        let nobody = || {
            Fault::new(
                FaultKind::Unauthorized,
                "log in first: 1 login NAME PASSWORD",
            )
        };
        self.session.as_ref().ok_or_else(nobody)
    }

    fn show_events(&mut self) -> Result<RawJson, Fault> {
        let session = self.session()?.id();
        if self.events.is_empty() {
            let events = self.shared.events.subscribe();
            self.events
                .spawn(write_events(events, session, self.lines.clone()));
        }
        Ok(RawJson::null())
    }

    /// Asks the backend, in a task of its own, so that an emergency stop never waits behind something long.
    fn ask(&mut self, id: &str, op: &str, args: &str) -> Result<(), Fault> {
        // In the logs of everybody the request is known by the client's own word, too.
        let session = self.session()?.named(id);
        let args = match args.trim() {
            "" => RawJson::from_string("{}".to_owned())?,
            args => RawJson::from_string(args.to_owned())?,
        };
        while self.requests.try_join_next().is_some() {}
        let urgent = find_op(op).is_some_and(|op| op.urgent);
        let places = if urgent { 2 * REQUESTS } else { REQUESTS };
        if self.requests.len() >= places {
            let why = format!("you wait for {REQUESTS} answers already");
            return Err(Fault::new(FaultKind::Busy, why));
        }
        let (id, op, lines) = (id.to_owned(), op.to_owned(), self.lines.clone());
        self.requests.spawn(async move {
            let outcome = session.call(&op, args).await;
            let line = line::answer(&id, outcome.map(|reply| reply.body));
            // An error means that the client is gone.
            let _ = lines.send(line).await;
        });
        Ok(())
    }

    async fn say(&self, line: String) {
        let _ = self.lines.send(line).await;
    }

    /// The gateway ends: nothing more is read, and what was taken is waited for as long as there is time.
    async fn answer_what_was_taken(&mut self, stop: &patchbay_sdk::Stop) {
        let answered = async { while self.requests.join_next().await.is_some() {} };
        let _ = timeout_at(stop.answer_until(), answered).await;
    }
}

async fn write_events(
    mut events: broadcast::Receiver<Arc<GatewayEvent>>,
    session: u64,
    lines: mpsc::Sender<String>,
) {
    loop {
        let line = match events.recv().await {
            Ok(event) if event.session.is_none_or(|only| only == session) => line::event(&event),
            // It is for somebody else alone.
            Ok(_) => continue,
            Err(RecvError::Lagged(events)) => line::missed(events),
            Err(RecvError::Closed) => return,
        };
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        match timeout(WRITE, writer.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            // It is gone, or does not read. Nobody writes to it from now on.
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
