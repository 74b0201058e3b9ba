//! The configuration in the terms of the broker and of the supervisors.

use crate::broker::{Authority, Broker, Limits, LoginRule, Route, Seat};
use crate::config::{self, Checked, Frontend, Instance, Isolation, UnmappedLogins};
use crate::logging::level_name;
use crate::plugin::{Catalog, Home, Room};
use crate::supervise::Charge;
use std::time::Duration;

/// How much there may be, and how long it may take.
pub fn limits(config: &Checked) -> Limits {
    let (limits, deadlines) = (&config.gateway.limits, &config.gateway.deadlines);
    Limits {
        sessions: limits.sessions,
        in_flight: limits.in_flight,
        in_flight_per_session: limits.in_flight_per_session,
        logins_pending: limits.logins_pending,
        logins_per_s: limits.logins_per_s,
        logins_per_s_and_client: limits.logins_per_s_and_client,
        body_bytes: limits.body_bytes,
        frontend_share: limits.frontend_share,
        events_per_second: limits.events_per_second,
        lines_per_second: limits.lines_per_second,
        request: deadlines.request,
        long: deadlines.long,
        login: deadlines.login,
        snapshots: config.gateway.snapshots.clone(),
    }
}

/// How much is kept of each backend's events, and for how long.
pub fn journal(config: &Checked) -> (usize, Duration) {
    let journal = &config.gateway.journal;
    (journal.bytes, journal.age)
}

/// Backends first, then frontends, each in the order of the file.
pub fn seats(config: &Checked) -> Vec<Seat> {
    let backends = config.backends.iter();
    let backends = backends.map(|backend| backend_seat(&backend.instance, config));
    let frontends = config.frontends.iter().filter_map(|frontend| {
        let mut backends = config.backends.iter();
        let position = backends.position(|backend| backend.instance.id == frontend.backend)?;
        let route = route(frontend, position);
        Some(Seat::frontend(&frontend.instance.id, route))
    });
    backends.chain(frontends).collect()
}

pub(super) fn backend_seat(instance: &Instance, config: &Checked) -> Seat {
    let (bytes, age) = journal(config);
    Seat::backend(&instance.id, bytes, age)
}

/// The route of a frontend, whose backend is at that position.
pub(super) fn route(frontend: &Frontend, backend: usize) -> Route {
    let logins = frontend.logins.iter().map(|rule| LoginRule {
        client_user: rule.client_user.clone(),
        client_secret_sha256: rule.client_secret_sha256,
        user: rule.user.clone(),
        secret: rule.secret.clone(),
    });
    Route {
        backend,
        authority: match frontend.authority {
            config::Authority::Backend => Authority::Backend,
            config::Authority::Users => Authority::Users,
        },
        ceiling: frontend.max_role,
        logins: logins.collect(),
        forward_unmapped: frontend.unmapped_logins == UnmappedLogins::Forward,
    }
}

/// The route of a frontend to its backend, which has a seat.
pub(super) fn route_in(broker: &Broker, frontend: &Frontend) -> Option<Route> {
    let backend = broker.position(&frontend.backend)?;
    Some(route(frontend, backend))
}

/// Where an instance's code runs.
pub(super) fn home(instance: &Instance, config: &Checked) -> Home {
    match instance.isolation {
        Isolation::None => Home::Here,
        Isolation::Process => Home::Process(Room {
            body_bytes: config.gateway.limits.body_bytes,
        }),
    }
}

/// What a supervisor needs; `None` if the plugin is not loaded.
pub(super) fn charge(
    seat: usize,
    instance: &Instance,
    config: &Checked,
    catalog: &Catalog,
) -> Option<Charge> {
    let gateway = &config.gateway;
    Some(Charge {
        seat,
        plugin: catalog.loaded(&instance.path)?,
        home: home(instance, config),
        config: instance.config.as_value().to_string(),
        level: level_name(instance.log_level.unwrap_or(gateway.log_level)),
        start_deadline: gateway.deadlines.start,
        hang: gateway.deadlines.hang,
        stop_deadline: gateway.deadlines.shutdown,
        restart: gateway.restart.clone(),
    })
}
