//! What is kept of one backend: an entry for each question.

use super::Snapshots;
use super::entry::{Entry, Flight, Heard, Kept, Look, Waiting};
use super::variant::{Subject, Variant};
use crate::broker::KeptAnswer;
use patchbay_abi::Buffer;
use std::time::Instant;

/// Questions that answers are kept of; the one that nobody has asked for longest goes first.
const MOST: usize = 16;

/// What is kept of one backend.
#[derive(Default)]
pub(in crate::broker) struct Shelf {
    /// The backend's present life.
    epoch: u64,
    entries: Vec<Entry>,
    heard: [Heard; Subject::ALL.len()],
    /// The last `state` event, but for its line.
    pub(super) state: Option<String>,
    last_token: u64,
}

/// Somebody asks.
pub(super) struct Question<'a> {
    pub(super) variant: &'a Variant,
    pub(super) session: u64,
    pub(super) fresh: bool,
    /// The present life of the backend, if it has one.
    pub(super) epoch: Option<u64>,
    /// The backend does not say that it is down.
    pub(super) is_well: bool,
    /// The client was let in by this backend, in this life or an earlier one.
    pub(super) was_let_in: bool,
    /// It is logged in there now.
    pub(super) is_attached: bool,
}

/// What is done about it.
pub(super) enum Step {
    /// It is answered with this.
    Show(Kept),
    /// It is answered with this, and with why there is nothing newer.
    ShowOld(Kept),
    /// It waits for the answer to another one.
    Wait,
    /// It goes through.
    Go,
}

/// What comes of an answer.
#[derive(Default)]
pub(super) struct Landed {
    /// These are answered with it.
    pub(super) served: Vec<u64>,
    /// These ask for themselves.
    pub(super) alone: Vec<u64>,
}

impl Shelf {
    /// What was kept may not hold any more.
    pub(in crate::broker) fn touched(&mut self, subject: Subject) {
        self.heard[subject as usize].touches += 1;
        self.stir(subject);
    }

    /// A line has moved.
    pub(super) fn moved(&mut self, subject: Subject) {
        self.heard[subject as usize].moves += 1;
        self.stir(subject);
    }

    fn stir(&mut self, subject: Subject) {
        for entry in &mut self.entries {
            entry.stirred |= entry.variant.subject == subject;
        }
    }

    /// A life of the backend begins. What is kept of an earlier one is shown only while the backend is down.
    pub(in crate::broker) fn begins(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.state = None;
        self.touched_all();
    }

    /// A request that changes something was answered.
    pub(in crate::broker) fn touched_all(&mut self) {
        Subject::ALL
            .into_iter()
            .for_each(|subject| self.touched(subject));
    }

