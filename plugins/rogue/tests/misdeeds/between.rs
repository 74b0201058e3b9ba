//! Somebody between the rogue and the host: what a plugin in another language might do, or one past the SDK.

use super::{Misdeed, by, eval, rogue};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use patchbay_testkit::Plugin;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A change of what the host says.
fn hears(change: impl Fn(&Port, Message) -> Option<Message> + Send + Sync + 'static) -> Plugin {
    rogue().through(
        move |plugin, host, message| match change(host, message) {
            Some(message) => plugin.deliver(message),
            None => Delivery::Taken,
        },
        |host, message| host.deliver(message),
    )
}

/// A change of what the rogue says.
fn speaks(change: impl Fn(&Port, Message) -> Message + Send + Sync + 'static) -> Plugin {
    rogue().through(
        |plugin, _host, message| plugin.deliver(message),
        move |host, message| {
            let message = change(host, message);
            host.deliver(message)
        },
    )
}

/// A change of the bodies of its answers.
fn answers(change: impl Fn(String) -> String + Send + Sync + 'static) -> Plugin {
    speaks(move |_, message| match message.kind {
        Kind::REPLY if !message.body.is_empty() => {
            let body = change(message.body.as_str().unwrap().to_owned());
            message.body(body)
        }
        _ => message,
    })
}

fn refuse(host: &Port, request: u64, kind: FaultKind) {
    let head = head::Reply {
        fault: Some(Fault::new(kind, "because")),
        ..head::Reply::default()
    };
    host.deliver(Message::new(Kind::REPLY, request, &head));
}

pub(super) fn misdeeds() -> Vec<Misdeed> {
    let misdeed = |what, plugin, fails: &[&'static str]| by(what, plugin, json!({}), fails);
    let slow = |suite: patchbay_testkit::conformance::BackendSuite| {
        suite.slow_request("eval", eval("hang"))
    };
    vec![
        misdeed("any configuration will do", lax(), &["A1"]),
        misdeed("it talks on", talks_on(), &["A5"]),
        misdeed("it holds what it had", holds(), &["A6"]),
        misdeed("it lives once", lives_once(), &["A7"]),
        misdeed("it is hurt by what is new", is_hurt(), &["A8"]),
        misdeed("it tells passwords", tells(), &["A11"])
            .with(|suite| suite.login("anna", "the password of anna")),
        misdeed("it is loud", hears(without(Kind::LEVEL)), &["A13"]),
        misdeed("its numbers are doubles", doubles(), &["B1", "B3"]),
        misdeed("it does not hear the host's word", no_word(), &["B3"]),
        misdeed("nobody leaves", hears(without(Kind::LOGOUT)), &["B4"]),
        misdeed("it knows everything", knows_everything(), &["B6"]),
        misdeed("it takes any arguments", takes_anything(), &["B8"])
            .with(|suite| suite.script(super::HONEST)),
        misdeed(
            "it answers what was cancelled",
            answers_cancelled(),
            &["B5", "B9"],
        )
        .with(slow),
        misdeed(
            "it knows one alphabet",
            answers(|body| body.replace('\u{e9}', "?")),
            &["B12", "B13"],
        )
        .with(says),
        misdeed("it cuts off", answers(cut), &["B13"]).with(says),
        misdeed("it gives up on many", few_at_once(), &["B14"]),
    ]
}

fn says(
    suite: patchbay_testkit::conformance::BackendSuite,
) -> patchbay_testkit::conformance::BackendSuite {
    suite.says(|text| ("status".into(), json!({ "text": text })))
}

fn without(kind: Kind) -> impl Fn(&Port, Message) -> Option<Message> + Send + Sync + 'static {
    move |_, message| (message.kind != kind).then_some(message)
}

fn lax() -> Plugin {
    hears(|_, message| match message.kind {
        Kind::START => Some(message.body("{}".to_owned())),
        _ => Some(message),
    })
}

fn talks_on() -> Plugin {
    speaks(|host, message| match message.kind {
        Kind::STOPPED => {
            host.deliver(message);
            let (state, reason) = ("up".to_owned(), String::new());
            Message::new(Kind::HEALTH, 0, &head::Health { state, reason })
        }
        _ => message,
    })
}

