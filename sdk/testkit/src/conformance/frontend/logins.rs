//! Who is let in, and who is not.

use super::super::suite::{How, Outcome, Requirement, Subject, demand};
use super::FrontendSuite;
use super::client::Protocol;
use super::reception::WRONG;

pub(super) fn requirements<P: Protocol>() -> Vec<Requirement<FrontendSuite<P>>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "F1",
            "A client gets in with its own name and password, unchanged",
            |s| Box::pin(right(s)),
        ),
        scene(
            "F2",
            "A client that is not let in is told why, in the host's words",
            |s| Box::pin(wrong(s)),
        ),
        scene(
            "F3",
            "Nothing is asked for a client that is not logged in",
            |s| Box::pin(strangers(s)),
        ),
        scene("F4", "A client that leaves is logged out", |s| {
            Box::pin(leaves(s))
        }),
    ]
}

async fn right<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut guest = suite.guest().await?;
            let told = guest.login(&suite.login.0, &suite.login.1).await?;
            let host = suite.host()?;
            let knocked = host.book().knocked.clone();
            let is_unchanged = knocked == [suite.login.clone()];
            demand(is_unchanged, || match knocked.last() {
                Some((user, _)) if *user == suite.login.0 => format!(
                    "the host is asked {} times, or with another password",
                    knocked.len()
                ),
                Some((user, _)) => format!(
                    "{} logs in, and the host is asked to let in {user:?}",
                    suite.login.0
                ),
                None => "the host is not asked".to_owned(),
            })?;
            demand(told.is_ok(), || {
                format!("the host lets it in, and the client is told: {told:?}")
            })
        })
        .await
}

async fn wrong<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut guest = suite.guest().await?;
            let told = guest.login(&suite.login.0, "another password").await?;
            let is_refused = matches!(&told, Err(why) if why.contains(WRONG));
            demand(is_refused, || {
                format!("the host says \"{WRONG}\", and the client is told: {told:?}")
            })?;
            suite.member().await?.eval("others").await
        })
        .await
}

async fn strangers<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut guest = suite.guest().await?;
            // It is answered with an error or cut off; either will do.
            if guest.send(1, "by a stranger").await.is_ok() {
                let told = guest.answer().await;
                let is_served = matches!(&told, Ok((_, Ok(_))));
                demand(!is_served, || format!("a client that is not logged in is answered: {:?}", told.ok()))?;
            }
            suite.member().await?.eval("by a member").await?;
            let host = suite.host()?;
            let asked = host.book().calls.len();
            demand(asked == 1, || format!("of a stranger's request and a member's, {asked} come to the host in place of one"))
        })
        .await
}

async fn leaves<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut member = suite.member().await?;
            member.eval("before it leaves").await?;
            drop(member);
            let host = suite.host()?;
            let session = host.book().sessions.clone();
            let left = host.until(|book| book.left == session);
            suite
                .within("a client is gone, and its session does not end", left)
                .await?;
            suite.member().await?.eval("another one").await
        })
        .await
}
