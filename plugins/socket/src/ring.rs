//! The events that are kept, as lines that are ready to be sent.

use std::collections::VecDeque;

use bytes::Bytes;
use patchbay_dialect_json::{Since, Subscription, event_text};
use patchbay_sdk::{EventKind, Fault, GatewayEvent, RawJson};
use serde_json::json;

/// What an event costs beside its line, in bytes, so that short ones are not free.
const OVERHEAD: usize = 64;

/// No longer line is copied into a batch; it is shared instead.
const COPIED: usize = 16 << 10;

/// A ring of lines, bounded by bytes; readers have nothing but the number of the event that they saw last.
///
/// The ring does not know how far the backend is until it has heard of a first event. Until then its end is the default
/// number, 0 of epoch 0, which a reader may hold too: it means everything from that first event on.
#[derive(Debug, Default)]
pub struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
    limit: usize,
    /// The number before the first event of which this ring has ever heard.
    origin: Since,
    /// The number of the last event that is not kept any more.
    dropped: Option<Since>,
    end: Since,
}

#[derive(Debug)]
struct Kept {
    at: Since,
    kind: EventKind,
    line: Bytes,
}

/// Lines gathered to be written at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Short lines.
    pub small: Vec<u8>,
    /// A long one after them, shared with all who get it.
    pub large: Option<Bytes>,
    /// Gaps among them.
    pub gaps: u64,
}

impl Batch {
    /// So much is gathered before it is written, in bytes.
    pub const FULL: usize = 64 << 10;

    /// Whether no more should be added.
    pub fn is_full(&self) -> bool {
        self.large.is_some() || self.small.len() >= Self::FULL
    }

    /// Adds a line that has its newline. The batch must not be full.
    pub fn add(&mut self, line: &Bytes) {
        if line.len() <= COPIED {
            self.small.extend_from_slice(line);
        } else {
            self.large = Some(line.clone());
        }
    }
}

impl Ring {
    /// An empty one that keeps so many bytes. What comes next is what follows `start`; the default number, if that is not
    /// known.
    pub fn new(limit: usize, start: Since) -> Self {
        Ring {
            limit,
            origin: start,
            end: start,
            ..Ring::default()
        }
    }

    /// The number of the last event.
    pub fn end(&self) -> Since {
        self.end
    }

    /// Appends an event. The last one is kept however long it is.
    pub fn push(&mut self, at: Since, kind: EventKind, line: Bytes) {
        if self.end == Since::default() && kind != EventKind::Gap {
            self.origin = before(at);
        }
        if at <= self.end {
            // The clock that makes epochs was set back: nothing before can be told from what comes.
            *self = Ring::new(self.limit, before(at));
        }
        self.end = at;
        self.bytes += line.len() + OVERHEAD;
        self.kept.push_back(Kept { at, kind, line });
        while self.bytes > self.limit && self.kept.len() > 1 {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.line.len() + OVERHEAD;
            self.dropped = Some(oldest.at);
        }
    }

    /// Whether there is something for a reader who has seen the events up to that number.
    pub fn has_news(&self, seen: Since) -> bool {
        self.end != Since::default() && self.end != seen
    }

    /// Gathers what comes after `seen`, which moves on, until the batch is full.
    ///
    /// # Errors
    /// `Internal`, when a gap cannot be written.
    pub fn read(
        &self,
        seen: &mut Since,
        what: &Subscription,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        if self.end == Since::default() {
            return Ok(());
        }
        if *seen == Since::default() {
            *seen = self.origin;
        }
        let lost = self.dropped.unwrap_or(self.origin);
        if *seen < lost || *seen > self.end {
            batch.add(&gap(*seen, lost)?);
            batch.gaps += 1;
            *seen = lost;
        }
        let first = self.kept.partition_point(|kept| kept.at <= *seen);
        for kept in self.kept.range(first..) {
            if batch.is_full() {
                return Ok(());
            }
            if what.wants(&kept.kind) {
                batch.add(&kept.line);
            }
            *seen = kept.at;
        }
        Ok(())
    }
}

fn before(at: Since) -> Since {
    Since {
        seq: at.seq.saturating_sub(1),
        ..at
    }
}

