//! The life of a gateway: take the seats, start everything, wait for a signal, drain, end.

use crate::broker::{Broker, Limits, LoginRule, Route, Seat};
use crate::config::{Checked, Frontend, Instance, UnmappedLogins};
use crate::exit::Exit;
use crate::intents::Store;
use crate::logging::{self, Log, level_name};
use crate::metrics::Metrics;
use crate::plugin::Catalog;
use crate::supervise::{Charge, Ending, ReadyLatch, StopOrder, supervise};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Of the time for shutting down, what the frontends get to answer what they have taken.
const FRONTENDS_SHARE: f64 = 0.6;

/// Runs the gateway until it is told to end.
pub fn run(config: &Checked, catalog: &Catalog) -> Exit {
    let log = logging::start(config.gateway.log_level, config.gateway.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    match (runtime, signals()) {
        (Ok(runtime), Ok(asked)) => runtime.block_on(serve(config, catalog, asked, &log)),
        (Err(error), _) => failed(format!("no runtime: {error}")),
        (_, Err(error)) => failed(format!("no signal handler: {error}")),
    }
}

fn failed(why: String) -> Exit {
    tracing::error!("cannot run: {why}");
    Exit::Failed
}

/// Tells when the process is asked to end (SIGINT, SIGTERM, Ctrl-C). Asked again, it ends at once,
/// from the handler's own thread: whatever else hangs.
fn signals() -> Result<watch::Receiver<bool>, ctrlc::Error> {
    let (ask, asked) = watch::channel(false);
    ctrlc::set_handler(move || {
        if ask.send_replace(true) {
            std::process::exit(Exit::CutOff as i32);
        }
    })?;
    Ok(asked)
}

async fn serve(
    config: &Checked,
    catalog: &Catalog,
    mut asked: watch::Receiver<bool>,
    log: &Log,
) -> Exit {
    let intents = Store::new(config.gateway.intents.clone());
    let metrics = Arc::new(Metrics::default());
    let broker = match Broker::new(seats(config), limits(config), metrics, intents) {
        Ok(broker) => broker,
        Err(error) => return failed(format!("no thread: {error}")),
    };
    let sweeper = tokio::spawn(sweep(broker.clone()));
    let control = listen_to_operators(config, &broker);
    let (ready, mut all_ready) = mpsc::channel::<()>(1);
    let backends = config.backends.iter().map(|backend| &backend.instance);
    let frontends = config.frontends.iter().map(|frontend| &frontend.instance);
    let staff = Staff {
        broker: broker.clone(),
        config,
        catalog,
        ready,
    };
    let mut backends = staff.hire(backends, 0);
    let mut frontends = staff.hire(frontends, config.backends.len());
    drop(staff);
    let announced = async {
        all_ready.recv().await;
        let (name, version) = (&config.gateway.name, env!("CARGO_PKG_VERSION"));
        tracing::info!(name, version, "ready");
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = announced => {}
        // An error means that no signal can come any more: then it is time to end as well.
        _ = asked.wait_for(|asked| *asked) => {}
    }
    let whole = config.gateway.deadlines.shutdown;
    tracing::info!(
        "shutting down within {} s; once more to end at once",
        whole.as_secs()
    );
    let clean = shut_down(&mut frontends, &mut backends, whole).await;
    sweeper.abort();
    drop(control);
    farewell(&broker, clean, log)
}

/// Without it the gateway serves its clients all the same.
#[cfg(unix)]
fn listen_to_operators(config: &Checked, broker: &Arc<Broker>) -> Option<crate::control::Control> {
    let gateway = &config.gateway;
    crate::control::serve(&gateway.name, &gateway.intents.folder, broker.clone())
        .inspect_err(|why| tracing::error!(why, "`patchbay status` and the like will not work"))
        .ok()
}

/// Not on this system.
#[cfg(not(unix))]
fn listen_to_operators(_config: &Checked, _broker: &Arc<Broker>) {}

/// First the frontends: they take nothing more and answer what they have taken. Then the backends.
async fn shut_down(frontends: &mut Team, backends: &mut Team, whole: Duration) -> bool {
    let share = whole.mul_f64(FRONTENDS_SHARE);
    let begun = tokio::time::Instant::now();
    let frontends = frontends.stop(share).await;
    let left = whole.saturating_sub(begun.elapsed());
    frontends & backends.stop(left).await
}

fn farewell(broker: &Broker, clean: bool, log: &Log) -> Exit {
    let (counted, unwritten) = (broker.metrics().summary(), log.dropped());
    tracing::info!(counted, unwritten, "ended");
    match clean {
        true => Exit::Done,
        false => {
            tracing::error!("some instances did not finish in time and were cut off");
            Exit::CutOff
        }
    }
}

async fn sweep(broker: Arc<Broker>) {
    loop {
        let next = broker.sweep();
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {}
            () = broker.sooner() => {}
        }
    }
}

