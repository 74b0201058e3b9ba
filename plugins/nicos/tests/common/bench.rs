//! A real daemon with the plugin on it.

use patchbay_nicos::Nicos as Plugin;
use patchbay_servers::{Nicos, silent};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::{Value, json};

/// Starts a daemon; installs NICOS the first time.
pub async fn daemon() -> Nicos {
    tokio::task::spawn_blocking(|| Nicos::start(&silent).expect("NICOS starts"))
        .await
        .unwrap()
}

/// Starts a daemon with a value cache.
#[allow(dead_code, reason = "not every test needs one")]
pub async fn daemon_with_cache() -> Nicos {
    let start = || Nicos::options().cache(true).start(&silent);
    tokio::task::spawn_blocking(move || start().expect("NICOS starts"))
        .await
        .unwrap()
}

/// Starts the plugin with this configuration on top of the address.
pub async fn plugin(nicos: &Nicos, more: Value) -> BackendHost {
    let mut config =
        json!({"address": nicos.address().to_string(), "retry_first_s": 0.05, "retry_most_s": 0.5});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    BackendHost::start::<Plugin>(config, Wire::InProcess)
        .await
        .expect("the plugin starts")
}

/// The next event of a kind whose body satisfies `wanted`.
pub async fn event_where(
    host: &BackendHost,
    kind: &str,
    wanted: impl Fn(&Value) -> bool,
) -> (Option<String>, Value) {
    let wait = async {
        loop {
            let (job, body) = host.next_event(kind).await;
            if wanted(&body) {
                return (job, body);
            }
        }
    };
    let limit = 3 * patchbay_testkit::PATIENCE;
    let event = tokio::time::timeout(limit, wait).await;
    event.unwrap_or_else(|_| panic!("none of the `{kind}` events is the wanted one"))
}

#[allow(dead_code, reason = "not every test needs to wait")]
/// Asks until the reply is as wanted, and returns it.
pub async fn until(
    session: &patchbay_testkit::TestSession<'_>,
    op: &str,
    args: Value,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let end = tokio::time::Instant::now() + patchbay_testkit::PATIENCE;
    loop {
        let reply = session.call(op, args.clone()).await;
        match reply {
            Ok(reply) if wanted(&reply) => return reply,
            other if tokio::time::Instant::now() > end => panic!("`{op}` still says {other:?}"),
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}
