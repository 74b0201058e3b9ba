//! What the tests of the frontend share: a script server that is a function.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod broker;
pub mod codec;
pub mod scripted;
pub mod tls;
pub mod world;

use std::time::Duration;

use patchbay_activemq::ActiveMq;
use patchbay_sdk::{Fault, FaultKind};
use patchbay_testkit::{Asked, FrontendHost, Wire};
use serde_json::{Value, json};

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Lets in everybody whose password is `good`, or that of an IBEX client, after a second if it is `slow`; `eval` and `complete`
/// answer with their code or line, after as many seconds as that says if it is `sleep <seconds>`.
pub fn script_server(asked: &Asked) -> Result<Value, Fault> {
    match asked {
        Asked::Login { secret, .. } if secret == "slow" => {
            std::thread::sleep(Duration::from_secs(1));
            Ok(json!({"user_level": 20}))
        }
        Asked::Login { secret, .. }
            if secret == "good" || secret == patchbay_servers::IBEX_PASSWORD =>
        {
            Ok(json!({"user_level": 20}))
        }
        Asked::Login { .. } => Err(Fault::new(FaultKind::Unauthorized, "wrong password")),
        Asked::Logout { .. } => Ok(Value::Null),
        // The host knows of one submit that an earlier life of the gateway has carried out, and of one that it may have:
        // of that the script server can tell.
        Asked::Call {
            session: 0,
            asker,
            args,
            ..
        } if args["code"] != "known" => match asker {
            Some(_) if args["code"] == "interrupted" => Ok(json!({"job": "job-1"})),
            None if args["code"] == "interrupted" => {
                Err(Fault::new(FaultKind::UnknownOutcome, "interrupted"))
            }
            _ => Err(Fault::new(FaultKind::Unauthorized, "you are not logged in")),
        },
        Asked::Call { op, args, .. } => match op.as_str() {
            "submit" if args["code"] == "no room" => {
                Err(Fault::new(FaultKind::Busy, "too many requests at a time"))
            }
            "submit" => Ok(json!({"job": "job-1"})),
            "eval" => Ok(json!({"value": evaluated(args["code"].as_str().unwrap())})),
            "status" => {
                Ok(json!({"link": "up", "run": "idle", "job": null, "queue": [], "last": null}))
            }
            "log" => Ok(json!({"messages": []})),
            "complete" if args["line"] == "fail" => Err(Fault::new(FaultKind::Unavailable, "no")),
            "complete" => Ok(json!({"matches": [evaluated(args["line"].as_str().unwrap())]})),
            "exec" => Err(Fault::new(
                FaultKind::Unavailable,
                "the script server is away",
            )),
            _ => Ok(Value::Null),
        },
    }
}

fn evaluated(code: &str) -> &str {
    if let Some(seconds) = code.strip_prefix("sleep ") {
        std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap()));
    }
    code
}

/// Starts the frontend before that script server.
pub async fn start(config: Value) -> FrontendHost {
    FrontendHost::start::<ActiveMq>(config, Wire::InProcess, script_server)
        .await
        .unwrap()
}

/// The operations that the script server was asked for, in order.
pub fn ops(host: &FrontendHost) -> Vec<String> {
    let op = |asked| match asked {
        Asked::Call {
            session: 1.., op, ..
        } => Some(op),
        _ => None,
    };
    host.asked().into_iter().filter_map(op).collect()
}

/// The keys of all calls that had one.
pub fn keys(host: &FrontendHost) -> Vec<String> {
    let key = |asked| match asked {
        Asked::Call { key, .. } => key,
        _ => None,
    };
    host.asked().into_iter().filter_map(key).collect()
}

/// Whether `done` becomes true within [`LIMIT`].
pub async fn eventually(done: impl Fn() -> bool) -> bool {
    for _ in 0..LIMIT.as_millis() / 10 {
        if done() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
