//! Scripts and what becomes of them.

use super::super::peer;
use super::super::suite::{How, Outcome, Requirement, Unmet, demand};
use super::BackendSuite;
use super::desk::{Desk, Sent};
use patchbay_abi::{FaultKind, Kind, Message, head};
use serde_json::{Value, json};

/// Requests that wait when something urgent comes.
const CROWD: usize = 64;

pub(super) fn requirements() -> Vec<Requirement<BackendSuite>> {
    let scene = |id, title, scene| Requirement {
        id,
        title,
        how: How::Scene(scene),
    };
    vec![
        scene(
            "B16",
            "A job's life is told in order, under the id that `submit` gave, and ends once",
            |s| Box::pin(life_of_a_job(s)),
        ),
        scene(
            "B17",
            "A script that fails is not told to have succeeded",
            |s| Box::pin(failure(s)),
        ),
        scene(
            "B18",
            "Scripts run in the order in which they were submitted",
            |s| Box::pin(order(s)),
        ),
        scene("B19", "A stop waits for nothing, and ends what runs", |s| {
            Box::pin(stop(s))
        }),
        scene(
            "B20",
            "No two jobs have the same id, nor do they after a restart",
            |s| Box::pin(ids(s)),
        ),
        scene(
            "B21",
            "While its server is away, a script is refused as unavailable",
            |s| Box::pin(away(s)),
        ),
    ]
}

/// What an event of kind `job` tells.
#[derive(Debug, Clone)]
struct Told {
    job: String,
    state: String,
    outcome: Option<String>,
}

impl Told {
    fn read(message: &Message) -> Option<Told> {
        let head: head::Event = message
            .read_head()
            .ok()
            .filter(|_| message.kind == Kind::EVENT)?;
        let body: Value = serde_json::from_slice(&message.body).ok()?;
        (head.kind == "job").then_some(Told {
            job: head.job.unwrap_or_default(),
            state: body["state"].as_str().unwrap_or_default().to_owned(),
            outcome: body["outcome"].as_str().map(str::to_owned),
        })
    }

    fn is_end_of(&self, job: &str) -> bool {
        self.job == job && self.state == "finished"
    }
}

/// Everything that was told of jobs so far.
fn told(desk: &Desk<'_>) -> Vec<Told> {
    desk.life
        .stage
        .said()
        .iter()
        .filter_map(Told::read)
        .collect()
}

impl Desk<'_> {
    fn send_submit(&self, session: u64, code: &str) -> Sent {
        self.send_call(
            session,
            "submit",
            &json!({"name": "conformance", "code": code}),
        )
    }

    /// The id that a submit is answered with.
    async fn job(&self, sent: &Sent) -> Result<String, Unmet> {
        let answer = self.answer(sent).await?;
        let answer =
            answer.map_err(|fault| Unmet::failed(format!("`submit` was refused: {fault}")))?;
        let job = answer["job"].as_str().filter(|job| !job.is_empty());
        let job = job.ok_or_else(|| {
            Unmet::failed(format!(
                "`submit` is answered with the id of a job, a text; it said {answer}"
            ))
        })?;
        Ok(job.to_owned())
    }

    async fn submit(&self, session: u64, code: &str) -> Result<String, Unmet> {
        self.job(&self.send_submit(session, code)).await
    }

    /// The first thing told of that job that is so.
    async fn hears(
        &self,
        job: &str,
        what: &str,
        is_so: impl Fn(&Told) -> bool,
    ) -> Result<Told, Unmet> {
        let patience = self.life.patience();
        let look =
            |message: &Message| Told::read(message).filter(|told| told.job == job && is_so(told));
        let heard = self.life.stage.find(0, patience, look).await;
        heard.ok_or_else(|| {
            let all = told(self);
            Unmet::failed(format!(
                "no event `job` says that {job} {what} within {patience:?}; it was told {all:?}"
            ))
        })
    }

    async fn end_of(&self, job: &str) -> Result<Told, Unmet> {
        self.hears(job, "has finished", |told| told.is_end_of(job))
            .await
    }
}

fn script(suite: &BackendSuite) -> Result<&str, Unmet> {
    let script = suite.script.as_deref();
    script.ok_or_else(|| Unmet::not_applicable("the test names no `script`"))
}

