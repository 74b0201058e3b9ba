//! Signs of life of an idle connection.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::actor::Actor;
use super::link::Link;
use crate::pickle::encode;
use crate::verb;

impl Actor {
    /// After a trouble it is not waited long before the daemon is asked whether all is well again.
    pub(super) fn until_probe(&self, link: &Link) -> Duration {
        let probe = match self.mark.is_troubled() {
            true => self.settings.probe.min(self.settings.retry_first),
            false => self.settings.probe,
        };
        let refresh = self.until_refresh(link);
        refresh.map_or(probe, |refresh| refresh.min(probe))
    }

    /// When the credentials are to be kept fresh, if this daemon does that.
    fn until_refresh(&self, link: &Link) -> Option<Duration> {
        let age = self.refreshed.elapsed();
        let is_known = link.greeting().banner.protocol().has_keepalive();
        is_known.then(|| self.settings.keepalive.saturating_sub(age))
    }

    /// A connection can be dead without anybody saying so; better to find out before it is needed. Now and then this
    /// also keeps the login's credentials fresh: not more often, because it may cost a login service something.
    pub(super) async fn probe(&mut self, link: &mut Link) -> Result<(), String> {
        let within = self.settings.reply_deadline.min(self.settings.sign_of_life);
        let verb = match self.until_refresh(link) {
            Some(Duration::ZERO) => {
                self.refreshed = Instant::now();
                verb::KEEPALIVE
            }
            _ => verb::GETVERSION,
        };
        let args = Bytes::from(encode(Vec::new()));
        let reply = self.exchange(link, verb, args, within).await;
        reply.map(drop)
    }
}
