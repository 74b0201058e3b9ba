//! The boundary itself, past the SDK: what the SDK would never say.

use patchbay_sdk::__private::patchbay_abi::module::{Opened, Text};
use patchbay_sdk::__private::patchbay_abi::port::Deliver;
use patchbay_sdk::__private::patchbay_abi::{Delivery, Kind, Message, Port, head};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The host's ports of instances that were opened and have not started yet.
static OPENED: Mutex<Option<HashMap<String, Port>>> = Mutex::new(None);

/// Opens an instance as the SDK does, and remembers where it speaks to.
pub extern "C" fn open(instance: Text, host: Port) -> Opened {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let ports = opened.get_or_insert_default();
    ports.insert(instance.as_str().to_owned(), host.clone());
    drop(opened);
    let name = instance.as_str().to_owned();
    match patchbay_sdk::glue::open_backend::<crate::Rogue>(instance, host) {
        Opened::ROk(port) => Opened::ROk(Port::new(Instance { name, port })),
        refused => refused,
    }
}

/// One that never starts is forgotten when the host lets go of it.
struct Instance {
    name: String,
    port: Port,
}

impl Deliver for Instance {
    fn deliver(&self, message: Message) -> Delivery {
        self.port.deliver(message)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        Raw::of(&self.name);
    }
}

/// An instance's way to the host; nothing where it was opened in another way.
pub(crate) struct Raw(Option<Port>);

impl Raw {
    /// Of an instance that starts. It is not kept elsewhere, so that it ends with the instance.
    pub(crate) fn of(instance: &str) -> Raw {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        Raw(opened.as_mut().and_then(|ports| ports.remove(instance)))
    }

    /// Says it, in the request of that number.
    pub(crate) fn say(&self, what: &str, request: u64) {
        let reply = Message::new(Kind::REPLY, request, &head::Reply::default());
        match what {
            "twice" => self.answer(request, r#""first""#),
            "stranger" => self.answer(u64::MAX, "null"),
            "headless" => self.send(Message::bare(Kind::REPLY, request)),
            "no-json" => self.send(reply.body("{".to_owned())),
            "newline" => self.send(reply.body("[1,\n2]".to_owned())),
            "no-text" => self.send(reply.body(vec![b'"', 0xff, b'"'])),
            "no-kind" => self.send(Message::bare(Kind(999), request)),
            "frontends" => {
                let kinds = [Kind::LOGIN, Kind::CALL, Kind::LOGOUT, Kind::CANCEL];
                let others = [Kind::SUBSCRIBE, Kind::CREDIT, Kind::START, Kind::PING];
                for kind in kinds.into_iter().chain(others) {
                    self.send(Message::bare(kind, request));
                }
            }
            "no-event" => self.send(Message::bare(Kind::EVENT, 0).body("{".to_owned())),
            "ready-again" => self.send(Message::bare(Kind::READY, 0)),
            "ready" => (0..1000).for_each(|_| self.send(Message::bare(Kind::READY, 0))),
            "stopped" => self.send(Message::bare(Kind::STOPPED, 0)),
            _ => {}
        }
    }

    /// Answers the request of that number.
    pub(crate) fn answer(&self, request: u64, body: &str) {
        let reply = Message::new(Kind::REPLY, request, &head::Reply::default());
        self.send(reply.body(body.to_owned()));
    }

    fn send(&self, message: Message) {
        if let Some(host) = &self.0 {
            host.deliver(message);
        }
    }
}
