//! What a plugin speaks to comes and goes: a script server, a broker.

use super::life::{Begun, Life};
use super::suite::{How, Outcome, Requirement, Subject, Unmet, demand};
use patchbay_abi::{Kind, head};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// How a test takes away what its plugin speaks to, and gives it back.
pub trait Peer: Send + Sync + 'static {
    /// It is gone when this returns.
    fn take_away(&self) -> impl Future<Output = ()> + Send;

    /// It is there again, at the same address, when this returns.
    fn give_back(&self) -> impl Future<Output = ()> + Send;
}

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// [`Peer`], as the suite keeps it.
pub(super) trait Switch: Send + Sync {
    fn off(&self) -> Done<'_>;
    fn on(&self) -> Done<'_>;
}

impl<P: Peer> Switch for P {
    fn off(&self) -> Done<'_> {
        Box::pin(self.take_away())
    }

    fn on(&self) -> Done<'_> {
        Box::pin(self.give_back())
    }
}

pub(super) fn requirements<S: Subject>() -> Vec<Requirement<S>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "A15",
            "It starts without its peer, says that it is down, and serves when the peer is there",
            |s| Box::pin(starts_alone(s)),
        ),
        scene(
            "A16",
            "It says when its peer goes, and finds it again by itself",
            |s| Box::pin(finds_again(s)),
        ),
    ]
}

/// The test's switch.
pub(super) fn switch<S: Subject>(subject: &S) -> Result<Arc<dyn Switch>, Unmet> {
    let peer = subject.birth().peer.clone();
    peer.ok_or_else(|| Unmet::not_applicable("the test names no `peer`"))
}

async fn starts_alone<S: Subject>(subject: &S) -> Outcome {
    let peer = switch(subject)?;
    peer.off().await;
    let (life, begun) = subject
        .begin(&subject.birth().config)
        .await
        .map_err(Unmet::Failed)?;
    let outcome = match begun {
        Begun::Ready => says(&life, 0, false).await,
        Begun::Failed(fault) => Err(Unmet::failed(format!(
            "its peer is away, and in place of waiting for it, it fails: {fault}"
        ))),
        Begun::Silent => Err(Unmet::failed("its peer is away, and it does not say READY")),
    };
    // In any case, for the scenes that follow.
    let from = life.stage.len();
    peer.on().await;
    let outcome = match outcome {
        Ok(()) => comes_up(subject, &life, from).await,
        Err(unmet) => Err(unmet),
    };
    life.end().await;
    outcome
}

async fn finds_again<S: Subject>(subject: &S) -> Outcome {
    let peer = switch(subject)?;
    subject
        .serving(async |life| {
            says(life, 0, true).await?;
            subject.served(life).await?;
            let from = life.stage.len();
            peer.off().await;
            let down = says(life, from, false).await;
            let from = life.stage.len();
            peer.on().await;
            down?;
            comes_up(subject, life, from).await
        })
        .await
}

async fn comes_up<S: Subject>(subject: &S, life: &Life, from: usize) -> Outcome {
    says(life, from, true).await?;
    subject.served(life).await
}

/// Waits until it says that it is up, or that it is not.
pub(super) async fn says(life: &Life, from: usize, is_up: bool) -> Outcome {
    let patience = life.patience();
    let look = |message: &patchbay_abi::Message| {
        let health = message.read_head::<head::Health>().ok();
        let health = health.filter(|_| message.kind == Kind::HEALTH)?;
        ((health.state == "up") == is_up).then_some(())
    };
    let said = life.stage.find(from, patience, look).await;
    demand(said.is_some(), || match is_up {
        true => format!("its peer is there, and it does not say that it is up within {patience:?}"),
        false => {
            format!("its peer is away, and it does not say that it is down within {patience:?}")
        }
    })
}
