//! Who is let in.

use super::super::suite::{How, Outcome, Requirement, Subject, Unmet, demand};
use super::BackendSuite;
use super::desk::Desk;
use patchbay_abi::{FaultKind, head};
use patchbay_sdk::Role;
use serde_json::json;

pub(super) fn requirements() -> Vec<Requirement<BackendSuite>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "B1",
            "It lets in who may come in, under the session's number and with a role",
            |s| Box::pin(right(s)),
        ),
        scene("B2", "A wrong login is refused as unauthorized", |s| {
            Box::pin(wrong(s))
        }),
        scene(
            "B3",
            "It takes the host's word for somebody, or says that it does not",
            |s| Box::pin(vouched(s)),
        ),
        scene(
            "B4",
            "In a session that is not logged in, nothing is done",
            |s| Box::pin(strangers(s)),
        ),
    ]
}

async fn right(suite: &BackendSuite) -> Outcome {
    suite
        .serving(async |life| {
            let desk = Desk::new(life);
            let (user, password) = &suite.login;
            desk.enter(user, password).await?;
            let again = desk.try_login(user, password).await?;
            let (session, granted) = again
                .map_err(|fault| Unmet::failed(format!("{user} is not let in again: {fault}")))?;
            let number = granted.session;
            demand(number == session, || {
                format!("session {session} was logged in; the answer speaks of session {number}: a number that went through a `double`?")
            })?;
            let role = granted.role;
            demand(Role::from_name(&role).is_some(), || format!("there is no role {role:?}"))
        })
        .await
}

async fn wrong(suite: &BackendSuite) -> Outcome {
    let Some((user, password)) = &suite.wrong else {
        return Err(Unmet::not_applicable("the test names no `wrong_login`"));
    };
    suite
        .serving(async |life| {
            let desk = Desk::new(life);
            match desk.try_login(user, password).await? {
                Ok(_) => Err(Unmet::failed(format!("{user} is let in with a wrong password"))),
                Err(fault) => demand(fault.kind == FaultKind::Unauthorized && !fault.retry, || {
                    format!("a wrong login is `unauthorized`, and the same again is of no use; it was {fault:?}")
                }),
            }?;
            // Whoever is turned away takes nobody with them.
            desk.enter(&suite.login.0, &suite.login.1).await.map(drop)
        })
        .await
}

async fn vouched(suite: &BackendSuite) -> Outcome {
    suite
        .serving(async |life| {
            let desk = Desk::new(life);
            let (session, sent) = desk.send_login(&suite.login.0, "", Some("user"));
            let reply = desk.reply(&sent).await?;
            let head: head::Reply = reply.read_head().map_err(|error| Unmet::failed(error.to_string()))?;
            match (head.fault, head.session) {
                (Some(fault), _) => demand(fault.kind == FaultKind::Unauthorized || fault.retry, || {
                    format!("who is not let in on the host's word is `unauthorized`; it was {fault:?}")
                }),
                (None, Some(granted)) if granted.session == session => Ok(()),
                (None, granted) => Err(Unmet::failed(format!("session {session} was logged in; the answer says {granted:?}"))),
            }
        })
        .await
}

async fn strangers(suite: &BackendSuite) -> Outcome {
    suite
        .in_session(async |desk, session| {
            let refused = async |who: &str, session: u64| {
                let answer = desk.call(session, &suite.request.0, suite.request.1.clone()).await?;
                let is_refused = matches!(&answer, Err(fault) if fault.kind == FaultKind::Unauthorized);
                demand(is_refused, || {
                    format!("a request of {who} is to be refused as `unauthorized`; it was answered with {answer:?}")
                })
            };
            refused("a session that never was", Desk::number()).await?;
            desk.logout(session);
            // What the host sends later is begun later.
            refused("a session that is logged out", session).await?;
            let again = desk.enter(&suite.login.0, &suite.login.1).await?;
            desk.call(again, "status", json!({})).await.map(drop)
        })
        .await
}
