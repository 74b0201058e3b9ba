//! The way to the server: one task owns the connection, writes orders to it and reads answers and events from it. When it breaks,
//! it is made anew.

use crate::board::Board;
use crate::jobs::NewJob;
use crate::line::{self, Said};
use patchbay_sdk::{BackendContext, Backoff, Fault, FaultKind, Health, Stop};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// Orders that wait until they are written, in each lane, and orders that wait for their answer.
const WAITING: usize = 256;

/// A connection that is not made, or on which nothing can be written, for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server says to an order, or why it says no.
pub(crate) type Answer = Result<String, String>;

struct Order {
    line: String,
    /// What it submits, if it does.
    job: Option<NewJob>,
    answer: oneshot::Sender<Result<Answer, Fault>>,
}

/// Who gives orders. Clones give them to the same server.
#[derive(Clone)]
pub(crate) struct Server {
    usual: mpsc::Sender<Order>,
    urgent: mpsc::Sender<Order>,
    is_up: watch::Receiver<bool>,
}

impl Server {
    pub(crate) async fn ask(&self, line: String, urgent: bool) -> Result<Answer, Fault> {
        self.order(line, None, urgent).await
    }

    /// Submits a script. Whatever becomes of this future, the board learns what became of the job.
    pub(crate) async fn submit(&self, job: NewJob) -> Result<Answer, Fault> {
        let line = format!("RUN {} {}", job.id, line::quoted(&job.code));
        self.order(line, Some(job), false).await
    }

