//! The instance's part of the configuration file, and what is left of it once checked.

use std::time::Duration;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, SecretSource, field_within, wrong_field};
use serde::{Deserialize, Serialize};

use crate::broker_config::{BrokerList, TlsConfig, is_here};
use crate::default_login::{DefaultLogin, DefaultLoginConfig};
use crate::limits_config::LimitsConfig;
use crate::stomp::{Limits, Login, Target, Tls};
use crate::subscription::Unread;

/// A frontend for clients behind ActiveMQ.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The broker's STOMP port, `host:port`, or a list of up to 16 of them. Both connections are to the first that works,
    /// until it goes.
    pub broker: BrokerList,
    /// TLS with the brokers; absent: everything is sent in the clear.
    pub tls: Option<TlsConfig>,
    /// The queue in which clients put their requests.
    pub queue: String,
    /// Whether one gateway at a time gets all requests and a second one stands by. Without it, gateways at the same queue
    /// get a share of each client's requests each, although only one of them has the client's login.
    pub exclusive: bool,
    /// The user name at the broker; absent for a broker without users.
    pub login: Option<String>,
    /// The passcode at the broker.
    pub passcode: Option<SecretSource>,
    /// Heart-beats with the broker in both directions, in milliseconds; 0: none, and a frozen broker stays unnoticed.
    pub heart_beat_ms: u64,
    /// Requests in NICOS's words are answered no sooner than this after their arrival, in milliseconds: the IBEX client
    /// loses an answer that comes within about 1 ms. At most 1000.
    pub min_reply_delay_ms: u64,
    /// Answers that nobody has fetched after this many seconds are thrown away by the broker. Answers that cannot be
    /// sent, because the broker is away, are kept for as long. At least 1.
    pub answer_expiry_s: u64,
    /// A client that has asked nothing for so many seconds has to log in again. At least 1.
    pub session_idle_s: u64,
    /// Whether the broker is asked who comes and goes. `false` for one that is known not to tell, such as one without
    /// XStream, or one in a network whose bridges do not pass its advisories on.
    pub advisories: bool,
    /// So long, in milliseconds, the broker may take to prove at each connection that it tells of temporary queues. Also
    /// with many clients that is a matter of milliseconds; where it does not tell, each connection is held up by this. From
    /// 1 to 60000.
    pub advisories_within_ms: u64,
    /// A request from a temporary queue that does not exist waits for so many seconds for its sender to come back, and is
    /// then not carried out. At most 600.
    pub stale_grace_s: u64,
    /// Who clients are that ask without having logged in, as old ones do when only the gateway was restarted. Absent:
    /// they are told to reconnect.
    pub default_login: Option<DefaultLoginConfig>,
    /// Where events go.
    pub events: Events,
    /// Bounds on what clients can use up.
    pub limits: LimitsConfig,
}

/// Where events go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Events {
    /// To the topics `<queue>.events.<kind>`.
    Topic,
    /// To the reply-to of each client that has subscribed.
    ReplyTo,
    /// Not at all.
    Off,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broker: BrokerList::One("127.0.0.1:61613".into()),
            tls: None,
            queue: "ss_admin".into(),
            exclusive: true,
            login: None,
            passcode: None,
            heart_beat_ms: 5_000,
            min_reply_delay_ms: 5,
            answer_expiry_s: 60,
            session_idle_s: 7 * 86_400,
            advisories: true,
            advisories_within_ms: 3_000,
            stale_grace_s: 10,
            default_login: None,
            events: Events::Topic,
            limits: LimitsConfig::default(),
        }
    }
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the brokers are, in the order in which they are tried; at least one.
    pub targets: Vec<Target>,
    /// The name of the queue.
    pub queue: String,
    /// See [`Config::exclusive`].
    pub exclusive: bool,
    /// See [`Config::min_reply_delay_ms`].
    pub min_reply_delay: Duration,
    /// See [`Config::answer_expiry_s`].
    pub answer_expiry: Duration,
    /// See [`Config::session_idle_s`].
    pub session_idle: Duration,
    /// See [`Config::advisories`].
    pub advisories: bool,
    /// See [`Config::advisories_within_ms`].
    pub advisories_within: Duration,
    /// See [`Config::stale_grace_s`].
    pub stale_grace: Duration,
    /// See [`Config::default_login`].
    pub default_login: Option<DefaultLogin>,
    /// See [`Config::events`].
    pub events: Events,
    /// See [`LimitsConfig::events_unread`].
    pub unread: Unread,
    /// See [`Config::limits`].
    pub limits: LimitsConfig,
}

impl Config {
    /// Checks every field. What stands in files is looked at with each connection.
    ///
    /// # Errors
    /// `Invalid` naming the field and what it must be.
    pub fn check(&self) -> Result<Settings, Fault> {
        check_queue(&self.queue)?;
        self.check_numbers()?;
        Ok(Settings {
            targets: self.targets()?,
            queue: self.queue.clone(),
            exclusive: self.exclusive,
            min_reply_delay: Duration::from_millis(self.min_reply_delay_ms),
            answer_expiry: Duration::from_secs(self.answer_expiry_s),
            session_idle: Duration::from_secs(self.session_idle_s),
            advisories: self.advisories,
            advisories_within: Duration::from_millis(self.advisories_within_ms),
            stale_grace: Duration::from_secs(self.stale_grace_s),
            default_login: self.default_login()?,
            events: self.events,
            unread: Unread {
                events: self.limits.events_unread,
                bytes: self.limits.events_unread_bytes,
            },
            limits: self.limits.clone(),
        })
    }

