//! The configuration, checked.

use std::time::Duration;

use patchbay_sdk::model::nearest;
use patchbay_sdk::{Fault, FaultKind};

use super::{Config, Observer, Roles, Service, Sessions};
use crate::auth::PasswordForm;
use crate::event;
use crate::frame::FrameLimit;
use crate::pickle::Limits;

/// The configuration, checked and in the units that the code uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As in [`Config::address`].
    pub address: String,
    /// As in [`Config::observer`].
    pub observer: Option<Observer>,
    /// As in [`Config::service`].
    pub service: Option<Service>,
    /// As in [`Config::sessions`].
    pub sessions: Sessions,
    /// [`Config::role_map`] and [`Config::login_roles`].
    pub roles: Roles,
    /// As in [`Config::events_off`].
    pub events_off: Vec<String>,
    /// As in [`Config::password`].
    pub password: PasswordForm,
    /// As in [`Config::frame_limit_bytes`].
    pub frame_limit: usize,
    /// As in [`Config::skip_limit_bytes`].
    pub skip_limit: usize,
    /// As in [`Config::events_waiting_bytes`].
    pub events_waiting: usize,
    /// As in [`Config::pickle`].
    pub limits: Limits,
    /// [`Config::pickle`]'s `at_once`.
    pub decoders: usize,
    /// As in [`Config::connect_deadline_s`].
    pub connect_deadline: Duration,
    /// As in [`Config::reply_deadline_s`].
    pub reply_deadline: Duration,
    /// As in [`Config::eval_deadline_s`].
    pub eval_deadline: Duration,
    /// As in [`Config::retry_first_s`].
    pub retry_first: Duration,
    /// As in [`Config::retry_most_s`].
    pub retry_most: Duration,
    /// As in [`Config::probe_s`].
    pub probe: Duration,
    /// As in [`Config::sign_of_life_s`].
    pub sign_of_life: Duration,
    /// As in [`Config::retry_refused_s`].
    pub retry_refused: Duration,
    /// As in [`Config::keepalive_s`].
    pub keepalive: Duration,
    /// As in [`Config::tcp_keepalive_s`].
    pub tcp_keepalive: Duration,
    /// As in [`Config::look_s`].
    pub look: Duration,
    /// As in [`Config::silence_s`].
    pub silence: Duration,
    /// As in [`Config::idle_s`].
    pub idle: Duration,
    /// As in [`Config::verify_s`].
    pub verify: Duration,
    /// As in [`Config::queue_most`].
    pub queue_most: usize,
    /// As in [`Config::logins_most`].
    pub logins_most: usize,
    /// As in [`Config::login_pace_s`].
    pub login_pace: Duration,
    /// As in [`Config::log_most`].
    pub log_most: u32,
    /// As in [`Config::name_bytes`].
    pub name_bytes: usize,
    /// As in [`Config::jobs_most`].
    pub jobs_most: usize,
}

impl Settings {
    /// How long frames may be.
    #[must_use]
    pub fn frames(&self) -> FrameLimit {
        FrameLimit {
            kept: self.frame_limit,
            skipped: self.skip_limit,
        }
    }
}

impl Config {
    /// Checks every number and name.
    ///
    /// # Errors
    /// `Invalid`, naming the key and what it must be.
    pub fn resolve(self) -> Result<Settings, Fault> {
        check_address(&self.address)?;
        self.events_off
            .iter()
            .try_for_each(|name| check_event(name))?;
        Ok(Settings {
            frame_limit: at_least("frame_limit_bytes", self.frame_limit_bytes, 4096)?,
            skip_limit: self.skip_limit_bytes.max(self.frame_limit_bytes),
            events_waiting: at_least("events_waiting_bytes", self.events_waiting_bytes, 4096)?,
            limits: Limits {
                input_bytes: self.frame_limit_bytes,
                depth: at_least("pickle.depth", self.pickle.depth, 8)?,
                nodes: at_least("pickle.nodes", self.pickle.nodes, 100)?,
                output_bytes: at_least("pickle.output_bytes", self.pickle.output_bytes, 4096)?,
                int_bytes: at_least("pickle.int_bytes", self.pickle.int_bytes, 8)?,
                name_bytes: at_least("pickle.name_bytes", self.pickle.name_bytes, 100)?,
            },
            decoders: at_least("pickle.at_once", self.pickle.at_once, 1)?,
            connect_deadline: seconds("connect_deadline_s", self.connect_deadline_s)?,
            reply_deadline: seconds("reply_deadline_s", self.reply_deadline_s)?,
            eval_deadline: seconds("eval_deadline_s", self.eval_deadline_s)?,
            retry_first: seconds("retry_first_s", self.retry_first_s)?,
            retry_most: seconds("retry_most_s", self.retry_most_s.max(self.retry_first_s))?,
            probe: seconds("probe_s", self.probe_s)?,
            sign_of_life: seconds("sign_of_life_s", self.sign_of_life_s)?,
            retry_refused: seconds("retry_refused_s", self.retry_refused_s)?,
            keepalive: seconds("keepalive_s", self.keepalive_s)?,
            tcp_keepalive: seconds("tcp_keepalive_s", self.tcp_keepalive_s)?,
            look: seconds("look_s", self.look_s)?,
            silence: seconds("silence_s", self.silence_s)?,
            idle: seconds("idle_s", self.idle_s)?,
            verify: seconds("verify_s", self.verify_s)?,
            login_pace: seconds("login_pace_s", self.login_pace_s)?,
            roles: Roles::new(self.role_map, self.login_roles),
            sessions: self.sessions,
            queue_most: at_least("queue_most", self.queue_most, 1)?,
            logins_most: at_least("logins_most", self.logins_most, 1)?,
            name_bytes: self.name_bytes,
            jobs_most: at_least("jobs_most", self.jobs_most, 10)?,
            log_most: self.log_most.max(1),
            address: self.address,
            observer: self.observer,
            service: self.service,
            password: self.password,
            events_off: self.events_off,
        })
    }
}

