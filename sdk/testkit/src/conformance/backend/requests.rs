//! Requests and their answers, one by one and many at once.

use super::super::suite::{How, Outcome, Requirement, Unmet, demand};
use super::BackendSuite;
use super::desk::{Answer, Desk, brief};
use patchbay_abi::{Fault, FaultKind};
use patchbay_sdk::model::OPS;
use serde_json::{Value, json};

/// As many requests at once as the host lets one session have by default, times a few.
const MANY: usize = 256;

/// A large text, in bytes; a host takes 16 MiB by default.
const LARGE: usize = 1 << 20;

/// What text is made of that gets lost somewhere: quotes, an escape, line ends of all kinds, a NUL, what JavaScript takes for a
/// line end, letters of two, three and four bytes, one that is made of several, and one that is written from the right.
const TEXT: &str = "\"quoted\" \\n '\u{1}' \r\n\t\0 \u{2028} \u{e9}\u{20ac}\u{1f9ea} e\u{301} \u{5d0}\u{5d1} {} %s $1 </script>";

pub(super) fn requirements() -> Vec<Requirement<BackendSuite>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    let always = |id, title| Requirement {
        id,
        title,
        how: How::Always,
    };
    vec![
        scene(
            "B5",
            "Each request is answered once, by its own number",
            |s| Box::pin(numbers(s)),
        ),
        scene(
            "B6",
            "An operation that it does not know is refused as unsupported, by name",
            |s| Box::pin(unknown_op(s)),
        ),
        scene(
            "B7",
            "What it cannot do, it says beforehand and refuses with the reason",
            |s| Box::pin(capabilities(s)),
        ),
        scene(
            "B8",
            "Arguments that make no sense are refused as invalid, and the field is named",
            |s| Box::pin(arguments(s)),
        ),
        scene(
            "B9",
            "A cancelled request is not answered, and nothing else is harmed",
            |s| Box::pin(cancelled(s)),
        ),
        scene("B10", "A request that takes long holds up no other", |s| {
            Box::pin(side_by_side(s))
        }),
        scene("B11", "With requests under way it stops as soon", |s| {
            Box::pin(stops_busy(s))
        }),
        scene("B12", "Text comes back as it was", |s| Box::pin(text(s))),
        scene(
            "B13",
            "What is large comes back whole, or is refused as too large",
            |s| Box::pin(large(s)),
        ),
        scene(
            "B14",
            "Many requests at once are each answered, or refused as busy",
            |s| Box::pin(many(s)),
        ),
        always(
            "B15",
            "A refusal says why, and whether to ask again; none is a bug",
        ),
    ]
}

async fn numbers(suite: &BackendSuite) -> Outcome {
    let (op, args) = &suite.request;
    let text = args.to_string();
    suite
        .in_session(async |desk, session| {
            // Numbers that are no `double`, no `i64`, and not in order.
            let numbers = [u64::MAX, 1 << 63, (1 << 53) + 1, 3, 2, i64::MAX as u64];
            let send = |id| desk.send_call_as(id, session, op, text.clone());
            let sent = numbers.map(send);
            for sent in &sent {
                desk.reply(sent).await?;
            }
            // One that begins later is answered later: what was said to the requests before is all there by then.
            desk.call(session, "status", json!({})).await.map(drop)
        })
        .await
}

async fn unknown_op(suite: &BackendSuite) -> Outcome {
    let long = "\u{1f9ea}".repeat(5000);
    suite
        .in_session(async |desk, session| {
            for op in ["transmogrify", &long] {
                let short: String = op.chars().take(20).collect();
                match desk.call(session, op, json!({})).await? {
                    Err(fault) => demand(fault.kind == FaultKind::Unsupported && fault.message.contains(&short), || {
                        format!("`{short}` is no operation; it was refused, but not as `unsupported` with its name: {fault:?}")
                    })?,
                    Ok(value) => {
                        let value = brief(&value);
                        return Err(Unmet::failed(format!("`{short}` is no operation, and yet it was answered with {value}")));
                    }
                }
            }
            Ok(())
        })
        .await
}

