//! Who looks after the instances: one supervisor for each. What operators want of them is done here, one errand after
//! the other, while everything runs.

mod errand;
mod reload;
mod terms;

pub use errand::{Errand, Errands, Report, Said, Step};
pub use terms::{journal, limits, seats};

use crate::broker::{Broker, Granted, Wish};
use crate::config::{Checked, Instance};
use crate::plugin::Catalog;
use crate::supervise::{Charge, Ending, ReadyLatch, supervise};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Between two looks whether an instance that goes has answered everything.
const LOOK: Duration = Duration::from_millis(20);

/// What it takes beyond the deadlines until an instance is said not to have started.
const MARGIN: Duration = Duration::from_secs(5);

/// All supervisors.
pub struct Staff {
    broker: Arc<Broker>,
    catalog: Arc<Catalog>,
    /// What is in force.
    running: Checked,
    members: Vec<Member>,
    /// Those that are in the configuration no more, until they have ended.
    leaving: Vec<JoinHandle<()>>,
}

/// The supervisor of an instance.
struct Member {
    id: String,
    /// What it was given last.
    charge: Charge,
    order: watch::Sender<Option<Duration>>,
    work: JoinHandle<Ending>,
}

impl Staff {
    /// A supervisor for each instance of the configuration, whose seats are those of [`seats`].
    /// `ready` is dropped when all of them have served once.
    pub fn hire(
        broker: Arc<Broker>,
        catalog: Arc<Catalog>,
        config: Checked,
        ready: &ReadyLatch,
    ) -> Staff {
        let mut staff = Staff {
            broker,
            catalog,
            running: config,
            members: Vec::new(),
            leaving: Vec::new(),
        };
        for (seat, instance) in all_instances(&staff.running).enumerate() {
            match terms::charge(seat, instance, &staff.running, &staff.catalog) {
                Some(charge) => {
                    let member = staff.employ(instance.id.clone(), charge, ready.clone());
                    staff.members.push(member);
                }
                // The configuration was checked against this catalog, which keeps what it has loaded.
                None => tracing::error!(instance = instance.id, "its plugin is not loaded"),
            }
        }
        staff
    }

    fn employ(&self, id: String, charge: Charge, ready: ReadyLatch) -> Member {
        let (order, stop) = watch::channel(None);
        let work = supervise(self.broker.clone(), charge.clone(), stop, ready);
        Member {
            id,
            charge,
            order,
            work: tokio::spawn(work),
        }
    }

    /// Does what operators want, as long as somebody can want something.
    pub async fn work(&mut self, errands: &mut mpsc::Receiver<Errand>) {
        while let Some(errand) = errands.recv().await {
            match errand {
                Errand::Reload(config, dry_run, answer) => {
                    let said = self.reload(*config, dry_run).await;
                    let _ = answer.send(said);
                }
                Errand::Renew(newer, config, answer) => {
                    let said = self.renew(newer, *config).await;
                    let _ = answer.send(said);
                }
                Errand::Restart(id, answer) => {
                    let _ = answer.send(self.restart(&id).await);
                }
                Errand::PluginOf(name, answer) => {
                    let _ = answer.send(self.plugin_of(&name));
                }
            }
        }
    }

    async fn restart(&self, id: &str) -> Result<(), String> {
        let Some(member) = self.members.iter().find(|member| member.id == id) else {
            let known: Vec<&str> = self.members.iter().map(|member| &*member.id).collect();
            let known = known.join(", ");
            return Err(format!("there is no instance `{id}`; there are: {known}"));
        };
        match self.grant(member, Wish::restart()).await {
            Granted::Serves => Ok(()),
            Granted::Fails(why) => Err(format!("{id} was ended, and does not start: {why}")),
            Granted::AsBefore(why) => Err(format!("{id} goes on as it was: {why}")),
        }
    }

    /// Puts a wish to a supervisor, and waits for what comes of it.
    async fn grant(&self, member: &Member, wish: Wish) -> Granted {
        let (wish, told) = wish.answered();
        self.broker.seats()[member.charge.seat].wish(wish);
        let within = member.charge.start_deadline + member.charge.stop_deadline + MARGIN;
        match tokio::time::timeout(within, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Granted::AsBefore("it failed or ended meanwhile".to_owned()),
            Err(_) => Granted::Fails("it has not started yet; see `patchbay status`".to_owned()),
        }
    }

    /// How long shutting down may take, by the configuration that is in force.
    pub fn shutdown_deadline(&self) -> Duration {
        self.running.gateway.deadlines.shutdown
    }

    /// Ends everything: first the frontends, which take nothing more and answer what they have taken,
    /// for that share of the time; then the backends. Whether all finished in time.
    pub async fn stop(self, within: Duration, frontends_share: f64) -> bool {
        let begun = tokio::time::Instant::now();
        let seats = self.broker.seats();
        let (frontends, backends): (Vec<Member>, Vec<Member>) = self
            .members
            .into_iter()
            .partition(|member| seats[member.charge.seat].is_frontend());
        let frontends = stop_all(frontends, within.mul_f64(frontends_share)).await;
        let left = within.saturating_sub(begun.elapsed());
        let backends = stop_all(backends, left).await;
        let left = within.saturating_sub(begun.elapsed());
        let gone = tokio::time::timeout(left, async {
            for leaving in self.leaving {
                let _ = leaving.await;
            }
        });
        frontends & backends & gone.await.is_ok()
    }
}

/// Whether all of them finished in time.
async fn stop_all(members: Vec<Member>, within: Duration) -> bool {
    for member in &members {
        member.order.send_replace(Some(within));
    }
    let mut clean = true;
    for member in members {
        clean &= matches!(member.work.await, Ok(Ending::Clean));
    }
    clean
}

/// Backends first, then frontends, each in the order of the file.
fn all_instances(config: &Checked) -> impl Iterator<Item = &Instance> {
    let backends = config.backends.iter().map(|backend| &backend.instance);
    let frontends = config.frontends.iter().map(|frontend| &frontend.instance);
    backends.chain(frontends)
}
