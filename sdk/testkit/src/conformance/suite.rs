//! How the requirements are gone through.

use super::life::{Begun, Birth, Life};
use super::report::{Finding, Report, Verdict};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::timeout;

/// Longest reason that a report gives, in bytes.
const LONGEST: usize = 1500;

/// What became of looking at a requirement by itself: nothing to complain of, or this.
pub(super) type Outcome = Result<(), Unmet>;

/// Why a requirement is not met, or not looked at.
pub(super) enum Unmet {
    Failed(String),
    NotApplicable(String),
}

impl Unmet {
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Unmet::Failed(why.into())
    }

    pub(super) fn not_applicable(why: impl Into<String>) -> Self {
        Unmet::NotApplicable(why.into())
    }
}

impl Unmet {
    /// In words.
    pub(super) fn why(self) -> String {
        match self {
            Unmet::Failed(why) | Unmet::NotApplicable(why) => why,
        }
    }
}

/// Fails the requirement if something is not so.
pub(super) fn demand(is_so: bool, why: impl FnOnce() -> String) -> Outcome {
    match is_so {
        true => Ok(()),
        false => Err(Unmet::Failed(why())),
    }
}

/// One numbered requirement of the page.
pub(super) struct Requirement<S> {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) how: How<S>,
}

type Looking<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// How a requirement is looked at.
pub(super) enum How<S> {
    /// By a scene of its own.
    Scene(for<'a> fn(&'a S) -> Looking<'a>),
    /// In all that is said in all the scenes.
    Always,
}

/// What the suite knows of what it looks at.
pub(super) trait Subject {
    /// How a life of it begins.
    fn birth(&self) -> &Birth;

    /// Begins a life with that configuration.
    fn begin(&self, config: &Value) -> impl Future<Output = Result<(Life, Begun), String>>;

    /// Somebody is served, in an instance that is ready.
    async fn served(&self, life: &Life) -> Outcome;

    /// Gives an instance that is ready something to do, and does not wait for it.
    async fn busy(&self, life: &Life) -> Outcome;

    /// An instance that serves.
    async fn ready(&self) -> Result<Life, Unmet> {
        let notes = &self.birth().notes;
        if notes.is_hopeless(Hopeless::Start) {
            return Err(Unmet::not_applicable("it does not start, see A2 and A7"));
        }
        let why = match self.begin(&self.birth().config).await {
            Ok((life, Begun::Ready)) => {
                notes.has_lived();
                return Ok(life);
            }
            Ok((life, begun)) => {
                life.abandon().await;
                match begun {
                    Begun::Failed(fault) => format!("it does not start: {fault}"),
                    _ => format!(
                        "it says neither READY nor FAILED within {:?}",
                        self.birth().patience
                    ),
                }
            }
            Err(why) => why,
        };
        // Whoever waits for it in each scene learns nothing more.
        notes.give_up(Hopeless::Start);
        notes.note(if notes.lived() { "A7" } else { "A2" }, why);
        Err(Unmet::not_applicable("it does not start, see A2 and A7"))
    }

    /// A scene with an instance that serves; it is ended and gone through afterwards, whatever comes of the scene.
    async fn serving(&self, scene: impl AsyncFnOnce(&Life) -> Outcome) -> Outcome {
        let life = self.ready().await?;
        let outcome = scene(&life).await;
        life.end().await;
        outcome
    }
}

/// What need not be tried again in every scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hopeless {
    /// No instance starts.
    Start,
    /// Nobody is let in.
    Login,
}

/// What is noticed beside what a scene looks for. Clones are the same notes.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    lived: bool,
    entered: bool,
    hopeless: Vec<Hopeless>,
    scene: &'static str,
    /// Of which requirement, in which scene, and why.
    found: Vec<(&'static str, &'static str, String)>,
}

impl Notes {
    /// That requirement is not met.
    pub(super) fn note(&self, id: &'static str, why: impl Into<String>) {
        let mut noted = self.lock();
        let (scene, why) = (noted.scene, why.into());
        let why = match scene == id {
            true => why,
            false => format!("{why} (noticed while {scene} was looked at)"),
        };
        noted.found.push((id, scene, why));
    }

    /// An instance has started.
    fn has_lived(&self) {
        self.lock().lived = true;
    }

    fn lived(&self) -> bool {
        self.lock().lived
    }

    /// Somebody has been let in.
    pub(super) fn has_entered(&self) {
        self.lock().entered = true;
    }

    /// Somebody who has to be let in is not. If nobody ever was, that is a requirement's failure, and is not tried again in
    /// every scene; otherwise it is the scene's.
    pub(super) fn not_let_in(&self, id: &'static str, why: String) -> Unmet {
        if self.lock().entered {
            return Unmet::Failed(why);
        }
        self.give_up(Hopeless::Login);
        self.note(id, why);
        Unmet::NotApplicable(format!("nobody gets in, see {id}"))
    }

    /// It is not tried any more.
    fn give_up(&self, what: Hopeless) {
        self.lock().hopeless.push(what);
    }

    pub(super) fn is_hopeless(&self, what: Hopeless) -> bool {
        self.lock().hopeless.contains(&what)
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether that requirement was found not to be met.
    pub(super) fn has(&self, id: &str) -> bool {
        let noted = self.lock();
        noted.found.iter().any(|(of, ..)| *of == id)
    }

    /// As [`Notes::has`], in that scene.
    pub(super) fn has_from(&self, id: &str, scene: &str) -> bool {
        let noted = self.lock();
        noted
            .found
            .iter()
            .any(|(of, from, _)| *of == id && *from == scene)
    }

    fn begin(&self, scene: &'static str) {
        self.lock().scene = scene;
    }

    /// The first reason why that requirement is not met, and how many more there are.
    fn of(&self, id: &str) -> Option<String> {
        let noted = self.lock();
        let mut found = noted.found.iter().filter(|(of, ..)| *of == id);
        let (_, _, first) = found.next()?;
        Some(match found.count() {
            0 => first.clone(),
            more => format!("{first}; and {more} times more"),
        })
    }
}

/// Looks at one requirement after the other.
pub(super) async fn run<S: Subject>(subject: &S, requirements: Vec<Requirement<S>>) -> Report {
    let mut outcomes = Vec::new();
    for requirement in &requirements {
        subject.birth().notes.begin(requirement.id);
        outcomes.push(match &requirement.how {
            How::Scene(look) => look_at(subject, look(subject)).await,
            How::Always => Ok(()),
        });
    }
    let findings = requirements
        .iter()
        .zip(outcomes)
        .map(|(requirement, outcome)| Finding {
            id: requirement.id,
            title: requirement.title,
            verdict: verdict(outcome, subject.birth().notes.of(requirement.id)),
        });
    Report {
        subject: subject.birth().name.clone(),
        findings: findings.collect(),
    }
}

/// A scene of which a part hangs that is not the plugin's own, say a test's client, ends too.
async fn look_at(subject: &impl Subject, look: Looking<'_>) -> Outcome {
    let patience = subject.birth().patience * 8;
    let seen = timeout(patience, look).await;
    seen.unwrap_or_else(|_| {
        Err(Unmet::failed(format!(
            "it did not come to its end within {patience:?}"
        )))
    })
}

fn verdict(outcome: Outcome, noted: Option<String>) -> Verdict {
    match (outcome, noted) {
        (Err(Unmet::Failed(why)), _) | (_, Some(why)) => Verdict::Failed(shortened(why)),
        (Err(Unmet::NotApplicable(why)), None) => Verdict::NotApplicable(shortened(why)),
        (Ok(()), None) => Verdict::Passed,
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}