/// What every instance's supervisor needs.
struct Staff<'a> {
    broker: Arc<Broker>,
    config: &'a Checked,
    catalog: &'a Catalog,
    ready: ReadyLatch,
}

/// The supervisors of the backends, or of the frontends.
struct Team {
    members: JoinSet<Ending>,
    order: watch::Sender<Option<Duration>>,
}

impl Staff<'_> {
    fn hire<'i>(&self, instances: impl Iterator<Item = &'i Instance>, first_seat: usize) -> Team {
        let (order, stop) = watch::channel(None);
        let mut members = JoinSet::new();
        for (position, instance) in instances.enumerate() {
            self.employ(&mut members, instance, first_seat + position, stop.clone());
        }
        Team { members, order }
    }

    fn employ(
        &self,
        members: &mut JoinSet<Ending>,
        instance: &Instance,
        seat: usize,
        stop: StopOrder,
    ) {
        let Some(plugin) = self.catalog.loaded(&instance.path) else {
            // The configuration was checked against this catalog, which keeps what it has loaded.
            tracing::error!(instance = instance.id, "its plugin is not loaded");
            return;
        };
        let gateway = &self.config.gateway;
        let charge = Charge {
            seat,
            plugin,
            config: instance.config.as_value().to_string(),
            level: level_name(instance.log_level.unwrap_or(gateway.log_level)),
            start_deadline: gateway.deadlines.start,
            stop_deadline: gateway.deadlines.shutdown,
            restart: gateway.restart.clone(),
        };
        members.spawn(supervise(
            self.broker.clone(),
            charge,
            stop,
            self.ready.clone(),
        ));
    }
}

impl Team {
    /// Whether all of them finished in time.
    async fn stop(&mut self, within: Duration) -> bool {
        self.order.send_replace(Some(within));
        let mut clean = true;
        while let Some(ending) = self.members.join_next().await {
            clean &= matches!(ending, Ok(Ending::Clean));
        }
        clean
    }
}

fn limits(config: &Checked) -> Limits {
    let (limits, deadlines) = (&config.gateway.limits, &config.gateway.deadlines);
    Limits {
        sessions: limits.sessions,
        in_flight: limits.in_flight,
        in_flight_per_session: limits.in_flight_per_session,
        logins_pending: limits.logins_pending,
        body_bytes: limits.body_bytes,
        request: deadlines.request,
        long: deadlines.long,
        login: deadlines.login,
        snapshots: config.gateway.snapshots.clone(),
    }
}

/// Backends first, then frontends, each in the order of the file.
fn seats(config: &Checked) -> Vec<Seat> {
    let journal = &config.gateway.journal;
    let backends = config
        .backends
        .iter()
        .map(|backend| Seat::backend(&backend.instance.id, journal.bytes, journal.age));
    let frontends = config.frontends.iter().filter_map(|frontend| {
        let route = route(config, frontend)?;
        Some(Seat::frontend(&frontend.instance.id, route))
    });
    backends.chain(frontends).collect()
}

fn route(config: &Checked, frontend: &Frontend) -> Option<Route> {
    let logins = frontend.logins.iter().map(|rule| LoginRule {
        client_user: rule.client_user.clone(),
        client_secret_sha256: rule.client_secret_sha256,
        user: rule.user.clone(),
        secret: rule.secret.clone(),
    });
    Some(Route {
        backend: config
            .backends
            .iter()
            .position(|backend| backend.instance.id == frontend.backend)?,
        ceiling: frontend.max_role,
        logins: logins.collect(),
        forward_unmapped: frontend.unmapped_logins == UnmappedLogins::Forward,
    })
}
