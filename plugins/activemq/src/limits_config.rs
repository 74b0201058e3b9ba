//! The part of the configuration that bounds what clients can use up.

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, field_within};
use serde::{Deserialize, Serialize};

/// Bounds on what clients can use up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The longest request, in bytes; a longer one is answered with an error. At most 64 MiB.
    pub request_bytes: usize,
    /// Requests that wait or are being done, of all clients; further ones are answered with an error, urgent ones are
    /// done all the same. At most 10000. ActiveMQ keeps only some 200 unacknowledged messages of a queue on their way,
    /// so that above about 100 urgent requests can be held up by others.
    pub requests: u16,
    /// Requests that wait for word of their unknown senders, see `stale_grace_s`, beside those; further ones do not wait
    /// but are not carried out. Together with `requests` well below 200, for the same reason.
    pub held: u16,
    /// Requests of one client that are not answered yet; further ones are answered with an error.
    pub requests_per_client: u16,
    /// Answers that the broker does not take, in bytes. Above it the health is `degraded` and new requests are answered
    /// with an error, urgent ones are done all the same; those under way may bring as much again, longer answers are
    /// thrown away and their clients told so. At most 1 GiB.
    pub answer_bytes: usize,
    /// Events that the broker does not take, in bytes; further ones are dropped. At most 1 GiB.
    pub event_bytes: usize,
    /// Clients that are logged in; one more login ends the session of the one that was silent longest.
    pub clients: usize,
    /// Temporary queues at the broker, of whomever, that are followed by its advisories. Beyond that requests whose sender
    /// has gone are carried out until the next connection.
    pub temporary_queues: usize,
    /// Events to a client that has asked for nothing since; one more ends its subscription.
    pub events_unread: u32,
    /// The same in bytes.
    pub events_unread_bytes: usize,
    /// Answers remembered in case the broker delivers a request again, beside those that it does not have yet.
    pub remembered: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            request_bytes: 4 << 20,
            requests: 100,
            held: 50,
            requests_per_client: 32,
            answer_bytes: 32 << 20,
            event_bytes: 8 << 20,
            clients: 256,
            temporary_queues: 100_000,
            events_unread: 10_000,
            events_unread_bytes: 8 << 20,
            remembered: 4_096,
        }
    }
}

impl LimitsConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// `Invalid` naming the field and what it must be.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let limits = self;
        field_within(
            "limits.request_bytes",
            limits.request_bytes as u64,
            1,
            64 << 20,
        )?;
        field_within("limits.requests", limits.requests.into(), 1, 10_000)?;
        field_within("limits.held", limits.held.into(), 0, 10_000)?;
        field_within(
            "limits.requests_per_client",
            limits.requests_per_client.into(),
            1,
            10_000,
        )?;
        let most = 1 << 30;
        field_within("limits.answer_bytes", limits.answer_bytes as u64, 1, most)?;
        field_within("limits.event_bytes", limits.event_bytes as u64, 1, most)?;
        field_within("limits.clients", limits.clients as u64, 1, 100_000)?;
        field_within(
            "limits.temporary_queues",
            limits.temporary_queues as u64,
            1,
            10_000_000,
        )?;
        let unread = limits.events_unread;
        field_within("limits.events_unread", unread.into(), 1, 1_000_000)?;
        let unread = limits.events_unread_bytes as u64;
        field_within("limits.events_unread_bytes", unread, 1, 1 << 30)?;
        field_within("limits.remembered", limits.remembered as u64, 1, 1_000_000)
    }
}
