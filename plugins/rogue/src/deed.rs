//! What the rogue can be asked to do.

use crate::end::End;
use crate::raw::Raw;
use patchbay_sdk::{BackendContext, Event, EventKind, Fault, FaultKind, Health, Reply};
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
    /// `block MS`: hold the instance's only thread.
    Block(u64),
    /// `sleep MS`: answer late.
    Sleep(u64),
    /// `big BYTES`: answer with a string of that length.
    Big(usize),
    /// `flood N`: that many events, then the answer.
    Flood(u64),
    /// `chatter N`: that many log lines, then the answer.
    Chatter(u64),
    /// `flap N`: down and up again so many times.
    Flap(u64),
    /// `leak BYTES`: never give them back.
    Leak(usize),
    /// `fail`: the whole instance.
    Fail,
    /// `end HOW`: the process in which it runs.
    End(End),
    /// `say WHAT`: past the SDK, as a plugin in another language might.
    Say(String),
    /// `forge N`: answer so many requests before and after its own, whoever asked for them and of whom.
    Forge(u64),
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
            ("block", ms) => Deed::Block(ms.parse().ok()?),
            ("sleep", ms) => Deed::Sleep(ms.parse().ok()?),
            ("big", bytes) => Deed::Big(bytes.parse().ok()?),
            ("flood", events) => Deed::Flood(events.parse().ok()?),
            ("chatter", lines) => Deed::Chatter(lines.parse().ok()?),
            ("flap", times) => Deed::Flap(times.parse().ok()?),
            ("leak", bytes) => Deed::Leak(bytes.parse().ok()?),
            ("end", how) => Deed::End(End::read(how)?),
            ("say", what) => Deed::Say(what.to_owned()),
            ("forge", number) => Deed::Forge(number.parse().ok()?),
            _ => return None,
        })
    }

    /// Does it, in the request of that number.
    pub(crate) async fn act(
        self,
        request: u64,
        cx: &BackendContext,
        raw: &Raw,
    ) -> Result<Reply, Fault> {
        match self {
            Deed::Panic => panic!("a call panics on request"),
            Deed::PanicInTask => drop(tokio::spawn(async { panic!("a task panics on request") })),
            Deed::PanicInDrop => {
                let _armed = Armed;
                tokio::task::yield_now().await;
            }
            Deed::Hang => std::future::pending().await,
            Deed::Block(ms) => std::thread::sleep(Duration::from_millis(ms)),
            Deed::Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Deed::Big(bytes) => return Reply::new(&"x".repeat(bytes)),
            Deed::Flood(events) => flood(cx, events)?,
            Deed::Chatter(lines) => (0..lines).for_each(|line| tracing::info!(line, "chatter")),
            Deed::Flap(times) => (0..times).for_each(|_| {
                cx.health(Health::Down("it flaps on request".to_owned()));
                cx.health(Health::Up);
            }),
            Deed::Leak(bytes) => drop(Box::leak(vec![1_u8; bytes].into_boxed_slice())),
            Deed::Fail => cx.fail(Fault::new(
                FaultKind::Internal,
                "the instance fails on request",
            )),
            Deed::End(how) => how.act(),
            Deed::Say(what) => raw.say(&what, request),
            Deed::Forge(many) => {
                let around = request.saturating_sub(many)..=request.saturating_add(many);
                let others = around.filter(|number| *number != request);
                others.for_each(|number| raw.answer(number, r#""forged""#));
                // Its own comes last, so that whoever gets it knows that the rest is done.
                return Reply::new(&"forged");
            }
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
