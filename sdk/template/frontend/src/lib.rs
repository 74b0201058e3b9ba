//! A frontend: clients write lines of text over TCP. What a line looks like stands in `line.rs`.
//!
//! One task a client (`client.rs`), and this one, which lets clients in and hands each event to all of them.

mod client;
mod line;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{
    Fault, FaultKind, Frontend, Gateway, GatewayEvent, Health, ListenAddress, Side, Stop,
    field_within,
};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// Events kept for clients that read slowly; whoever falls further behind is told how many it has missed. They are counted, not
/// weighed: where yours are large, bound them in bytes.
const EVENTS_KEPT: usize = 2048;

/// Clients that write lines of text over TCP. Passwords and scripts travel unencrypted: listen where only this machine,
/// or a network that you trust, can reach it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen, `host:port`.
    pub listen: ListenAddress,
    /// Clients at the same time; one more is sent away. From 1 to 10000.
    #[serde(default = "some_clients")]
    pub clients: usize,
    /// The longest line of a client, in bytes. From 1024 to 16777216.
    #[serde(default = "some_bytes")]
    pub line_bytes: usize,
}

fn some_clients() -> usize {
    64
}

fn some_bytes() -> usize {
    1 << 20
}

/// Lets clients in.
pub struct Lines;

/// What all clients share.
struct Shared {
    gateway: Gateway,
    line_bytes: usize,
    events: broadcast::Sender<Arc<GatewayEvent>>,
    stop: Stop,
}

impl Frontend for Lines {
    type Config = Config;

    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        // What the schema cannot say is checked here. Such a mistake is not tried again.
        field_within("clients", config.clients as u64, 1, 10_000)?;
        field_within("line_bytes", config.line_bytes as u64, 1024, 16 << 20)?;
        let listener = listen(&config.listen).await?;
        tracing::info!(at = %config.listen, "listens");
        gateway.health(Health::Up);
        gateway.ready();
        let shared = Arc::new(Shared {
            gateway: gateway.clone(),
            line_bytes: config.line_bytes,
            events: broadcast::Sender::new(EVENTS_KEPT),
            stop: stop.clone(),
        });
        let mut clients = JoinSet::new();
        let mut events = gateway.events();
        loop {
            tokio::select! {
                () = stop.wait() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if clients.len() >= config.clients => send_away(stream),
                    Ok((stream, from)) => {
                        clients.spawn(client::serve(shared.clone(), stream, from.to_string()));
                        gateway.level("clients", clients.len() as i64);
                    }
                    Err(error) => {
                        // Out of descriptors, say. It would be the same at once.
                        tracing::warn!(%error, "a client could not be let in");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(event) = events.next() => {
                    // An error means that nobody listens.
                    let _ = shared.events.send(Arc::new(event));
                }
                Some(_) = clients.join_next() => gateway.level("clients", clients.len() as i64),
            }
        }
        // Nobody else is let in; those who are in get their answers.
        drop(listener);
        while clients.join_next().await.is_some() {}
        Ok(())
    }
}

async fn listen(address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = format!("cannot listen at {address}: {error}");
        Fault::new(FaultKind::Unavailable, why).side(Side::Gateway)
    })
}

/// Says why, and closes. Whoever does not read it has to guess.
fn send_away(stream: TcpStream) {
    tokio::spawn(async move {
        let mut stream = stream;
        let why = b"- error \"there are too many clients; come again later\"\n";
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(why)).await;
    });
}

patchbay_sdk::export!(frontend = Lines);