fn holds() -> Plugin {
    speaks(|host, message| {
        if message.kind == Kind::READY {
            std::mem::forget(host.clone());
        }
        message
    })
}

fn lives_once() -> Plugin {
    let lives = AtomicUsize::new(0);
    hears(move |host, message| {
        // The first one is that with a key which it does not know.
        let is_again = message.kind == Kind::START && lives.fetch_add(1, Ordering::Relaxed) > 1;
        if is_again {
            let fault = Fault::new(FaultKind::Unavailable, "the lock file is there still");
            host.deliver(Message::new(Kind::FAILED, 0, &fault));
            return None;
        }
        Some(message)
    })
}

fn is_hurt() -> Plugin {
    let is_deaf = AtomicBool::new(false);
    hears(move |_, message| {
        match message.kind {
            Kind::START => is_deaf.store(false, Ordering::Relaxed),
            kind if kind.name().is_none() => is_deaf.store(true, Ordering::Relaxed),
            _ => {}
        }
        let hears = !is_deaf.load(Ordering::Relaxed) || message.kind == Kind::STOP;
        hears.then_some(message)
    })
}

fn tells() -> Plugin {
    hears(|host, message| {
        if let Some(secret) = message.secret.as_ref().into_option() {
            let line = head::Log {
                level: "error".to_owned(),
                target: "rogue".to_owned(),
                at: String::new(),
                fields: vec![("password".to_owned(), secret.expose().to_owned())],
                message: "somebody comes".to_owned(),
            };
            host.deliver(Message::new(Kind::LOG, 0, &line));
        }
        Some(message)
    })
}

fn doubles() -> Plugin {
    speaks(|_, mut message| {
        if let Ok(mut head) = message.read_head::<head::Reply>()
            && let Some(session) = &mut head.session
        {
            session.session = session.session as f64 as u64 + 2;
            let body = message.body;
            message = Message::new(Kind::REPLY, message.id, &head);
            message.body = body;
        }
        message
    })
}

fn no_word() -> Plugin {
    hears(|_, message| {
        let login = message.read_head::<head::Login>();
        let is_vouched =
            message.kind == Kind::LOGIN && login.is_ok_and(|login| login.vouched.is_some());
        (!is_vouched).then_some(message)
    })
}

fn knows_everything() -> Plugin {
    hears(|_, mut message| {
        if message.kind == Kind::CALL
            && let Ok(mut head) = message.read_head::<head::Call>()
            && patchbay_sdk::model::find_op(&head.op).is_none()
        {
            head.op = "status".to_owned();
            let body = message.body;
            message = Message::new(Kind::CALL, message.id, &head).body(body);
        }
        Some(message)
    })
}

fn takes_anything() -> Plugin {
    hears(|_, message| {
        let args: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let is_submit = message
            .read_head::<head::Call>()
            .is_ok_and(|call| call.op == "submit");
        let code = args["code"].as_str().unwrap_or("nothing");
        Some(match is_submit {
            true => message.body(json!({ "code": code }).to_string()),
            false => message,
        })
    })
}

fn answers_cancelled() -> Plugin {
    hears(|host, message| {
        // Not what was never asked.
        if message.kind == Kind::CANCEL && message.id != u64::MAX - 1 {
            refuse(host, message.id, FaultKind::Cancelled);
        }
        Some(message)
    })
}

fn cut(body: String) -> String {
    match body.len() > 64 << 10 {
        true => r#""cut off""#.to_owned(),
        false => body,
    }
}

fn few_at_once() -> Plugin {
    let asked = AtomicUsize::new(0);
    hears(move |host, message| {
        match message.kind {
            Kind::START => asked.store(0, Ordering::Relaxed),
            Kind::CALL if asked.fetch_add(1, Ordering::Relaxed) > 100 => {
                refuse(host, message.id, FaultKind::Conflict);
                return None;
            }
            _ => {}
        }
        Some(message)
    })
}
