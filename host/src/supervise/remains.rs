//! What is left of a life that is over: nothing, once its thread has ended. The host's port, which only the plugin
//! holds, is dropped with the last of its threads; that is how its end is known.
//!
//! A thread cannot be killed. One that is blocked is left behind: counted, said and waited for without end, because
//! it may still hold what the next life needs, a port to listen on for example.

use crate::broker::{Broker, Life};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a thread may take to end when nothing is wrong: the SDK gives blocking work a second.
const GRACE: Duration = Duration::from_secs(3);

/// Waits until a life is gone, or is left behind.
pub(super) async fn see_off(broker: Arc<Broker>, seat: usize, mut told: mpsc::Receiver<Life>) {
    if timeout(GRACE, gone(&mut told)).await.is_ok() {
        return;
    }
    let id = broker.seats()[seat].id();
    let abandoned = broker.seats()[seat].abandons();
    broker.metrics().add(id, "threads_abandoned", 1);
    tracing::error!(
        instance = id,
        abandoned,
        "a thread of it hangs and is left behind; it goes when it comes to its end, or with the gateway"
    );
    tokio::spawn(async move {
        gone(&mut told).await;
        let seat = &broker.seats()[seat];
        let abandoned = seat.recovers();
        tracing::info!(
            instance = seat.id(),
            abandoned,
            "a thread that was left behind has ended after all"
        );
    });
}

async fn gone(told: &mut mpsc::Receiver<Life>) {
    while told.recv().await.is_some() {}
}
