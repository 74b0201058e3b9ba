//! Requests whose sender is not known to be there (yet): its advisory may still come, or the client come back.

use std::collections::VecDeque;
use std::time::Duration;

use crate::client::Job;

/// In the order of their arrival.
#[derive(Default)]
pub struct Held(VecDeque<Job>);

impl Held {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps one more.
    pub fn keep(&mut self, job: Job) {
        self.0.push_back(job);
    }

    /// Those with such a reply-to.
    pub fn take_of(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<Job> {
        self.take(|job| is_there(&job.ticket.envelope.reply_to))
    }

    /// Those that have waited for as long as that.
    pub fn take_overdue(&mut self, grace: Duration) -> Vec<Job> {
        self.take(|job| job.ticket.envelope.received.elapsed() >= grace)
    }

    /// All of them.
    pub fn take_all(&mut self) -> Vec<Job> {
        self.take(|_| true)
    }

    fn take(&mut self, wanted: impl Fn(&Job) -> bool) -> Vec<Job> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (taken, left): (Vec<Job>, Vec<Job>) = all.partition(wanted);
        self.0 = left.into();
        taken
    }
}