async fn life_of_a_job(suite: &BackendSuite) -> Outcome {
    let code = script(suite)?;
    suite
        .in_session(async |desk, session| {
            let job = desk.submit(session, code).await?;
            let end = desk.end_of(&job).await?;
            demand(end.outcome.as_deref() == Some("succeeded"), || {
                format!(
                    "the test's script succeeds; it is told to have ended as {:?}",
                    end.outcome
                )
            })?;
            let known = desk.done(session, "job", json!({ "job": job })).await?;
            demand(known["id"] == job.as_str(), || {
                format!("`job` of {job} answers with another id: {known}")
            })?;
            // When another one has ended, nothing more is to come of the first.
            let other = desk.submit(session, code).await?;
            desk.end_of(&other).await?;
            let of_it: Vec<_> = told(desk)
                .into_iter()
                .filter(|told| told.job == job)
                .collect();
            let place = |state: &str| of_it.iter().position(|told| told.state == state);
            let places = ["queued", "started", "finished"].map(place);
            let is_in_order = places[0].is_some() && places.is_sorted_by(|one, next| one < next);
            demand(is_in_order, || {
                format!("a job is queued, started, finished; it was told {of_it:?}")
            })?;
            let is_last = place("finished") == of_it.len().checked_sub(1);
            demand(is_last, || {
                format!("nothing is told of a job after `finished`; it was told {of_it:?}")
            })
        })
        .await
}

async fn failure(suite: &BackendSuite) -> Outcome {
    let Some(code) = suite.failing.as_deref() else {
        return Err(Unmet::not_applicable("the test names no `failing_script`"));
    };
    suite
        .in_session(async |desk, session| {
            let job = desk.submit(session, code).await?;
            let outcome = desk.end_of(&job).await?.outcome;
            demand(outcome.as_deref() == Some("failed"), || {
                format!("the test's script fails; it is told to have ended as {outcome:?}")
            })
        })
        .await
}

async fn order(suite: &BackendSuite) -> Outcome {
    let code = script(suite)?;
    suite
        .in_session(async |desk, session| {
            // Nobody waits for an answer before the next one is sent.
            let sent: Vec<_> = (0..4).map(|_| desk.send_submit(session, code)).collect();
            let mut jobs = Vec::new();
            for sent in &sent {
                jobs.push(desk.job(sent).await?);
            }
            for job in &jobs {
                desk.end_of(job).await?;
            }
            let told = told(desk);
            let started = told
                .iter()
                .filter(|told| told.state == "started" && jobs.contains(&told.job));
            let started: Vec<_> = started.map(|told| told.job.clone()).collect();
            demand(started == jobs, || {
                format!("submitted in the order {jobs:?}, they started in the order {started:?}")
            })
        })
        .await
}

async fn stop(suite: &BackendSuite) -> Outcome {
    let Some(code) = suite.long.as_deref() else {
        return Err(Unmet::not_applicable("the test names no `long_script`"));
    };
    suite
        .in_session(async |desk, session| {
            let job = desk.submit(session, code).await?;
            desk.hears(&job, "has started", |told| told.state == "started").await?;
            let crowd: Vec<_> = (0..CROWD).map(|_| desk.send_call(session, "status", &json!({}))).collect();
            desk.done(session, "stop", json!({})).await?;
            let outcome = desk.end_of(&job).await?.outcome;
            demand(outcome.as_deref().is_some_and(|outcome| outcome != "succeeded"), || {
                format!("a script that was stopped has not succeeded; it is told to have ended as {outcome:?}")
            })?;
            for sent in &crowd {
                desk.reply(sent).await?;
            }
            Ok(())
        })
        .await
}

async fn ids(suite: &BackendSuite) -> Outcome {
    let code = script(suite)?;
    let mut jobs = Vec::new();
    for _ in 0..2 {
        suite
            .in_session(async |desk, session| {
                for _ in 0..2 {
                    let job = desk.submit(session, code).await?;
                    desk.end_of(&job).await?;
                    demand(!jobs.contains(&job), || {
                        format!("the id {job} is that of two jobs: {jobs:?}")
                    })?;
                    jobs.push(job);
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

async fn away(suite: &BackendSuite) -> Outcome {
    let code = script(suite)?;
    let switch = peer::switch(suite)?;
    suite
        .in_session(async |desk, session| {
            let from = desk.life.stage.len();
            switch.off().await;
            let down = peer::says(desk.life, from, false).await;
            let refused = match down {
                Ok(()) => desk.answer(&desk.send_submit(session, code)).await,
                Err(unmet) => Err(unmet),
            };
            switch.on().await;
            let refused = refused?;
            let is_right = matches!(&refused, Err(fault) if fault.kind == FaultKind::Unavailable && fault.retry);
            demand(is_right, || format!("with its server away, `submit` is refused as `unavailable`, to be tried again; it answered {refused:?}"))
        })
        .await
}
