//! How a frontend stops.

use super::super::suite::{How, Outcome, Requirement, Subject, Unmet, demand};
use super::FrontendSuite;
use super::client::Protocol;
use super::reception::HOLD;

/// One after the other.
const LIVES: usize = 4;

pub(super) fn requirements<P: Protocol>() -> Vec<Requirement<FrontendSuite<P>>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "F14",
            "What it has taken when it is told to stop is answered before it stops",
            |s| Box::pin(answers(s)),
        ),
        scene(
            "F15",
            "It begins anew where it was, and clients come back",
            |s| Box::pin(again(s)),
        ),
    ]
}

async fn answers<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |life| {
            let mut member = suite.member().await?;
            let code = format!("{HOLD}until it stops");
            member.send(5, &code).await?;
            let host = suite.host()?;
            suite.within("a request does not come to the host", host.holds(1)).await?;
            life.tell_to_stop();
            // Only when the STOP has been taken does the answer come.
            demand(life.answers(9).await, || "told to stop, it does not answer a PING".to_owned())?;
            host.release();
            let (tag, told) = member.answer().await?;
            let is_right = tag == 5 && matches!(&told, Ok(value) if value["value"] == code.as_str());
            demand(is_right, || format!("a request was under way, and was answered when it was to stop; the client is told of request {tag}: {told:?}"))
        })
        .await
}

async fn again<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    // With a client that is still there when its frontend ends, and beyond that.
    let mut members = Vec::new();
    for life in 0..LIVES {
        let scene = suite.serving(async |_| {
            let mut member = suite.member().await?;
            member.eval("once more").await?;
            members.push(member);
            Ok(())
        });
        let outcome = scene.await;
        match outcome {
            Err(unmet) if life > 0 => {
                let why = unmet.why();
                return Err(Unmet::failed(format!(
                    "in its life number {}, of {LIVES}: {why}",
                    life + 1
                )));
            }
            outcome => outcome?,
        }
    }
    Ok(())
}