/// Why the capabilities say that it cannot do something.
fn unsupported(capabilities: &Value, op: &str) -> Option<String> {
    capabilities["ops"][op]["unsupported"]
        .as_str()
        .map(str::to_owned)
}

async fn capabilities(suite: &BackendSuite) -> Outcome {
    suite
        .in_session(async |desk, session| {
            let capabilities = desk.done(session, "capabilities", json!({})).await?;
            demand(capabilities.is_object(), || format!("`capabilities` are an object; it said {}", brief(&capabilities)))?;
            // The host itself gives and takes control.
            let ops = OPS.iter().filter(|op| !op.is_control());
            for op in ops {
                let Some(why) = unsupported(&capabilities, op.name) else {
                    continue;
                };
                demand(!why.is_empty(), || format!("it cannot do `{}`, and does not say why", op.name))?;
                let answer = desk.call(session, op.name, some_args(op.name)).await?;
                let is_refused = matches!(&answer, Err(fault) if fault.kind == FaultKind::Unsupported);
                // What it can do may have changed meanwhile: an environment was opened.
                let now = desk.done(session, "capabilities", json!({})).await?;
                let is_right = is_refused || unsupported(&now, op.name).is_none();
                demand(is_right, || {
                    format!("it says that it cannot do `{}`; asked to, it answers {answer:?} in place of `unsupported`", op.name)
                })?;
            }
            Ok(())
        })
        .await
}

/// Arguments that an operation can read, and that do no harm.
fn some_args(op: &str) -> Value {
    match op {
        "submit" | "exec" | "eval" | "simulate" | "edit" => json!({"code": "0"}),
        "remove" | "job" => json!({"job": "none"}),
        "reorder" => json!({"jobs": []}),
        "find" => json!({"submit": {"code": "0"}, "since": 0}),
        "history" => json!({"key": "none", "from": 0, "to": 1}),
        "complete" => json!({"line": "x", "word": "x"}),
        "watch" | "unwatch" => json!({"expressions": []}),
        "answer" => json!({"prompt": "none"}),
        "environment" => json!({"do": "open"}),
        "native" => json!({"method": "none"}),
        _ => json!({}),
    }
}

async fn arguments(suite: &BackendSuite) -> Outcome {
    if suite.script.is_none() {
        return Err(Unmet::not_applicable(
            "the test names no `script`, so there is nothing that reads arguments",
        ));
    }
    suite
        .in_session(async |desk, session| {
            let wrong = [json!({}), json!({"code": 7}), json!({"code": ["x"]})];
            for args in wrong {
                let answer = desk.call(session, "submit", args.clone()).await?;
                let says = |fault: &Fault| fault.kind == FaultKind::Invalid && fault.message.contains("code");
                demand(matches!(&answer, Err(fault) if says(fault)), || {
                    format!("`submit` {args} has no `code` that is a text; that is `invalid`, and `code` is named; it answered {answer:?}")
                })?;
            }
            Ok(())
        })
        .await
}

fn slow(suite: &BackendSuite) -> Result<&(String, Value), Unmet> {
    suite
        .slow
        .as_ref()
        .ok_or_else(|| Unmet::not_applicable("the test names no `slow_request`"))
}

async fn cancelled(suite: &BackendSuite) -> Outcome {
    let (op, args) = slow(suite)?;
    suite
        .in_session(async |desk, session| {
            let sent = desk.send_call(session, op, args);
            // What begins after it is answered: it has begun.
            desk.call(session, "status", json!({})).await.map(drop)?;
            desk.cancel(&sent);
            desk.life.asked.is_dropped(sent.id, desk.life.stage.len());
            // Again, and one that was answered long ago: nothing comes of either.
            desk.cancel(&sent);
            let soon = desk.send_call(session, "status", &json!({}));
            desk.reply(&soon).await?;
            desk.cancel(&soon);
            desk.call(session, "status", json!({})).await.map(drop)
        })
        .await
}

