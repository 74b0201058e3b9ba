//! Where an instance under test speaks to: all that it says is kept, in its order.

use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Message, Port};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// So much is kept of what one instance says, in messages; the rest is only counted.
const MOST: usize = 300_000;

/// What one instance has said so far.
pub(super) struct Stage {
    said: Mutex<Vec<Message>>,
    news: watch::Sender<News>,
    answer: Box<Answer>,
}

/// What the host does at once when it is told something.
type Answer = dyn Fn(&Message) + Send + Sync;

#[derive(Default)]
struct News {
    unkept: usize,
    let_go: bool,
}

impl Stage {
    /// A stage that answers by `answer`, and the port of it for the instance. The instance alone holds the port.
    pub(super) fn new(answer: impl Fn(&Message) + Send + Sync + 'static) -> (Arc<Stage>, Port) {
        let stage = Arc::new(Stage {
            said: Mutex::default(),
            news: watch::Sender::default(),
            answer: Box::new(answer),
        });
        let port = Port::new(Ear(stage.clone()));
        (stage, port)
    }

    /// All that was said so far.
    pub(super) fn said(&self) -> MutexGuard<'_, Vec<Message>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much was said so far.
    pub(super) fn len(&self) -> usize {
        self.said().len()
    }

    /// What was said beyond what is kept.
    pub(super) fn unkept(&self) -> usize {
        self.news.borrow().unkept
    }

    /// The first thing that was said, or will be, from that place on, in which `look` finds what it looks for.
    pub(super) async fn find<T>(
        &self,
        from: usize,
        within: Duration,
        mut look: impl FnMut(&Message) -> Option<T>,
    ) -> Option<T> {
        let mut next = from;
        let look = |_: &News| {
            let said = self.said();
            let found = said.iter().skip(next).find_map(&mut look);
            next = said.len().max(next);
            found
        };
        self.until(within, look).await
    }

    /// Whether the instance lets go of its way to the host.
    pub(super) async fn is_let_go(&self, within: Duration) -> bool {
        let look = |news: &News| news.let_go.then_some(());
        self.until(within, look).await.is_some()
    }

    async fn until<T>(
        &self,
        within: Duration,
        mut look: impl FnMut(&News) -> Option<T>,
    ) -> Option<T> {
        let mut news = self.news.subscribe();
        let search = async {
            loop {
                if let Some(found) = look(&news.borrow_and_update()) {
                    return found;
                }
                // The sender is held by `self`.
                let _ = news.changed().await;
            }
        };
        timeout(within, search).await.ok()
    }
}

/// The instance's end of the stage.
struct Ear(Arc<Stage>);

impl Deliver for Ear {
    fn deliver(&self, message: Message) -> Delivery {
        let stage = &self.0;
        let is_kept = {
            let mut said = stage.said();
            let is_kept = said.len() < MOST;
            if is_kept {
                said.push(message.clone());
            }
            is_kept
        };
        stage
            .news
            .send_modify(|news| news.unkept += usize::from(!is_kept));
        (stage.answer)(&message);
        Delivery::Taken
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.0.news.send_modify(|news| news.let_go = true);
    }
}