    fn find(&mut self, variant: &Variant) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.variant == *variant)
    }

    /// What is done about a question.
    pub(super) fn consider(
        &mut self,
        question: &Question<'_>,
        limits: &Snapshots,
        now: Instant,
    ) -> Step {
        let heard = self.heard[question.variant.subject as usize];
        let Some(entry) = self.find(question.variant) else {
            return Step::Go;
        };
        (entry.wanted, entry.session) = (now, question.session);
        if question.fresh || !question.was_let_in {
            return Step::Go;
        }
        let kept = entry.kept.clone();
        match question.epoch {
            None => return Step::ShowOld(kept),
            Some(epoch) if epoch != kept.epoch => return Step::Go,
            Some(_) => {}
        }
        let holds = question.is_well && kept.holds(heard, limits, now);
        match &entry.flight {
            _ if question.is_attached && holds => Step::Show(kept),
            Some(flight) if now >= flight.asked + limits.patience => Step::ShowOld(kept),
            Some(_) if question.is_attached => Step::Wait,
            _ => Step::Go,
        }
    }

    /// A request waits for an answer: its own, or that of the flight that is under way. There is something to show when
    /// its patience ends.
    pub(in crate::broker) fn waits(
        &mut self,
        variant: &Variant,
        id: u64,
        until: Instant,
        was_sent: bool,
    ) {
        let (epoch, touches) = (self.epoch, self.heard[variant.subject as usize].touches);
        let entry = self.find(variant).filter(|entry| entry.kept.epoch == epoch);
        if let Some(entry) = entry {
            entry.waiting.push(Waiting {
                id,
                was_sent,
                touches,
                until,
            });
        }
    }

    /// A request does not wait any more.
    pub(in crate::broker) fn leaves(&mut self, variant: &Variant, id: u64) {
        if let Some(entry) = self.find(variant) {
            entry.waiting.retain(|waiting| waiting.id != id);
        }
    }

    /// Who waits although nobody asks, and until when: the first of them.
    pub(super) fn stranded(&mut self, variant: &Variant) -> Option<(u64, Instant)> {
        let entry = self.find(variant).filter(|entry| entry.flight.is_none())?;
        let first = entry.waiting.iter().find(|waiting| !waiting.was_sent)?;
        Some((first.id, first.until))
    }

    /// A request goes to the backend.
    pub(in crate::broker) fn departs(&mut self, variant: Variant, only_new: bool) -> Look {
        self.last_token += 1;
        let (token, asked) = (self.last_token, Instant::now());
        let heard = self.heard[variant.subject as usize];
        if let Some(entry) = self.find(&variant).filter(|_| !only_new) {
            entry.flight = Some(Flight { token, asked });
            entry.stirred = false;
        }
        Look {
            variant,
            token,
            asked,
            heard,
            only_new,
        }
    }

    /// Whether others may wait for that request.
    pub(in crate::broker) fn is_flight(&self, look: &Look) -> bool {
        let entries = &self.entries;
        entries.iter().any(|entry| entry.is_flight(look.token))
    }

    /// An answer has come.
    pub(super) fn lands(
        &mut self,
        look: &Look,
        epoch: u64,
        body: Option<Buffer>,
        limits: &Snapshots,
    ) -> Landed {
        let fits = body.filter(|body| body.len() <= limits.bytes);
        let Some(body) = fits else {
            return self.forgets(look);
        };
        if epoch != self.epoch {
            // The life that was asked has been relieved meanwhile: who waits asks the present one.
            self.fails(look);
            return Landed::default();
        }
        let Look { asked, heard, .. } = *look;
        let kept = Kept {
            epoch,
            body,
            asked,
            heard,
        };
        let Some(entry) = self.find(&look.variant) else {
            let entry = Entry::new(look.variant.clone(), kept);
            self.entries.push(entry);
            return Landed {
                alone: self.make_room(limits.bytes),
                ..Landed::default()
            };
        };
        let landed = entry.lands(look.token, kept);
        let alone = self.make_room(limits.bytes);
        Landed { alone, ..landed }
    }

    /// No answer has come, or none that can be kept: whoever waited for it, and what is known from before.
    pub(super) fn fails(&mut self, look: &Look) -> (Vec<u64>, Option<Kept>) {
        let Some(entry) = self.find(&look.variant) else {
            return (Vec::new(), None);
        };
        let is_flight = entry.is_flight(look.token);
        entry.flight.take_if(|_| is_flight);
        let waiting = match is_flight {
            true => entry.unsent(),
            false => Vec::new(),
        };
        (waiting, Some(entry.kept.clone()))
    }

    fn forgets(&mut self, look: &Look) -> Landed {
        let position = self
            .entries
            .iter()
            .position(|entry| entry.variant == look.variant);
        let gone = position.map(|position| self.entries.remove(position));
        Landed {
            alone: gone.map(|entry| entry.unsent()).unwrap_or_default(),
            ..Landed::default()
        }
    }

    /// Drops what nobody has asked for longest; whoever waited for it.
    fn make_room(&mut self, bytes: usize) -> Vec<u64> {
        let mut alone = Vec::new();
        while self.entries.len() > MOST || self.bytes() > bytes {
            let oldest = (0..self.entries.len()).min_by_key(|at| self.entries[*at].wanted);
            let Some(oldest) = oldest else { break };
            alone.extend(self.entries.swap_remove(oldest).unsent());
        }
        alone
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        let sizes = self.entries.iter().map(|entry| entry.kept.body.len());
        sizes.sum()
    }

    /// What is known from before.
    pub(super) fn kept(&self, variant: &Variant) -> Option<Kept> {
        let entry = self.entries.iter().find(|entry| entry.variant == *variant);
        entry.map(|entry| entry.kept.clone())
    }

    /// What there is, as seen from outside.
    pub(in crate::broker) fn list(&self, now: Instant) -> Vec<KeptAnswer> {
        let answers = self.entries.iter().map(|entry| KeptAnswer {
            op: entry.variant.subject.op().to_owned(),
            args: entry.variant.args.to_string(),
            age_s: entry.kept.age(now).as_secs_f64(),
            bytes: entry.kept.body.len(),
        });
        answers.collect()
    }

    /// The present life's answer to the plain question.
    pub(super) fn plain(&self, subject: Subject) -> Option<Kept> {
        let is_plain = |variant: &Variant| variant.subject == subject && &*variant.args == "{}";
        let entry = self.entries.iter().find(|entry| is_plain(&entry.variant))?;
        (entry.kept.epoch == self.epoch).then(|| entry.kept.clone())
    }

    /// Takes out whoever's patience has ended.
    pub(super) fn impatient(&mut self, now: Instant) -> Vec<(u64, Kept)> {
        let mut all = Vec::new();
        for entry in &mut self.entries {
            let gone = entry.waiting.extract_if(.., |waiting| waiting.until <= now);
            all.extend(gone.map(|waiting| (waiting.id, entry.kept.clone())));
        }
        all
    }

    /// What the host is to ask anew by itself now, and in whose session if that can be.
    pub(super) fn due(&mut self, limits: &Snapshots, now: Instant) -> Vec<(Variant, u64)> {
        let epoch = self.epoch;
        let due = |entry: &&mut Entry| {
            let at = entry.refresh_at(epoch, limits, now);
            at.is_some_and(|at| at <= now)
        };
        let due = self.entries.iter_mut().filter(due);
        due.map(|entry| {
            (entry.refreshed, entry.stirred) = (Some(now), false);
            (entry.variant.clone(), entry.session)
        })
        .collect()
    }

    /// When the host is to ask by itself again.
    pub(super) fn next_refresh(&self, limits: &Snapshots, now: Instant) -> Option<Instant> {
        let entries = self.entries.iter();
        let times = entries.filter_map(|entry| entry.refresh_at(self.epoch, limits, now));
        times.min()
    }

    /// When somebody's patience ends.
    pub(super) fn next_impatient(&self) -> Option<Instant> {
        let waiting = self.entries.iter().flat_map(|entry| &entry.waiting);
        waiting.map(|waiting| waiting.until).min()
    }
}