    async fn order(
        &self,
        line: String,
        job: Option<NewJob>,
        urgent: bool,
    ) -> Result<Answer, Fault> {
        if !*self.is_up.borrow() {
            return Err(away());
        }
        let lane = if urgent { &self.urgent } else { &self.usual };
        let (answer, answered) = oneshot::channel();
        let order = Order { line, job, answer };
        lane.try_send(order).map_err(|_| {
            let why = format!("{WAITING} orders wait for the server already; try again");
            Fault::new(FaultKind::Busy, why)
        })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// Nothing was sent.
fn away() -> Fault {
    Fault::new(FaultKind::Unavailable, "the line server is away")
}

/// Something was.
fn lost() -> Fault {
    let why = "the connection was lost; it may or may not have been done";
    Fault::new(FaultKind::UnknownOutcome, why)
}

/// The task that owns the connection.
pub(crate) struct Keeper {
    address: String,
    usual: mpsc::Receiver<Order>,
    urgent: mpsc::Receiver<Order>,
    is_up: watch::Sender<bool>,
    board: Arc<Board>,
    cx: BackendContext,
}

/// Who waits for an answer.
enum Waiting {
    Client(Order),
    /// The board, which wants to know what became of that job.
    Board(String),
}

/// A connection.
struct Connection {
    writer: OwnedWriteHalf,
    waiting: HashMap<u64, Waiting>,
    next: u64,
}

impl Keeper {
    pub(crate) fn new(address: String, board: Arc<Board>, cx: BackendContext) -> (Server, Keeper) {
        let (usual, usual_orders) = mpsc::channel(WAITING);
        let (urgent, urgent_orders) = mpsc::channel(WAITING);
        let (is_up, sees_up) = watch::channel(false);
        let server = Server {
            usual,
            urgent,
            is_up: sees_up,
        };
        let keeper = Keeper {
            address,
            usual: usual_orders,
            urgent: urgent_orders,
            is_up,
            board,
            cx,
        };
        (server, keeper)
    }

    /// Until the gateway wants the instance to end.
    pub(crate) async fn run(mut self) {
        let stop = self.cx.stop();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        while !stop.is_stopping() {
            let why = match timeout(PATIENCE, TcpStream::connect(&self.address)).await {
                Ok(Ok(stream)) => {
                    backoff.reset();
                    self.serve(stream, &stop).await
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer".to_owned(),
            };
            self.is_down(&why);
            tokio::select! {
                () = sleep(backoff.wait()) => {}
                () = stop.wait() => {}
            }
        }
    }

    fn is_down(&mut self, why: &str) {
        self.is_up.send_replace(false);
        let why = format!("{}: {why}", self.address);
        self.board.is_down(&why);
        self.cx.health(Health::Down(why));
        // What was not written was not done.
        for lane in [&mut self.usual, &mut self.urgent] {
            while let Ok(order) = lane.try_recv() {
                let _ = order.answer.send(Err(away()));
            }
        }
    }

    /// Until the connection breaks: why.
    async fn serve(&mut self, stream: TcpStream, stop: &Stop) -> String {
        let (reader, writer) = stream.into_split();
        let (mut reader, mut buffer) = (BufReader::new(reader), Vec::new());
        let mut connection = Connection {
            writer,
            waiting: HashMap::new(),
            next: 1,
        };
        let why = loop {
            let has_room = connection.waiting.len() < WAITING;
            let went_well = tokio::select! {
                biased;
                () = stop.wait() => Err("the gateway ends".to_owned()),
                Some(order) = self.urgent.recv() => connection.send(order).await,
                is_whole = line::read_on(&mut reader, &mut buffer) => match is_whole {
                    true => self.take(&std::mem::take(&mut buffer), &mut connection).await,
                    false => Err("it has hung up".to_owned()),
                },
                Some(order) = self.usual.recv(), if has_room => connection.send(order).await,
            };
            if let Err(why) = went_well {
                break why;
            }
        };
        // Of these nobody knows what became; the board asks when the connection is back.
        for waiting in connection.waiting.into_values() {
            if let Waiting::Client(order) = waiting {
                if let Some(job) = order.job {
                    self.board.is_in_doubt(job);
                }
                let _ = order.answer.send(Err(lost()));
            }
        }
        why
    }

    async fn take(&mut self, line: &[u8], connection: &mut Connection) -> Result<(), String> {
        let line = std::str::from_utf8(line).map_err(|_| "it says what is no text".to_owned())?;
        match Said::read(line.trim_end()).map_err(|fault| fault.message)? {
            Said::Answer(tag, answer) => self.answer(connection.waiting.remove(&tag), answer),
            Said::Boot(_) => {
                // What went on meanwhile is asked before clients ask anything.
                for job in self.board.unsettled() {
                    connection.look_up(job).await?;
                }
                self.board.is_up();
                self.cx.health(Health::Up);
                self.is_up.send_replace(true);
            }
            Said::Begin(job) => self.board.begins(job),
            Said::Line(job, line) => self.board.is_at(job, line),
            Said::Out(job, text) => self.board.says(job, &text),
            Said::End(job, outcome) => self.board.ends(job, outcome),
            Said::Dropped(job) => self.board.is_dropped(job),
        }
        Ok(())
    }

    fn answer(&self, waiting: Option<Waiting>, answer: Result<&str, &str>) {
        match waiting {
            Some(Waiting::Client(order)) => {
                // Here, and not where the answer is waited for: what the server says of the job comes next, and nobody may
                // wait any more.
                if let (Some(job), Ok(_)) = (order.job, answer) {
                    self.board.is_queued(job);
                }
                let answer = answer.map(str::to_owned).map_err(str::to_owned);
                let _ = order.answer.send(Ok(answer));
            }
            Some(Waiting::Board(job)) => self.board.settles(&job, answer.ok()),
            None => tracing::warn!("the server answers what nobody asked"),
        }
    }
}

impl Connection {
    async fn send(&mut self, order: Order) -> Result<(), String> {
        // Whoever has gone before anything was sent wants nothing done.
        if order.answer.is_closed() {
            return Ok(());
        }
        let line = order.line.clone();
        self.write(line, Waiting::Client(order)).await
    }

    async fn look_up(&mut self, job: String) -> Result<(), String> {
        let line = format!("JOB {job}");
        self.write(line, Waiting::Board(job)).await
    }

    async fn write(&mut self, line: String, waiting: Waiting) -> Result<(), String> {
        let tag = self.next;
        self.next += 1;
        // Before it is written: from the first byte on, nobody knows.
        self.waiting.insert(tag, waiting);
        let line = format!("{tag} {line}\n");
        match timeout(PATIENCE, self.writer.write_all(line.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it takes nothing any more".to_owned()),
        }
    }
}