/// Tells a reader that events up to `lost` are not kept any more; from 0, if it has seen none of that epoch.
fn gap(seen: Since, lost: Since) -> Result<Bytes, Fault> {
    let same = seen.epoch == lost.epoch && seen < lost;
    let from = if same { seen.seq + 1 } else { 0 };
    let event = GatewayEvent {
        epoch: lost.epoch,
        seq: lost.seq,
        time: 0.0,
        kind: EventKind::Gap,
        job: None,
        session: None,
        body: RawJson::new(&json!({"missed_from": from, "missed_to": lost.seq}))?,
        blobs: Vec::new(),
    };
    Ok(event_line(&event))
}

/// An event as a line, with its newline.
pub fn event_line(event: &GatewayEvent) -> Bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut line = format!(r#"{{"event":{}"#, event_text(event));
    if event.session.is_some() {
        line.push_str(r#","private":true"#);
    }
    for (position, blob) in event.blobs.iter().enumerate() {
        line.push_str(if position == 0 {
            r#","blobs":[""#
        } else {
            r#"",""#
        });
        STANDARD.encode_string(&**blob, &mut line);
    }
    line.push_str(if event.blobs.is_empty() {
        "}\n"
    } else {
        "\"]}\n"
    });
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const fn at(epoch: u64, seq: u64) -> Since {
        Since { epoch, seq }
    }

    fn push(ring: &mut Ring, epoch: u64, seq: u64, kind: EventKind) {
        let line = format!(
            "{{\"event\":{{\"epoch\":{epoch},\"seq\":{seq},\"kind\":\"{kind}\"}}}}\n",
            kind = kind.as_str()
        );
        ring.push(at(epoch, seq), kind, line.into());
    }

    /// A ring with logs of these numbers in epoch 9, of which only the last so many have room.
    fn logs(seqs: std::ops::RangeInclusive<u64>, room: usize) -> Ring {
        let mut ring = Ring::new(room * (OVERHEAD + 46), Since::default());
        seqs.for_each(|seq| push(&mut ring, 9, seq, EventKind::Log));
        ring
    }

    /// What a reader gets: `9:4` is an event, `9:4-7` a gap.
    fn read(ring: &Ring, seen: &mut Since, what: &Subscription) -> Vec<String> {
        let mut all = Vec::new();
        while ring.has_news(*seen) {
            let mut batch = Batch::default();
            ring.read(seen, what, &mut batch).unwrap();
            all.extend(batch.small);
            all.extend(batch.large.into_iter().flatten());
        }
        let text = String::from_utf8(all).unwrap();
        text.lines().map(shown).collect()
    }

    fn shown(line: &str) -> String {
        let event = &serde_json::from_str::<Value>(line).unwrap()["event"];
        match event["body"].is_object() {
            true => format!(
                "{}:{}-{}",
                event["epoch"], event["body"]["missed_from"], event["body"]["missed_to"]
            ),
            false => format!("{}:{}", event["epoch"], event["seq"]),
        }
    }

    fn all(ring: &Ring, mut seen: Since) -> Vec<String> {
        read(ring, &mut seen, &Subscription::default())
    }

    #[test]
    fn a_reader_gets_what_came_after_what_it_saw() {
        let mut ring = logs(5..=7, 10);
        let mut seen = at(9, 5);
        assert_eq!(
            read(&ring, &mut seen, &Subscription::default()),
            ["9:6", "9:7"]
        );
        assert!(read(&ring, &mut seen, &Subscription::default()).is_empty());
        push(&mut ring, 9, 8, EventKind::Log);
        assert_eq!(read(&ring, &mut seen, &Subscription::default()), ["9:8"]);
    }

    #[test]
    fn what_is_not_kept_is_a_gap() {
        let ring = logs(1..=10, 3);
        assert_eq!(all(&ring, at(9, 4)), ["9:5-7", "9:8", "9:9", "9:10"]);
        assert_eq!(
            all(&ring, at(9, 7)),
            ["9:8", "9:9", "9:10"],
            "nothing is missing"
        );
    }

    #[test]
    fn what_came_before_this_ring_began_is_a_gap_too() {
        let ring = logs(100..=101, 10);
        assert_eq!(all(&ring, at(9, 50)), ["9:51-99", "9:100", "9:101"]);
        assert_eq!(
            all(&ring, at(8, 50)),
            ["9:0-99", "9:100", "9:101"],
            "an epoch before"
        );
    }

    #[test]
    fn who_subscribed_before_the_first_event_misses_none() {
        assert_eq!(all(&Ring::new(1_000, Since::default()), at(0, 0)), [""; 0]);
        assert_eq!(all(&logs(100..=101, 10), at(0, 0)), ["9:100", "9:101"]);
        assert_eq!(
            all(&logs(100..=104, 3), at(0, 0)),
            ["9:100-101", "9:102", "9:103", "9:104"]
        );
    }

    #[test]
    fn a_ring_that_takes_up_another_ones_events_goes_on_from_there() {
        let mut ring = Ring::new(10_000, at(9, 99));
        assert_eq!(all(&ring, at(9, 99)), [""; 0], "nothing is missing");
        assert_eq!(all(&ring, at(9, 50)), ["9:51-99"]);
        push(&mut ring, 9, 100, EventKind::Log);
        push(&mut ring, 9, 101, EventKind::Log);
        assert_eq!(all(&ring, at(9, 99)), ["9:100", "9:101"]);
        assert_eq!(all(&ring, at(9, 100)), ["9:101"]);
        assert_eq!(all(&ring, at(8, 7)), ["9:0-99", "9:100", "9:101"]);
    }

    #[test]
    fn numbers_that_nobody_has_given_are_answered_with_a_gap_and_all_there_is() {
        let ring = logs(1..=2, 10);
        for seen in [at(9, 77), at(10, 1)] {
            assert_eq!(all(&ring, seen), ["9:0-0", "9:1", "9:2"]);
        }
    }

    #[test]
    fn a_new_epoch_follows_the_old_one() {
        let mut ring = logs(1..=2, 10);
        push(&mut ring, 11, 0, EventKind::Gap);
        push(&mut ring, 11, 1, EventKind::Log);
        assert_eq!(all(&ring, at(9, 1)), ["9:2", "11:0", "11:1"]);
        // The clock was set back.
        push(&mut ring, 10, 1, EventKind::Log);
        assert_eq!(all(&ring, at(11, 1)), ["10:0-0", "10:1"]);
    }

    #[test]
    fn only_the_wanted_kinds_come_and_gaps_always() {
        let mut ring = logs(1..=6, 4);
        push(&mut ring, 9, 7, EventKind::Job);
        let what = Subscription {
            kinds: Some(vec!["job".into()]),
            ..Subscription::default()
        };
        assert_eq!(read(&ring, &mut at(9, 1), &what), ["9:2-3", "9:7"]);
    }

    #[test]
    fn the_ring_is_bounded_but_for_its_last_event() {
        let mut ring = Ring::new(200, Since::default());
        for seq in 1..=3 {
            ring.push(at(1, seq), EventKind::Data, vec![b'x'; 100_000].into());
            assert_eq!(ring.kept.len(), 1);
        }
    }

    #[test]
    fn a_batch_is_written_before_it_grows_too_large() {
        let mut ring = Ring::new(10 << 20, Since::default());
        for seq in 1..=100 {
            ring.push(at(1, seq), EventKind::Log, vec![b'x'; 10_000].into());
        }
        ring.push(at(1, 101), EventKind::Data, vec![b'x'; 1_000_000].into());
        let mut seen = at(0, 0);
        let mut whole = 0;
        while ring.has_news(seen) {
            let mut batch = Batch::default();
            ring.read(&mut seen, &Subscription::default(), &mut batch)
                .unwrap();
            assert!(batch.small.len() < Batch::FULL + COPIED);
            whole += batch.small.len() + batch.large.map_or(0, |line| line.len());
        }
        assert_eq!(whole, 2_000_000);
    }

    #[test]
    fn blobs_stand_beside_the_event() {
        let event = GatewayEvent {
            epoch: 1,
            seq: 2,
            time: 3.0,
            kind: EventKind::Data,
            job: None,
            session: Some(7),
            body: RawJson::null(),
            blobs: vec![vec![0, 255].into(), Vec::new().into()],
        };
        let value: Value = serde_json::from_slice(&event_line(&event)).unwrap();
        assert_eq!(
            (&value["blobs"], &value["private"]),
            (&json!(["AP8=", ""]), &json!(true))
        );
        assert_eq!(value["event"]["seq"], 2);
    }
}
