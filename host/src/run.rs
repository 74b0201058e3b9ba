//! The life of a gateway: take the seats, start everything, wait for a signal, drain, end.

use crate::admin;
use crate::audit::Audit;
use crate::broker::Broker;
use crate::config::Checked;
use crate::exit::Exit;
use crate::intents::{Store, prepare};
use crate::logging::{self, Log};
use crate::metrics::Metrics;
use crate::plugin::Catalog;
use crate::reload::Reloader;
use crate::service;
use crate::signals::{self, Signals};
use crate::staff::{self, Errand, Staff};
use crate::users::UsersFile;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the end may take for what is still to be written to the audit log.
const AUDIT_FAREWELL: Duration = Duration::from_secs(2);

/// Of the time for shutting down, what the frontends get to answer what they have taken.
const FRONTENDS_SHARE: f64 = 0.6;

/// Between two looks whether what waits for idleness can be done.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Errands of operators that may wait while one is done.
const ERRANDS: usize = 16;

/// How long after the deadline the process ends whatever happens; the log is written meanwhile.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs the gateway until it is told to end.
pub fn run(config: Checked, catalog: Catalog) -> Exit {
    let log = logging::start(config.gateway.log_level, config.gateway.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    match (runtime, signals::listen()) {
        (Ok(runtime), Ok(signals)) => runtime.block_on(serve(config, catalog, signals, &log)),
        (Err(error), _) => failed(format!("no runtime: {error}")),
        (_, Err(error)) => failed(format!("no signal handler: {error}")),
    }
}

fn failed(why: String) -> Exit {
    tracing::error!("cannot run: {why}");
    Exit::Failed
}

async fn serve(config: Checked, catalog: Catalog, mut signals: Signals, log: &Log) -> Exit {
    let intents = Store::new(config.gateway.intents.clone());
    let (seats, limits) = (staff::seats(&config), staff::limits(&config));
    let metrics = Arc::new(Metrics::default());
    let audit = match audit(&config, &metrics) {
        Ok(audit) => audit,
        Err(error) => return failed(format!("no thread: {error}")),
    };
    let broker = match Broker::new(seats, limits, metrics, intents) {
        Ok(broker) => broker,
        Err(error) => return failed(format!("no thread: {error}")),
    };
    if let Err(error) = broker.keep_users(UsersFile::new(config.gateway.users.clone())) {
        return failed(format!("no thread: {error}"));
    }
    broker.audit_by(audit.clone());
    let sweeper = tokio::spawn(sweep(broker.clone()));
    let switcher = tokio::spawn(switch(broker.clone()));
    let catalog = Arc::new(catalog);
    let (errands, mut wanted) = mpsc::channel::<Errand>(ERRANDS);
    let reloader = Arc::new(Reloader::new(&config.file, catalog.clone(), errands));
    if let Err(error) = reload_at(signals.to_reload, reloader.clone(), broker.clone()) {
        tracing::error!(%error, "SIGHUP will not have the configuration read anew");
    }
    let control = listen_to_operators(&config, &broker, &reloader);
    watch_over(&config, &broker, log);
    let name = config.gateway.name.clone();
    let (ready, mut all_ready) = mpsc::channel::<()>(1);
    let mut staff = Staff::hire(broker.clone(), catalog, config, &ready);
    drop(ready);
    let alive = tokio::spawn(live(broker.clone()));
    let announced = async {
        all_ready.recv().await;
        tracing::info!(name, version = env!("CARGO_PKG_VERSION"), "ready");
        service::ready(&broker.pulse());
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = announced => {}
        () = staff.work(&mut wanted) => {}
        // An error means that no signal can come any more: then it is time to end as well.
        _ = signals.to_end.wait_for(|asked| *asked) => {}
    }
    let whole = staff.shutdown_deadline();
    service::stopping("what was taken is answered");
    tracing::info!(
        "shutting down within {} s; once more to end at once",
        whole.as_secs()
    );
    last_resort(whole);
    let clean = staff.stop(whole, FRONTENDS_SHARE).await;
    sweeper.abort();
    switcher.abort();
    alive.abort();
    drop(control);
    audit.flush(AUDIT_FAREWELL);
    farewell(&broker, clean, log)
}

/// Lets machines look at the gateway.
fn watch_over(config: &Checked, broker: &Arc<Broker>, log: &Log) {
    let gateway = &config.gateway;
    let desk = admin::Desk {
        name: gateway.name.clone(),
        broker: broker.clone(),
        dropped: log.dropped(),
    };
    admin::start(&gateway.admin, desk);
}

fn audit(config: &Checked, metrics: &Arc<Metrics>) -> std::io::Result<Audit> {
    let gateway = &config.gateway;
    // What is wrong with it is said by those who need it; the audit log may lie elsewhere.
    let _ = prepare(&gateway.intents.folder);
    Audit::start(gateway.audit.clone(), metrics.clone())
}

/// Ends the process some time after the deadline, should even our own thread hang: a plugin may hold up whoever
/// speaks to it, though it must not.
fn last_resort(whole: Duration) {
    let thread = std::thread::Builder::new().name("last-resort".to_owned());
    let started = thread.spawn(move || {
        std::thread::sleep(whole + LAST_WORDS);
        std::process::exit(Exit::CutOff as i32);
    });
    if let Err(error) = started {
        tracing::warn!(%error, "nobody watches over the shutdown");
    }
}

/// Without it the gateway serves its clients all the same.
#[cfg(unix)]
fn listen_to_operators(
    config: &Checked,
    broker: &Arc<Broker>,
    reloader: &Arc<Reloader>,
) -> Option<crate::control::Control> {
    let gateway = &config.gateway;
    let (folder, group) = (&gateway.intents.folder, gateway.control_group.as_deref());
    crate::control::serve(
        &gateway.name,
        folder,
        group,
        broker.clone(),
        reloader.clone(),
    )
    .inspect_err(|why| tracing::error!(why, "`patchbay status` and the like will not work"))
    .ok()
}

/// Not on this system.
#[cfg(not(unix))]
fn listen_to_operators(_config: &Checked, _broker: &Arc<Broker>, _reloader: &Arc<Reloader>) {}

/// Makes the changes of route that wait until nothing is under way.
async fn switch(broker: Arc<Broker>) {
    loop {
        broker.switch_wanted().await;
        broker.switch_if_idle();
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Reads the configuration anew at each signal, on a thread of its own.
fn reload_at(
    signals: Receiver<()>,
    reloader: Arc<Reloader>,
    broker: Arc<Broker>,
) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("reload".to_owned());
    let work = move || {
        for () in signals {
            broker.record_order(reloader.reload_by_signal());
        }
    };
    thread.spawn(work).map(drop)
}

fn farewell(broker: &Broker, clean: bool, log: &Log) -> Exit {
    let (counted, unwritten) = (broker.metrics().summary(), log.dropped().lines());
    let lives = broker.seats().iter().map(|(_, seat)| seat.life());
    let hanging: usize = lives.map(|life| life.abandoned).sum();
    tracing::info!(counted, unwritten, "ended");
    if !clean {
        tracing::error!("some instances did not finish what they had in time and were cut off");
    }
    if hanging > 0 {
        tracing::error!("{hanging} threads of earlier lives still hung and were cut off");
    }
    match clean && hanging == 0 {
        true => Exit::Done,
        false => Exit::CutOff,
    }
}

async fn live(broker: Arc<Broker>) {
    service::live(|| broker.pulse()).await;
}

async fn sweep(broker: Arc<Broker>) {
    loop {
        let next = broker.sweep();
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {}
            () = broker.limits_changed() => {}
            () = broker.sooner() => {}
        }
    }
}