fn check_address(address: &str) -> Result<(), Fault> {
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(()),
        None => Err(invalid(format!(
            "`address` is `{address}`; it must be `host:port`, as in `localhost:1301`"
        ))),
    }
}

fn check_event(name: &str) -> Result<(), Fault> {
    if event::optional().any(|optional| optional == name) {
        return Ok(());
    }
    if event::is_essential(name) {
        return Err(invalid(format!(
            "`events_off` names `{name}`, without which the jobs would not be known"
        )));
    }
    let near = nearest(name, event::optional());
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(invalid(format!(
        "`events_off` names `{name}`, which is no event of NICOS{hint}"
    )))
}

fn at_least(key: &str, value: usize, least: usize) -> Result<usize, Fault> {
    match value >= least {
        true => Ok(value),
        false => Err(invalid(format!(
            "`{key}` is {value}; it must be at least {least}"
        ))),
    }
}

/// Between a millisecond and a day.
fn seconds(key: &str, value: f64) -> Result<Duration, Fault> {
    match (0.001..=86_400.0).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(invalid(format!(
            "`{key}` is {value}; it must be between 0.001 and 86400 seconds"
        ))),
    }
}

pub(super) fn invalid(message: String) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use patchbay_sdk::Role;

    use super::*;

    fn config(json: &str) -> Result<Settings, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.resolve().map_err(|fault| fault.message)
    }

    #[test]
    fn an_address_is_enough() {
        let settings = config(r#"{"address": "localhost:1301"}"#).unwrap();
        assert_eq!(
            (settings.frame_limit, settings.limits.nodes),
            (4 << 20, 500_000)
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            config(r#"{"address": "localhost"}"#)
                .unwrap_err()
                .contains("`address`")
        );
        assert!(
            config(r#"{"address": "a:1", "adress": "b:1"}"#)
                .unwrap_err()
                .contains("adress")
        );
        assert!(
            config(r#"{"address": "a:1", "probe_s": -1}"#)
                .unwrap_err()
                .contains("`probe_s`")
        );
        assert!(
            config(r#"{"address": "a:1", "events_off": ["cahce"]}"#)
                .unwrap_err()
                .contains("did you mean `cache`?")
        );
        assert!(
            config(r#"{"address": "a:1", "events_off": ["done"]}"#)
                .unwrap_err()
                .contains("jobs would not be known")
        );
        assert!(
            config(r#"{"address": "a:1", "pickle": {"depth": 0}}"#)
                .unwrap_err()
                .contains("`pickle.depth`")
        );
    }

    #[test]
    fn roles_go_by_level_unless_the_login_has_one_of_its_own() {
        let role = |settings: &Settings, user, level| settings.roles.of(user, level);
        let usual = config(r#"{"address": "a:1"}"#).unwrap();
        let levels = [0, 5, 10, 15, 20, 30].map(|level| role(&usual, "x", level));
        let (view, user, admin) = (Role::View, Role::User, Role::Admin);
        assert_eq!(levels, [view, view, user, user, admin, admin]);
        let own = config(
            r#"{"address": "a:1", "role_map": {"guest": "user"}, "login_roles": {"ibex": "expert"}}"#,
        )
        .unwrap();
        let roles = [("x", 0), ("x", 20), ("ibex", 0), ("ibex", 20)];
        assert_eq!(
            roles.map(|(user, level)| role(&own, user, level)),
            [user, admin, Role::Expert, Role::Expert]
        );
    }

    #[test]
    fn a_role_that_does_not_exist_is_refused_with_those_that_do() {
        for json in [
            r#""role_map": {"user": "exprt"}"#,
            r#""login_roles": {"ibex": "exprt"}"#,
        ] {
            let error = config(&format!(r#"{{"address": "a:1", {json}}}"#)).unwrap_err();
            assert!(
                error.contains("`exprt`") && error.contains("`expert`"),
                "{error}"
            );
        }
        let error = config(r#"{"address": "a:1", "sessions": "alone"}"#).unwrap_err();
        assert!(error.contains("per-client"), "{error}");
    }
}
