//! What the rogue can be asked to do.

use patchbay_sdk::{BackendContext, Event, EventKind, Fault, FaultKind, Reply};
use serde_json::json;
use std::time::Duration;

/// One misbehaviour.
pub(crate) enum Deed {
    /// `panic`: in the call itself.
    Panic,
    /// `panic in task`: in a task that the call has started.
    PanicInTask,
    /// `panic in drop`: when what the call held is dropped.
    PanicInDrop,
    /// `hang`: never answer.
    Hang,
    /// `sleep MS`: answer late.
    Sleep(u64),
    /// `big BYTES`: answer with a string of that length.
    Big(usize),
    /// `flood N`: that many events, then the answer.
    Flood(u64),
    /// `fail`: the whole instance.
    Fail,
}

impl Deed {
    pub(crate) fn read(code: &str) -> Option<Deed> {
        let (word, number) = code.rsplit_once(' ').unwrap_or((code, ""));
        Some(match (word, number) {
            ("panic", "") => Deed::Panic,
            ("panic in", "task") => Deed::PanicInTask,
            ("panic in", "drop") => Deed::PanicInDrop,
            ("hang", "") => Deed::Hang,
            ("fail", "") => Deed::Fail,
            ("sleep", ms) => Deed::Sleep(ms.parse().ok()?),
            ("big", bytes) => Deed::Big(bytes.parse().ok()?),
            ("flood", events) => Deed::Flood(events.parse().ok()?),
            _ => return None,
        })
    }

    pub(crate) async fn act(self, cx: &BackendContext) -> Result<Reply, Fault> {
        match self {
            Deed::Panic => panic!("a call panics on request"),
            Deed::PanicInTask => drop(tokio::spawn(async { panic!("a task panics on request") })),
            Deed::PanicInDrop => {
                let _armed = Armed;
                tokio::task::yield_now().await;
            }
            Deed::Hang => std::future::pending().await,
            Deed::Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Deed::Big(bytes) => return Reply::new(&"x".repeat(bytes)),
            Deed::Flood(events) => flood(cx, events)?,
            Deed::Fail => cx.fail(Fault::new(
                FaultKind::Internal,
                "the instance fails on request",
            )),
        }
        Ok(Reply::null())
    }
}

fn flood(cx: &BackendContext, events: u64) -> Result<(), Fault> {
    for number in 0..events {
        cx.emit(Event::new(EventKind::Log, &json!({ "number": number }))?);
    }
    Ok(())
}

/// Panics when it is dropped.
struct Armed;

impl Drop for Armed {
    fn drop(&mut self) {
        panic!("a drop panics on request");
    }
}
