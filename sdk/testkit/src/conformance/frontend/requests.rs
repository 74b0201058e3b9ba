//! Requests of clients, and their answers.

use super::super::suite::{How, Outcome, Requirement, Subject, Unmet, demand};
use super::client::Protocol;
use super::clients::brief;
use super::reception::{HOLD, REFUSE};
use super::{FrontendSuite, Guest};
use std::collections::BTreeMap;

/// Requests of one client at once. A frontend that takes fewer says so to the others.
const SEVERAL: u64 = 8;
const MANY: u64 = 300;

/// A large text, in bytes.
const LARGE: usize = 1 << 20;

/// See the backends' of the same name; here without a NUL, which some protocols cannot say.
const TEXT: &str = "\"quoted\" \\n '\u{1}' \r\n\t \u{2028} \u{e9}\u{20ac}\u{1f9ea} e\u{301} \u{5d0}\u{5d1} {} %s $1 </script>";

pub(super) fn requirements<P: Protocol>() -> Vec<Requirement<FrontendSuite<P>>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "F5",
            "An answer goes to the one who asked, and to the request that it answers",
            |s| Box::pin(answers(s)),
        ),
        scene(
            "F6",
            "A client's requests are begun in the order in which it sent them",
            |s| Box::pin(order(s)),
        ),
        scene(
            "F7",
            "A refusal reaches the client, in the words of who refuses",
            |s| Box::pin(refusals(s)),
        ),
        scene("F8", "Text arrives as it was", |s| Box::pin(text(s))),
        scene("F9", "What is large arrives whole, or is refused", |s| {
            Box::pin(large(s))
        }),
        scene(
            "F10",
            "Many requests at once are each answered, or refused",
            |s| Box::pin(many(s)),
        ),
        scene("F11", "What is no request harms nobody else", |s| {
            Box::pin(babble(s))
        }),
    ]
}

async fn answers<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    let at_once = if suite.in_turn { 1 } else { SEVERAL };
    suite
        .serving(async |_| {
            let mut members = [suite.member().await?, suite.member().await?];
            for _ in 0..SEVERAL / at_once {
                crossed(suite, &mut members, at_once).await?;
            }
            Ok(())
        })
        .await
}

/// So many requests of each client are under way, and answered when all have come, the last one first.
async fn crossed<P: Protocol>(
    suite: &FrontendSuite<P>,
    members: &mut [Guest<P::Client>],
    at_once: u64,
) -> Outcome {
    let code = |member: usize, tag: u64| format!("{HOLD}{tag} of {member}");
    for tag in 0..at_once {
        for (number, member) in members.iter_mut().enumerate() {
            member.send(tag, &code(number, tag)).await?;
        }
    }
    let host = suite.host()?;
    let all = host.holds(members.len() * at_once as usize);
    suite
        .within(
            "requests that are sent at once do not come to the host",
            all,
        )
        .await?;
    host.release();
    for (number, member) in members.iter_mut().enumerate() {
        for (tag, value) in tags(member, at_once).await? {
            let expected = code(number, tag);
            demand(value == expected, || {
                format!("client {number} asked for \"{expected}\", and got \"{value}\"")
            })?;
        }
    }
    Ok(())
}

/// So many answers, each to another request.
async fn tags<C: super::Client>(
    member: &mut Guest<C>,
    many: u64,
) -> Result<BTreeMap<u64, String>, Unmet> {
    let mut answers = BTreeMap::new();
    for _ in 0..many {
        let (tag, told) = member.answer().await?;
        let value = told.map_err(|why| {
            Unmet::failed(format!(
                "request {tag} was answered, and the client is told: {why}"
            ))
        })?;
        let value = value["value"].as_str().unwrap_or_default().to_owned();
        if answers.insert(tag, value).is_some() {
            return Err(Unmet::failed(format!(
                "request {tag} is answered more than once"
            )));
        }
    }
    Ok(answers)
}

async fn order<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut member = suite.member().await?;
            for tag in 0..SEVERAL {
                member.send(tag, &tag.to_string()).await?;
            }
            tags(&mut member, SEVERAL).await?;
            let host = suite.host()?;
            let book = host.book();
            let codes: Vec<_> = book
                .calls
                .iter()
                .filter_map(|(_, _, args)| args["code"].as_str())
                .collect();
            let sent: Vec<_> = (0..SEVERAL).map(|tag| tag.to_string()).collect();
            demand(codes == sent, || {
                format!("sent in the order {sent:?}, they come to the host in the order {codes:?}")
            })
        })
        .await
}

async fn refusals<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut member = suite.member().await?;
            let words = format!("{REFUSE}no \u{1f9ea} today");
            member.send(3, &words).await?;
            let (tag, told) = member.answer().await?;
            let is_told = tag == 3 && matches!(&told, Err(why) if why.contains(&words));
            demand(is_told, || format!("the host refuses with \"{words}\", and the client is told of request {tag}: {told:?}"))?;
            member.eval("and on").await
        })
        .await
}

async fn text<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            suite.member().await?.eval(TEXT).await?;
            let host = suite.host()?;
            let book = host.book();
            let asked = book
                .calls
                .last()
                .map(|(_, _, args)| args["code"].clone())
                .unwrap_or_default();
            demand(asked == TEXT, || {
                format!("the client sends {TEXT:?}, and the host gets {asked}")
            })
        })
        .await
}

async fn large<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut member = suite.member().await?;
            let text = "\u{e9}".repeat(LARGE / 2);
            member.send(4, &text).await?;
            let (tag, told) = member.answer().await?;
            let is_right = tag == 4
                && match &told {
                    Ok(value) => value["value"] == text.as_str(),
                    Err(why) => why.bytes().any(|byte| byte.is_ascii_digit()),
                };
            demand(is_right, || {
                let told = brief(&format!("{told:?}"));
                format!("a text of {LARGE} bytes comes back whole, or is refused with the limit; the client is told: {told}")
            })?;
            suite.member().await?.eval("another one").await
        })
        .await
}

async fn many<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut member = suite.member().await?;
            let mut told = std::collections::BTreeSet::new();
            for tag in 0..MANY {
                member.send(tag, &tag.to_string()).await?;
            }
            for _ in 0..MANY {
                let (tag, answer) = member.answer().await?;
                demand(told.insert(tag), || {
                    format!("request {tag} is answered more than once")
                })?;
                if let Ok(value) = answer {
                    let is_its_own = value["value"].as_str() == Some(&tag.to_string());
                    demand(is_its_own, || {
                        format!("request {tag} is answered with {value}")
                    })?;
                }
            }
            member.eval("and on").await
        })
        .await
}

async fn babble<P: Protocol>(suite: &FrontendSuite<P>) -> Outcome {
    suite
        .serving(async |_| {
            let mut other = suite.member().await?;
            let mut guest = suite.guest().await?;
            if !guest.babble().await? {
                return Err(Unmet::not_applicable(
                    "the test does not say what is no request in its protocol",
                ));
            }
            other.eval("somebody else").await?;
            suite.member().await?.eval("somebody new").await
        })
        .await
}