async fn side_by_side(suite: &BackendSuite) -> Outcome {
    let (op, args) = slow(suite)?;
    suite
        .in_session(async |desk, session| {
            let other = desk.enter(&suite.login.0, &suite.login.1).await?;
            let sent = desk.send_call(session, op, args);
            for session in [other, session] {
                let answer = desk.call(session, "status", json!({})).await;
                answer
                    .map_err(|_| {
                        Unmet::failed(format!(
                            "while `{op}` is under way, `status` is not answered"
                        ))
                    })?
                    .map_err(|fault| {
                        Unmet::failed(format!(
                            "while `{op}` is under way, `status` is refused: {fault}"
                        ))
                    })?;
            }
            desk.cancel(&sent);
            Ok(())
        })
        .await
}

async fn stops_busy(suite: &BackendSuite) -> Outcome {
    let (op, args) = slow(suite)?;
    // That it stops in time, and says nothing afterwards, is seen at the end of each scene (A4, A5).
    let outcome = suite
        .in_session(async |desk, session| {
            desk.send_call(session, op, args);
            desk.call(session, "status", json!({})).await.map(drop)
        })
        .await;
    outcome?;
    demand(!suite.birth.notes.has_from("A4", "B11"), || {
        format!("with `{op}` under way it does not stop, see A4")
    })
}

/// Whether the text stands in the answer, as a JSON string of its own or in one.
fn has(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(values) => values.iter().any(|value| has(value, text)),
        Value::Object(fields) => fields.values().any(|value| has(value, text)),
        _ => false,
    }
}

/// Has the backend say a text.
async fn say(
    suite: &BackendSuite,
    desk: &Desk<'_>,
    session: u64,
    text: &str,
) -> Result<Answer, Unmet> {
    let says = suite.says.as_ref().ok_or_else(|| {
        Unmet::not_applicable("the test does not say how to have it say something")
    })?;
    let (op, args) = says(text);
    desk.call(session, &op, args).await
}

async fn text(suite: &BackendSuite) -> Outcome {
    suite
        .in_session(async |desk, session| {
            let answer = say(suite, desk, session, TEXT).await?;
            let is_whole = matches!(&answer, Ok(value) if has(value, TEXT));
            demand(is_whole, || {
                format!(
                    "it was to say {TEXT:?}, and said {}",
                    answer_in_brief(&answer)
                )
            })
        })
        .await
}

fn answer_in_brief(answer: &Answer) -> String {
    match answer {
        Ok(value) => brief(value),
        Err(fault) => format!("{:?}: {fault}", fault.kind),
    }
}

async fn large(suite: &BackendSuite) -> Outcome {
    suite
        .in_session(async |desk, session| {
            let text = "\u{e9}".repeat(LARGE / 2);
            let answer = say(suite, desk, session, &text).await?;
            let is_right = match &answer {
                Ok(value) => has(value, &text),
                Err(fault) => fault.kind == FaultKind::TooLarge && fault.message.bytes().any(|byte| byte.is_ascii_digit()),
            };
            demand(is_right, || {
                format!(
                    "a text of {LARGE} bytes comes back whole, or is refused as `too-large` with the limit; it answered {}",
                    answer_in_brief(&answer)
                )
            })?;
            // Whatever became of it, the session goes on.
            let answer = say(suite, desk, session, "and on").await?;
            demand(matches!(&answer, Ok(value) if has(value, "and on")), || {
                format!("after a text of {LARGE} bytes the session does not go on: {}", answer_in_brief(&answer))
            })
        })
        .await
}

async fn many(suite: &BackendSuite) -> Outcome {
    let (op, args) = &suite.request;
    suite
        .in_session(async |desk, session| {
            let sent: Vec<_> = (0..MANY).map(|_| desk.send_call(session, op, args)).collect();
            for sent in &sent {
                if let Err(fault) = desk.answer(sent).await? {
                    demand(fault.kind == FaultKind::Busy && fault.retry, || {
                        format!("of {MANY} requests at once, one was refused, and not as `busy`: {fault:?}")
                    })?;
                }
            }
            desk.call(session, "status", json!({})).await.map(drop)
        })
        .await
}