    fn targets(&self) -> Result<Vec<Target>, Fault> {
        let tls = self.tls.as_ref().map(TlsConfig::check).transpose()?;
        let addresses = self.broker.check()?.iter();
        let targets = addresses.map(|address| self.target(address, tls.clone()));
        let targets: Vec<Target> = targets.collect::<Result<_, _>>()?;
        warn_of_clear_login(&targets);
        Ok(targets)
    }

    fn target(&self, address: &str, tls: Option<Tls>) -> Result<Target, Fault> {
        let login = match (&self.login, &self.passcode) {
            (None, None) => None,
            (Some(user), Some(passcode)) => Some(Login {
                user: user.clone(),
                passcode: passcode.clone(),
            }),
            (Some(_), None) => {
                return Err(wrong_field("passcode", "given where there is a `login`"));
            }
            (None, Some(_)) => {
                return Err(wrong_field("login", "given where there is a `passcode`"));
            }
        };
        Ok(Target {
            address: address.to_owned(),
            login,
            tls,
            heart_beat: Duration::from_millis(self.heart_beat_ms),
            connect_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            bulk_bytes: self.limits.event_bytes,
            limits: Limits {
                body: self.limits.request_bytes,
                ..Limits::default()
            },
        })
    }

    /// With a secret that can be fetched now; it is fetched anew for each login.
    fn default_login(&self) -> Result<Option<DefaultLogin>, Fault> {
        if let Some(secret) = self
            .default_login
            .as_ref()
            .and_then(|login| login.secret.as_ref())
        {
            let why = |fault: Fault| {
                wrong_field("default_login.secret", &format!("there: {}", fault.message))
            };
            secret.resolve().map_err(why)?;
        }
        Ok(self.default_login.clone().map(DefaultLogin::new))
    }

    fn check_numbers(&self) -> Result<(), Fault> {
        let year = 366 * 86_400;
        field_within("heart_beat_ms", self.heart_beat_ms, 0, 3_600_000)?;
        field_within("min_reply_delay_ms", self.min_reply_delay_ms, 0, 1_000)?;
        field_within("answer_expiry_s", self.answer_expiry_s, 1, year)?;
        field_within("advisories_within_ms", self.advisories_within_ms, 1, 60_000)?;
        field_within("stale_grace_s", self.stale_grace_s, 0, 600)?;
        field_within("session_idle_s", self.session_idle_s, 1, year)?;
        self.limits.check()
    }
}

/// Wildcards and lists would make us consume what is not ours.
fn check_queue(queue: &str) -> Result<(), Fault> {
    let plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    if queue.is_empty() || queue.len() > 200 || !queue.chars().all(plain) {
        return Err(wrong_field(
            "queue",
            "the name of one queue: letters, digits and any of `._-/`",
        ));
    }
    Ok(())
}

fn warn_of_clear_login(targets: &[Target]) {
    for target in targets {
        if target.login.is_some() && target.tls.is_none() && !is_here(target.host()) {
            let broker = &target.address;
            tracing::warn!(
                broker,
                "the passcode and all requests go over the network in the clear; set `tls`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Result<Settings, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.check().map_err(|fault| fault.message)
    }

    #[test]
    fn an_empty_configuration_is_the_documented_one() {
        let settings = config("{}").unwrap();
        assert_eq!(
            (&*settings.targets[0].address, &*settings.queue),
            ("127.0.0.1:61613", "ss_admin")
        );
        assert_eq!(settings.min_reply_delay, Duration::from_millis(5));
        assert_eq!(settings.events, Events::Topic);
    }

    #[test]
    fn a_mistake_names_its_field() {
        let cases = [
            (r#"{"borker":"x:1"}"#, "borker"),
            (r#"{"broker":"localhost"}"#, "broker"),
            (r#"{"broker":"localhost:0"}"#, "broker"),
            (r#"{"broker":[]}"#, "broker"),
            (r#"{"broker":["a:1","b"]}"#, "broker"),
            (r#"{"broker":["a:1","a:1"]}"#, "once"),
            (r#"{"broker":7}"#, "`host:port` or a list"),
            (r#"{"queue":"a,b"}"#, "queue"),
            (r#"{"queue":"a.>"}"#, "queue"),
            (r#"{"login":"x"}"#, "passcode"),
            (r#"{"passcode":{"value":"x"}}"#, "login"),
            (
                r#"{"default_login":{"user":"x","secret":{"env":"NO_SUCH_VARIABLE_HERE"}}}"#,
                "default_login.secret",
            ),
            (r#"{"answer_expiry_s":0}"#, "answer_expiry_s"),
            (r#"{"limits":{"requests":0}}"#, "limits.requests"),
            (r#"{"min_reply_delay_ms":5000}"#, "min_reply_delay_ms"),
            (r#"{"tls":{"cert":"x"}}"#, "tls.key"),
            (r#"{"tls":{"key":"x"}}"#, "tls.cert"),
        ];
        for (json, field) in cases {
            let error = config(json).unwrap_err();
            assert!(error.contains(field), "{json}: {error}");
        }
    }

    #[test]
    fn the_passcode_is_never_shown() {
        let settings = config(r#"{"login":"gw","passcode":{"value":"hunter2"}}"#).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
