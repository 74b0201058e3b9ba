//! Events, and who reads them.

use super::super::suite::{How, Outcome, Requirement, Subject, demand};
use super::FrontendSuite;
use super::client::Protocol;

/// More than a frontend has credit for at once.
const EVENTS: u64 = 1000;

/// So much text in each of them that what is not read does not fit into the system's buffers.
const LONG: usize = 8 << 10;

pub(super) fn requirements<P: Protocol>() -> Vec<Requirement<FrontendSuite<P>>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "F12",
            "Each client that wants events gets all of them, in their order",
            |s| Box::pin(all(s)),
        ),
        scene("F13", "A client that does not read holds up nobody", |s| {
            Box::pin(slow(s))
        }),
    ]
}

async fn all<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut members = [suite.member().await?, suite.member().await?];
            for member in &mut members {
                member.subscribe().await?;
            }
            let host = suite.host()?;
            let tells = host.tell(EVENTS, "an event");
            let [one, other] = &mut members;
            let reads = async {
                for number in 0..EVENTS {
                    for member in [&mut *one, &mut *other] {
                        let event = member.event().await?;
                        demand(event["number"] == number, || {
                            format!(
                                "after event {number} of {EVENTS} were due, a client gets {event}"
                            )
                        })?;
                    }
                }
                Ok(())
            };
            let (told, read) = tokio::join!(
                suite.within("there is no credit for further events", tells),
                reads
            );
            read?;
            told?;
            let subscriptions = host.book().subscriptions;
            demand(subscriptions == 1, || {
                format!("it subscribes {subscriptions} times; once, and fan out to the clients")
            })
        })
        .await
}

async fn slow<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut lazy = suite.member().await?;
            lazy.subscribe().await?;
            let host = suite.host()?;
            let text = "x".repeat(LONG);
            // Nobody reads: there has to be credit all the same.
            suite
                .within(
                    "while one client does not read, there is no credit for further events",
                    host.tell(EVENTS, &text),
                )
                .await?;
            let mut other = suite.member().await?;
            other.eval("while one does not read").await?;
            other.subscribe().await?;
            host.tell(1, "at last").await;
            let event = other.event().await?;
            demand(event["text"] == "at last", || {
                format!("a client that came later gets {event}")
            })
        })
        .await
}
