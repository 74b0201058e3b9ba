//! A daemon that behaves, except where the test says otherwise.

#[path = "peer.rs"]
pub mod peer;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_abi::{Kind, head};
use patchbay_nicos::Nicos as Plugin;
use patchbay_nicos::pickle::Arg;
use patchbay_testkit::{BackendHost, Wire};
use peer::{ACK, banner, dict, header, level, number, refusal};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub const AUTHENTICATE: u16 = 0x64;
const QUIT: u16 = 0x63;

/// What the daemon does instead of answering a command.
#[derive(Debug, Clone)]
pub enum Wrong {
    /// Says this, and goes on.
    Says(Vec<u8>),
    /// Says this, and then nothing more until the client goes.
    Hangs(Vec<u8>),
    /// Says this, and closes the connection.
    Closes(Vec<u8>),
    /// Does not even read the command, until the client goes.
    Deaf,
    /// Says this over and over.
    Floods(Vec<u8>),
}

/// What the daemon sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Somebody tries to log in.
    Login(String),
    /// A command of that user.
    Command(String, u16),
    /// A client's connection was closed properly.
    Closed,
    /// It was reset, which can cost a real daemon its accept loop.
    Reset,
}

/// The daemon: where it is, and what it sees.
pub struct Daemon {
    pub address: String,
    pub seen: mpsc::UnboundedReceiver<Seen>,
    plan: Arc<Plan>,
}

/// Who it is, and what ends their event connection.
type User = (String, Arc<Notify>);

#[derive(Default)]
struct Plan {
    /// What goes wrong: with which command of which user. The first that fits is taken, and done once.
    wrong: Mutex<Vec<(String, u16, Wrong)>>,
    /// What is said on a user's next event connection.
    events: Mutex<Vec<(String, Wrong)>>,
    /// Who has logged in with which identity.
    users: Mutex<HashMap<[u8; 16], User>>,
    /// Changes when every connection is to end.
    cut: watch::Sender<()>,
    /// How many connections are open.
    open: watch::Sender<usize>,
}

impl Plan {
    fn wrong(&self, user: &str, code: u16) -> Option<Wrong> {
        let mut wrong = self.wrong.lock().unwrap();
        let at = wrong.iter().position(|(u, c, _)| u == user && *c == code)?;
        Some(wrong.remove(at).2)
    }

    fn events(&self, user: &str) -> Option<Wrong> {
        let mut events = self.events.lock().unwrap();
        let at = events.iter().position(|(u, _)| u == user)?;
        Some(events.remove(at).1)
    }
}

impl Daemon {
    /// The next such command of this user goes wrong; those before it that were to do so go first.
    pub fn spoil(&self, user: &str, code: u16, wrong: Wrong) {
        let mut all = self.plan.wrong.lock().unwrap();
        all.push((user.to_owned(), code, wrong));
    }

    /// The user's next event connection is used so.
    pub fn spoil_events(&self, user: &str, wrong: Wrong) {
        let mut all = self.plan.events.lock().unwrap();
        all.push((user.to_owned(), wrong));
    }

    /// Closes every connection.
    pub fn drop_everybody(&self) {
        self.plan.cut.send_replace(());
    }

    /// Waits until it has seen this; other things are left out.
    pub async fn sees(&mut self, wanted: &Seen) {
        let wait = async { while self.seen.recv().await.as_ref() != Some(wanted) {} };
        let wait = timeout(PATIENCE, wait).await;
        wait.unwrap_or_else(|_| panic!("the daemon does not see {wanted:?}"));
    }

    /// Waits until no connection is open.
    pub async fn is_left(&self) {
        let mut open = self.plan.open.subscribe();
        let left = timeout(PATIENCE, open.wait_for(|open| *open == 0)).await;
        left.expect("every connection ends").unwrap();
    }

    /// What it has seen up to now.
    pub fn seen_so_far(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }
}

/// Starts a daemon.
pub async fn daemon() -> Daemon {
    let socket = TcpSocket::new_v4().unwrap();
    // Little fits into the way to a daemon that does not read.
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(64).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, seen) = mpsc::unbounded_channel();
    let plan = Arc::<Plan>::default();
    let shared = Arc::clone(&plan);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (plan, tell) = (Arc::clone(&shared), tell.clone());
            tokio::spawn(async move {
                let mut cut = plan.cut.subscribe();
                plan.open.send_modify(|open| *open += 1);
                let served = tokio::select! {
                    served = serve(stream, &plan, &tell) => served,
                    _ = cut.changed() => Ok(()),
                };
                let end = match served {
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => Seen::Closed,
                    Err(_) => Seen::Reset,
                    // The daemon itself has closed it.
                    Ok(()) => return plan.open.send_modify(|open| *open -= 1),
                };
                let _ = tell.send(end);
                plan.open.send_modify(|open| *open -= 1);
            });
        }
    });
    Daemon {
        address,
        seen,
        plan,
    }
}

type Tell = mpsc::UnboundedSender<Seen>;

