//! Somebody between a good frontend and the host.

use crate::clients::Picky;
use crate::{Misdeed, by, by_clients};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use patchbay_socket::Socket;
use patchbay_testkit::Plugin;
use serde_json::Value;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A change of what the host says: what comes in place of a message.
fn hears(change: impl Fn(Message) -> Vec<Message> + Send + Sync + 'static) -> Plugin {
    socket().through(
        move |plugin, _host, message| pass(plugin, change(message)),
        |host, message| host.deliver(message),
    )
}

/// A change of what the frontend says.
fn speaks(change: impl Fn(Message) -> Vec<Message> + Send + Sync + 'static) -> Plugin {
    socket().through(
        |plugin, _host, message| plugin.deliver(message),
        move |host, message| pass(host, change(message)),
    )
}

fn pass(port: &Port, messages: Vec<Message>) -> Delivery {
    for message in messages {
        port.deliver(message);
    }
    Delivery::Taken
}

fn socket() -> Plugin {
    Plugin::frontend::<Socket>()
}

fn value(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap_or_default()
}

pub(super) fn misdeeds() -> Vec<Misdeed> {
    vec![
        by("nothing at all", socket(), &[]),
        by("names are changed", names_changed(), &["F1"]),
        by(
            "why somebody is not let in",
            silent(FaultKind::Unauthorized),
            &["F2"],
        ),
        by("strangers ask", strangers_ask(), &["F3"]),
        by("nobody leaves", speaks(without(Kind::LOGOUT)), &["F4"]),
        by("answers go to others", swapped(), &["F5"]),
        by("requests overtake each other", overtaking(), &["F6"]),
        by(
            "why something is refused",
            silent(FaultKind::Conflict),
            &["F7"],
        ),
        by("one alphabet", speaks(in_one_alphabet), &["F8", "F9"]),
        by("long answers are cut off", hears(cut), &["F9"]),
        by("of many, some are forgotten", forgetful(), &["F10"]),
        by_clients("babble hurts", socket(), Picky::fragile, &["F11"]),
        by("an event is lost", hears(without_some_events), &["F12"]),
        by("nobody reads", no_more_credit(), &["F12", "F13"]),
        by(
            "what it took is not answered at the end",
            deaf_at_the_end(),
            &["F14"],
        ),
        by_clients(
            "who stays keeps others out",
            socket(),
            |lines| Picky::crowded(lines, 3),
            &["F15"],
        ),
    ]
}

fn without(kind: Kind) -> impl Fn(Message) -> Vec<Message> + Send + Sync + 'static {
    move |message| match message.kind == kind {
        true => Vec::new(),
        false => vec![message],
    }
}

fn names_changed() -> Plugin {
    speaks(|mut message| {
        if message.kind == Kind::LOGIN {
            let mut login: head::Login = message.read_head().unwrap();
            login.user = login.user.to_uppercase();
            let secret = message.secret;
            message = Message::new(Kind::LOGIN, message.id, &login);
            message.secret = secret;
        }
        vec![message]
    })
}

/// Refusals of that kind come without words of their own.
fn silent(kind: FaultKind) -> Plugin {
    hears(move |message| {
        let reply = message.read_head::<head::Reply>().unwrap_or_default();
        let is_meant =
            message.kind == Kind::REPLY && reply.fault.is_some_and(|fault| fault.kind == kind);
        vec![match is_meant {
            true => {
                let fault = Some(Fault::new(kind.clone(), "no"));
                let head = head::Reply {
                    fault,
                    ..head::Reply::default()
                };
                Message::new(Kind::REPLY, message.id, &head)
            }
            false => message,
        }]
    })
}

fn strangers_ask() -> Plugin {
    speaks(|message| {
        let mut said = vec![message];
        if said[0].kind == Kind::LOGIN {
            let call = head::Call {
                op: "status".to_owned(),
                ..head::Call::default()
            };
            said.push(Message::new(Kind::CALL, u64::MAX, &call).body("{}".to_owned()));
        }
        said
    })
}

/// Two answers each change places.
fn swapped() -> Plugin {
    let held = Mutex::new(None::<Message>);
    hears(move |mut message| {
        let answer = value(&message)["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if message.kind != Kind::REPLY || !answer.contains(" of ") {
            return vec![message];
        }
        let mut held = held.lock().unwrap();
        match held.take() {
            Some(mut other) => {
                std::mem::swap(&mut message.id, &mut other.id);
                vec![other, message]
            }
            None => {
                *held = Some(message);
                Vec::new()
            }
        }
    })
}

/// The second one of those that are numbered comes before the first.
fn overtaking() -> Plugin {
    let held = Mutex::new(None::<Message>);
    speaks(move |message| {
        let mut held = held.lock().unwrap();
        match value(&message)["code"].as_str() {
            Some("0") => {
                *held = Some(message);
                Vec::new()
            }
            Some("1") => [message].into_iter().chain(held.take()).collect(),
            _ => vec![message],
        }
    })
}

fn in_one_alphabet(message: Message) -> Vec<Message> {
    vec![match message.kind {
        Kind::CALL => {
            let body = message.body.as_str().unwrap().replace('\u{e9}', "?");
            message.body(body)
        }
        _ => message,
    }]
}

fn cut(message: Message) -> Vec<Message> {
    vec![
        match message.kind == Kind::REPLY && message.body.len() > 64 << 10 {
            true => message.body(r#"{"value":"cut off"}"#.to_owned()),
            false => message,
        },
    ]
}

fn forgetful() -> Plugin {
    let asked = AtomicUsize::new(0);
    let asks = move |message: Message| match message.kind {
        Kind::READY => {
            asked.store(0, Ordering::Relaxed);
            vec![message]
        }
        Kind::CALL if asked.fetch_add(1, Ordering::Relaxed) == 25 => Vec::new(),
        _ => vec![message],
    };
    speaks(asks)
}

fn without_some_events(message: Message) -> Vec<Message> {
    let is_lost = message.kind == Kind::EVENT && value(&message)["number"] == 50;
    match is_lost {
        true => Vec::new(),
        false => vec![message],
    }
}

fn no_more_credit() -> Plugin {
    let has_credit = AtomicBool::new(false);
    speaks(move |message| match message.kind {
        Kind::READY => {
            has_credit.store(false, Ordering::Relaxed);
            vec![message]
        }
        Kind::CREDIT if has_credit.swap(true, Ordering::Relaxed) => Vec::new(),
        _ => vec![message],
    })
}

fn deaf_at_the_end() -> Plugin {
    let is_ending = AtomicBool::new(false);
    hears(move |message| {
        match message.kind {
            Kind::START => is_ending.store(false, Ordering::Relaxed),
            Kind::STOP => is_ending.store(true, Ordering::Relaxed),
            Kind::REPLY if is_ending.load(Ordering::Relaxed) => return Vec::new(),
            _ => {}
        }
        vec![message]
    })
}
