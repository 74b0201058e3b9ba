//! All clients, by their reply-to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_sdk::GatewayEvent;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{Client, ClientState, Job};
use crate::reply_to::{temporary, temporary_queue};

/// How long after the broker's word that a client is gone its session ends. A broker that shuts down says so of all its
/// clients just before our own connection ends; those that come back by themselves keep their sessions.
const FAREWELL: Duration = Duration::from_secs(1);

/// Clients that are on their way to be logged in, at a time. They must not push out those that are.
const MAX_PENDING: usize = 64;

/// Who is logged in, or on the way there.
pub struct Clients {
    by_reply_to: Mutex<HashMap<String, Client>>,
    limit: usize,
    waiting: usize,
}

/// What became of a request.
pub enum Enqueued {
    /// It waits for its turn.
    Waits,
    /// It waits, and somebody has to work on the new client's queue.
    NewClient(Arc<ClientState>, mpsc::Receiver<Job>),
    /// The client has too many requests waiting.
    TooMany(Job),
    /// Nobody is logged in there.
    Stranger(Job),
    /// Too many others are logging in.
    Crowded(Job),
}

impl Clients {
    /// At most `limit` clients that are logged in, with at most `waiting` requests each.
    pub fn new(limit: usize, waiting: usize) -> Self {
        Self {
            by_reply_to: Mutex::default(),
            limit,
            waiting,
        }
    }

    /// The client there, if there is one.
    pub fn find(&self, reply_to: &str) -> Option<Client> {
        self.lock().get(reply_to).cloned()
    }

    /// Those that are to be told of that event.
    pub fn wanting(&self, event: &GatewayEvent) -> Vec<Client> {
        let mut all = self.matching(|_| true);
        all.retain(|client| client.state.wants(event));
        all
    }

    /// Puts a request into its client's queue; `open` says whether it may make a new client.
    pub fn enqueue(&self, job: Job, open: bool) -> Enqueued {
        let mut clients = self.lock();
        if let Some(client) = clients.get(&job.ticket.envelope.reply_to) {
            return client
                .enqueue(job)
                .map_or_else(Enqueued::TooMany, |()| Enqueued::Waits);
        }
        if !open {
            return Enqueued::Stranger(job);
        }
        let pending = |client: &&Client| !client.state.is_member();
        if clients.values().filter(pending).count() >= MAX_PENDING {
            return Enqueued::Crowded(job);
        }
        let reply_to = job.ticket.envelope.reply_to.clone();
        let (client, queue) = Client::new(&reply_to, self.waiting);
        if let Err(job) = client.enqueue(job) {
            return Enqueued::TooMany(job);
        }
        let state = client.state.clone();
        clients.insert(reply_to, client);
        Enqueued::NewClient(state, queue)
    }

    /// Ends the session of the client silent longest if one too many is logged in.
    pub fn keep_limit(&self) {
        let mut all = self.matching(|_| true);
        all.retain(|client| client.state.is_member());
        if all.len() > self.limit {
            let silent = all.into_iter().min_by_key(|client| client.state.seen());
            self.close(silent, "there are too many, and it was silent longest");
        }
    }

    /// Takes a client out unless it is logged in or has requests waiting.
    pub fn remove_if_useless(&self, client: &Arc<ClientState>) {
        let useless = |found: &Client| !found.state.is_member() && !found.is_busy();
        remove_same_if(&mut self.lock(), client, useless);
    }

    /// Ends the session of the client with that temporary queue (in the broker's words, without prefix).
    pub fn close_temporary(&self, name: &str, why: &str) {
        let found = self.matching(|reply_to| temporary(reply_to) == Some(name));
        self.close(found, why);
    }

    /// The broker says that clients' temporary queues are gone, or (again) there.
    pub fn mark_gone(&self, gone: bool, which: impl Fn(&str) -> bool) {
        for client in self.matching(|reply_to| temporary(reply_to).is_some_and(&which)) {
            client.state.mark_gone(gone);
        }
    }

    /// Ends the sessions of clients that are gone, of those idle for longer than `idle`, and of those that `is_absent`.
    pub fn sweep(&self, idle: Duration, is_absent: impl Fn(&str) -> bool) {
        let now = Instant::now();
        let gone = |client: &Client| {
            client
                .state
                .gone_since()
                .is_some_and(|since| now - since >= FAREWELL)
        };
        let absent =
            |client: &Client| temporary_queue(&client.state.reply_to).is_some_and(&is_absent);
        let all: Vec<Client> = self.matching(|_| true);
        self.close(
            all.iter()
                .filter(|client| gone(client) || absent(client))
                .cloned(),
            "it has gone",
        );
        self.close(
            all.into_iter()
                .filter(|client| now - client.state.seen() > idle),
            "it was idle for too long",
        );
    }

    /// One with requests in its queue stays until they are answered: there must not be another queue beside it.
    fn close(&self, clients: impl IntoIterator<Item = Client>, why: &str) {
        for client in clients {
            let ended = client.state.log_out();
            self.remove_if_useless(&client.state);
            if ended.is_some() {
                tracing::info!(
                    client = client.state.reply_to,
                    why,
                    "a client's session has ended"
                );
            }
        }
    }

    fn matching(&self, wanted: impl Fn(&str) -> bool) -> Vec<Client> {
        let clients = self.lock();
        clients
            .iter()
            .filter(|(reply_to, _)| wanted(reply_to))
            .map(|(_, client)| client.clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Client>> {
        self.by_reply_to
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Not another client that has the same reply-to by now.
fn remove_same_if(
    clients: &mut HashMap<String, Client>,
    client: &Arc<ClientState>,
    useless: impl Fn(&Client) -> bool,
) {
    let same = |found: &Client| Arc::ptr_eq(&found.state, client);
    let found = clients.get(&client.reply_to);
    if found.is_some_and(|found| same(found) && useless(found)) {
        clients.remove(&client.reply_to);
    }
}