async fn serve(mut stream: TcpStream, plan: &Plan, tell: &Tell) -> std::io::Result<()> {
    let mut identity = [0; 16];
    stream.read_exact(&mut identity).await?;
    // The second connection of an identity is its event connection.
    let user = plan.users.lock().unwrap().remove(&identity);
    match user {
        Some((user, quit)) => {
            let wrong = plan.events(&user).unwrap_or(Wrong::Says(Vec::new()));
            tokio::select! {
                end = play(&mut stream, wrong) => end,
                () = quit.notified() => part(&mut stream).await,
            }
        }
        None => commands(stream, identity, plan, tell).await,
    }
}

async fn commands(
    mut stream: TcpStream,
    identity: [u8; 16],
    plan: &Plan,
    tell: &Tell,
) -> std::io::Result<()> {
    stream.write_all(&banner()).await?;
    let (mut user, quit) = (String::new(), Arc::new(Notify::new()));
    loop {
        let (code, length) = header(&mut stream).await?;
        let deaf = plan.wrong(&user, code);
        if let Some(Wrong::Deaf) = deaf {
            let _ = tell.send(Seen::Command(user.clone(), code));
            // Long enough for whoever waits to give up.
            tokio::time::sleep(Duration::from_secs(3)).await;
            return hang(&mut stream).await;
        }
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        let mut wrong = deaf;
        match code {
            AUTHENTICATE => {
                user = name_in(&payload);
                wrong = plan.wrong(&user, code);
                let who = (user.clone(), Arc::clone(&quit));
                plan.users.lock().unwrap().insert(identity, who);
                let _ = tell.send(Seen::Login(user.clone()));
            }
            code => drop(tell.send(Seen::Command(user.clone(), code))),
        }
        match wrong {
            None => stream.write_all(&good(code)).await?,
            Some(Wrong::Says(bytes)) => stream.write_all(&bytes).await?,
            Some(wrong) => return play(&mut stream, wrong).await,
        }
        if code == QUIT {
            quit.notify_one();
            return part(&mut stream).await;
        }
    }
}

/// The users of these tests have names of one letter, except for the observer.
fn name_in(credentials: &[u8]) -> String {
    let is_observer = credentials.windows(5).any(|part| part == b"guest");
    let at = credentials.windows(5).position(|part| part == b"login");
    let rest = &credentials[at.unwrap() + 5..];
    let name = rest.windows(5).find(|part| part[..4] == [1, 0, 0, 0]);
    match (is_observer, name) {
        (false, Some(name)) => char::from(name[4]).to_string(),
        _ => "guest".to_owned(),
    }
}

fn good(code: u16) -> Vec<u8> {
    match code {
        AUTHENTICATE => level(10),
        0x42 => dict(vec![
            ("status", Arg::Tuple(vec![Arg::Int(-1), Arg::Int(-1)])),
            ("script", Arg::from("")),
            ("requests", Arg::List(Vec::new())),
        ]),
        0x22 | 0x41 => number(1),
        0x11..=0x13 => refusal("no script is running"),
        _ => ACK.to_vec(),
    }
}

async fn play(stream: &mut TcpStream, wrong: Wrong) -> std::io::Result<()> {
    match wrong {
        Wrong::Says(bytes) | Wrong::Hangs(bytes) => {
            stream.write_all(&bytes).await?;
            hang(stream).await
        }
        Wrong::Closes(bytes) => stream.write_all(&bytes).await,
        Wrong::Deaf => hang(stream).await,
        Wrong::Floods(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
    }
}

/// Says no more, and waits for the client to go.
async fn part(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    hang(stream).await
}

/// Reads until the client goes, and tells how.
async fn hang(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut scrap = [0; 4096];
    while stream.read(&mut scrap).await? > 0 {}
    // A reset may follow.
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream.take_error()?.map_or(Ok(()), Err)?;
    Err(ErrorKind::UnexpectedEof.into())
}

/// The plugin at this daemon, once it says that all is well, with this configuration on top.
pub async fn plugin(daemon: &Daemon, more: Value) -> BackendHost {
    let mut config = json!({
        "address": daemon.address, "retry_first_s": 0.05, "retry_most_s": 0.2,
        "connect_deadline_s": 1, "reply_deadline_s": 1,
        "observer": {"login": "guest", "secret": {"value": "x"}},
    });
    let more = more.as_object().cloned().unwrap_or_default();
    config.as_object_mut().unwrap().extend(more);
    config
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let host = BackendHost::start::<Plugin>(config, Wire::InProcess).await;
    let host = host.expect("the plugin starts");
    health(&host, "up").await;
    host
}

/// An event, as it goes over the wire.
pub fn event(code: u16, payload: &[u8]) -> Vec<u8> {
    let code = code.to_be_bytes();
    let length = (payload.len() as u32).to_be_bytes();
    [&[3, code[0], code[1], 0][..], &length, payload].concat()
}

/// Waits until the plugin says that it is in this state, and returns why.
pub async fn health(host: &BackendHost, state: &str) -> String {
    loop {
        let told = host.next_of(&[Kind::HEALTH]).await;
        let told: head::Health = told.read_head().unwrap();
        if told.state == state {
            return told.reason;
        }
    }
}
