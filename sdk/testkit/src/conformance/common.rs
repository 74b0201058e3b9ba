//! What is demanded of backends and frontends alike.

use super::life::{Begun, Life};
use super::suite::{How, Outcome, Requirement, Subject, Unmet, demand};
use patchbay_abi::{FaultKind, Kind, Message, head};
use serde_json::{Value, json};

/// A key that no configuration has.
const STRANGE_KEY: &str = "no_such_key_of_anybody";

/// A kind of message that no side knows yet.
const STRANGE_KIND: Kind = Kind(60_000);

pub(super) fn requirements<S: Subject>() -> Vec<Requirement<S>> {
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
            "A1",
            "Its configuration has a schema, and a key that it does not know is refused by name",
            |s| Box::pin(configuration(s)),
        ),
        scene("A2", "It serves soon, and says so once", |s| {
            Box::pin(starts(s))
        }),
        scene("A3", "It answers a PING whatever it does", |s| {
            Box::pin(pings(s))
        }),
        always("A4", "It stops within the deadline that it is told"),
        always("A5", "Nothing follows its STOPPED but log lines"),
        scene(
            "A6",
            "When it has ended it lets go of everything, also when the host is gone without a word",
            |s| Box::pin(abandoned(s)),
        ),
        scene("A7", "It can live again", |s| Box::pin(lives_again(s))),
        scene("A8", "What it does not know does it no harm", |s| {
            Box::pin(unknown(s))
        }),
        always("A9", "Whatever it says is well formed"),
        always("A10", "It says only what is its to say"),
        always("A11", "It tells nobody a password"),
        always("A12", "It neither gives up nor stops of its own accord"),
        scene("A13", "It logs no more than it is asked for", |s| {
            Box::pin(level(s))
        }),
        always("A14", "It speaks in measure"),
    ]
}

async fn configuration<S: Subject>(subject: &S) -> Outcome {
    let birth = subject.birth();
    if let Some(schema) = birth.plugin.known_schema() {
        let schema: Value = serde_json::from_str(schema)
            .map_err(|error| Unmet::failed(format!("its schema is no JSON: {error}")))?;
        demand(schema["type"] == "object", || {
            "its schema does not say that the configuration is an object: derive `JsonSchema` for a struct".to_owned()
        })?;
    }
    let mut config = birth.config.clone();
    config[STRANGE_KEY] = json!(true);
    let (life, begun) = subject.begin(&config).await.map_err(Unmet::Failed)?;
    let outcome = match begun {
        Begun::Failed(fault)
            if fault.kind == FaultKind::Invalid && fault.message.contains(STRANGE_KEY) =>
        {
            Ok(())
        }
        Begun::Failed(fault) => Err(format!(
            "with the key `{STRANGE_KEY}` in its configuration it should say `invalid` and name the key; it said {:?}: {fault}",
            fault.kind
        )),
        Begun::Ready => Err(format!(
            "it starts with the key `{STRANGE_KEY}` in its configuration, so that nobody learns of a key that is misspelt: \
             say `#[serde(deny_unknown_fields)]`"
        )),
        Begun::Silent => Err(format!(
            "with the key `{STRANGE_KEY}` in its configuration it says neither READY nor FAILED"
        )),
    };
    life.abandon().await;
    outcome.map_err(Unmet::Failed)
}

async fn starts<S: Subject>(subject: &S) -> Outcome {
    subject.serving(async |_| Ok(())).await
}

async fn pings<S: Subject>(subject: &S) -> Outcome {
    subject
        .serving(async |life| {
            for ping in [1, u64::MAX, 7] {
                alive(life, ping).await?;
            }
            // Also if nobody gets in, which is another matter.
            let _ = subject.busy(life).await;
            alive(life, 8).await
        })
        .await
}

/// It answers that `PING`.
async fn alive(life: &Life, ping: u64) -> Outcome {
    demand(life.answers(ping).await, || {
        format!(
            "it does not answer PING {ping}: its thread is blocked, and the host will give it up"
        )
    })
}

async fn abandoned<S: Subject>(subject: &S) -> Outcome {
    subject.ready().await?.abandon().await;
    Ok(())
}

async fn lives_again<S: Subject>(subject: &S) -> Outcome {
    for _ in 0..2 {
        let scene = subject.serving(async |life| {
            subject.served(life).await?;
            alive(life, 1).await
        });
        scene.await?;
    }
    Ok(())
}

async fn unknown<S: Subject>(subject: &S) -> Outcome {
    subject
        .serving(async |life| {
            life.deliver(Message::new(STRANGE_KIND, 5, &json!({"later": true})));
            life.deliver(Message::bare(Kind::CANCEL, u64::MAX - 1));
            life.deliver(Message::new(
                Kind::LOGOUT,
                0,
                &head::Logout { session: u64::MAX },
            ));
            life.deliver(Message::new(
                Kind::LEVEL,
                0,
                &json!({"level": "debug", "later": [1]}),
            ));
            alive(life, 1).await?;
            subject.served(life).await
        })
        .await
}

async fn level<S: Subject>(subject: &S) -> Outcome {
    subject
        .serving(async |life| {
            let level = head::Level {
                level: "error".into(),
            };
            life.deliver(Message::new(Kind::LEVEL, 0, &level));
            alive(life, 1).await?;
            let from = life.stage.len();
            subject.served(life).await?;
            alive(life, 2).await?;
            let said = life.stage.said();
            let lines = said
                .iter()
                .skip(from)
                .filter(|message| message.kind == Kind::LOG);
            let lines = lines.filter_map(|line| line.read_head::<head::Log>().ok());
            match lines.into_iter().find(|line| line.level != "error") {
                Some(line) => Err(Unmet::failed(format!(
                    "asked for errors only, it said at level {}: {}",
                    line.level, line.message
                ))),
                None => Ok(()),
            }
        })
        .await
}
