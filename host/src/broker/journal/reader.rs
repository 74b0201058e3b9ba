//! Who reads a journal, how it catches up, and how it learns that it cannot.

use super::Kept;
use crate::broker::Place;
use patchbay_abi::{Delivery, Kind, Message, Port, head};
use std::collections::VecDeque;

/// Credit that one reader can pile up, in events.
const MOST_CREDIT: u32 = 65_536;

/// A frontend.
pub(in crate::broker) struct Reader {
    pub(super) at: Place,
    pub(super) port: Port,
    pub(super) credit: u32,
    /// The number of the event that it gets next; 0 if it has yet to be told of this life.
    pub(super) next: u64,
}

/// What is needed where readers are told of gaps, and what came of it.
pub(in crate::broker) struct Telling<'a> {
    /// The backend's status as it is known now, as JSON. It is made only where it is needed.
    pub(in crate::broker) status: &'a dyn Fn() -> Option<Vec<u8>>,
    /// The seats of the frontends that were told of a gap.
    pub(in crate::broker) told: Vec<usize>,
}

/// Events that a reader does not get any more: those of these numbers, or, from 0, all before a new
/// epoch or another backend.
pub(super) struct Gap {
    pub(super) epoch: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Reader {
    pub(super) fn new(at: Place, port: Port, next: u64) -> Self {
        Reader {
            at,
            port,
            credit: 0,
            next,
        }
    }

    pub(super) fn gets_credit(&mut self, events: u32) {
        self.credit = self.credit.saturating_add(events).min(MOST_CREDIT);
    }

    pub(super) fn catch_up(
        &mut self,
        epoch: u64,
        next: u64,
        kept: &VecDeque<Kept>,
        telling: &mut Telling<'_>,
    ) {
        while epoch != 0 && self.credit > 0 && self.next < next {
            let oldest = kept.front().map_or(next, |kept| kept.seq);
            let (delivery, then) = match self.next < oldest {
                true => {
                    let gap = Gap {
                        epoch,
                        from: self.next,
                        to: oldest - 1,
                    };
                    (self.is_told(&gap, telling), oldest)
                }
                false => match kept.get((self.next - oldest) as usize) {
                    Some(event) => (self.port.deliver(event.message.clone()), self.next + 1),
                    None => return,
                },
            };
            match delivery {
                Delivery::Taken => {}
                // It has no room although it gave credit: it gets this event with the next one, or when it says that it
                // is alive. Its credit stands, since it gives no more before it has read what it gave this for.
                Delivery::Refused => return,
                _ => {
                    self.credit = 0;
                    return;
                }
            }
            self.next = then;
            self.credit -= 1;
        }
    }

    pub(super) fn is_told(&self, gap: &Gap, telling: &mut Telling<'_>) -> Delivery {
        let delivery = self.port.deliver(gap.message((telling.status)()));
        // A new epoch is nobody's slowness.
        if delivery == Delivery::Taken && gap.from != 0 {
            telling.told.push(self.at.seat);
        }
        delivery
    }
}

impl Gap {
    fn message(&self, status: Option<Vec<u8>>) -> Message {
        let head = head::Event {
            epoch: self.epoch,
            seq: self.to,
            time: 0.0,
            kind: "gap".to_owned(),
            job: None,
            session: None,
        };
        let reason = if self.from == 0 {
            "new-epoch"
        } else {
            "not-kept"
        };
        let mut body = format!(
            r#"{{"missed_from":{},"missed_to":{},"reason":"{reason}""#,
            self.from, self.to
        )
        .into_bytes();
        if let Some(status) = status {
            body.extend_from_slice(b",\"status\":");
            body.extend_from_slice(&status);
        }
        body.push(b'}');
        Message::new(Kind::EVENT, 0, &head).body(body)
    }
}
