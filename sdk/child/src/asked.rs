//! What a program was asked and has not answered yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_abi::{Fault, FaultKind, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub(crate) type Answer = Result<Message, Fault>;

/// What has to be known of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question {
    /// It goes before everything else.
    pub urgent: bool,
    /// It changes something, so that nobody can say that nothing was done once it was sent.
    pub changes: bool,
    /// It is never refused for being one too many: whoever asks bounds the number of these.
    pub emergency: bool,
}

/// So many places that they are never all taken.
const WITHOUT_LIMIT: u32 = 1 << 28;

pub(crate) struct Asked {
    ordinary: Places,
    urgent: Places,
    emergencies: Places,
    table: Mutex<HashMap<u64, Waits>>,
}

struct Waits {
    changes: bool,
    answer: oneshot::Sender<Answer>,
}

struct Places {
    most: u32,
    free: Arc<Semaphore>,
}

/// Is given back when nobody waits for the answer any more.
pub(crate) type Place = OwnedSemaphorePermit;

impl Asked {
    pub(crate) fn new(most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(WITHOUT_LIMIT);
        Asked {
            ordinary: Places::new(most),
            urgent: Places::new(most),
            emergencies: Places::new(WITHOUT_LIMIT),
            table: Mutex::default(),
        }
    }

    /// A panic elsewhere leaves it whole.
    fn table(&self) -> MutexGuard<'_, HashMap<u64, Waits>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a request.
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) fn enter(
        &self,
        id: u64,
        question: Question,
    ) -> Result<(Place, oneshot::Receiver<Answer>), Fault> {
        let places = match (question.emergency, question.urgent) {
            (true, _) => &self.emergencies,
            (false, true) => &self.urgent,
            (false, false) => &self.ordinary,
        };
        let place = places.take_one()?;
        let (answer, answered) = oneshot::channel();
        let changes = question.changes;
        self.table().insert(id, Waits { changes, answer });
        Ok((place, answered))
    }

    /// Nobody waits for it any more; whether somebody still did.
    pub(crate) fn forget(&self, id: u64) -> bool {
        self.table().remove(&id).is_some()
    }

    /// Answers one; whether somebody waited for it.
    pub(crate) fn answer(&self, id: u64, answer: Answer) -> bool {
        let waits = self.table().remove(&id);
        waits.is_some_and(|waits| waits.answer.send(answer).is_ok())
    }

    /// The program is gone: answers all by what can be known of them.
    pub(crate) fn settle(&self, unsent: &[u64], why: &str) {
        for (id, waits) in std::mem::take(&mut *self.table()) {
            let fault = match waits.changes && !unsent.contains(&id) {
                true => may_have_been_done(why),
                false => gone(why),
            };
            // Whoever waited may have left meanwhile.
            let _ = waits.answer.send(Err(fault));
        }
    }

    /// Waits until everybody has taken their answer.
    pub(crate) async fn all_taken(&self) {
        for places in [&self.ordinary, &self.urgent, &self.emergencies] {
            // They are never closed.
            let _ = places.free.acquire_many(places.most).await;
        }
    }
}

impl Places {
    fn new(most: u32) -> Self {
        let free = Arc::new(Semaphore::new(most as usize));
        Places { most, free }
    }

    fn take_one(&self) -> Result<Place, Fault> {
        self.free.clone().try_acquire_owned().map_err(|_| {
            let text = format!(
                "the program has {} requests to answer already (program.outstanding_most); try again in a moment",
                self.most
            );
            Fault::new(FaultKind::Busy, text)
        })
    }
}

pub(crate) fn gone(why: &str) -> Fault {
    let text = format!("the program is not there: {why}; try again in a moment");
    Fault::new(FaultKind::Unavailable, text)
}

fn may_have_been_done(why: &str) -> Fault {
    let text = format!(
        "the program had been sent this and is gone: {why}; it may or may not have been done: look before you ask again"
    );
    Fault::new(FaultKind::UnknownOutcome, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(asked: &Asked, id: u64, changes: bool) -> (Place, oneshot::Receiver<Answer>) {
        let question = Question {
            changes,
            ..Question::default()
        };
        asked.enter(id, question).unwrap()
    }

    #[tokio::test]
    async fn a_death_is_told_by_what_was_sent() {
        let asked = Asked::new(9);
        let waiting =
            [(1, true), (2, true), (3, false)].map(|(id, changes)| entered(&asked, id, changes));
        asked.settle(&[2], "it has died");
        let mut kinds = Vec::new();
        for (place, answer) in waiting {
            kinds.push(answer.await.unwrap().unwrap_err().kind);
            drop(place);
        }
        use FaultKind::{Unavailable, UnknownOutcome};
        assert_eq!(kinds, [UnknownOutcome, Unavailable, Unavailable]);
        asked.all_taken().await;
    }

    #[test]
    fn urgent_ones_have_places_of_their_own() {
        let asked = Asked::new(1);
        let ordinary = entered(&asked, 1, false);
        let busy = asked.enter(2, Question::default()).unwrap_err();
        assert_eq!(busy.kind, FaultKind::Busy);
        let urgent = Question {
            urgent: true,
            changes: true,
            emergency: false,
        };
        assert!(asked.enter(3, urgent).is_ok());
        drop(ordinary);
        assert!(asked.enter(4, Question::default()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_emergency_stop_is_never_one_too_many_and_is_waited_for() {
        let asked = Asked::new(1);
        let emergency = Question {
            urgent: true,
            changes: true,
            emergency: true,
        };
        let all = [1, 2, 3].map(|id| asked.enter(id, emergency).unwrap());
        let patience = std::time::Duration::from_secs(9);
        let taken = tokio::time::timeout(patience, asked.all_taken()).await;
        assert!(taken.is_err(), "nobody has taken an answer");
        drop(all);
        asked.all_taken().await;
    }
}
