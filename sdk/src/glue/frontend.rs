//! A frontend's side of the boundary.

use super::contain::contain;
use super::report::{Depth, report};
use super::runtime::Runtime;
use super::{read_config, send_failed};
use crate::gateway::Link;
use crate::{Frontend, Gateway, Stop};
use patchbay_abi::module::{Opened, Text};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port};
use std::sync::{Arc, Weak};

/// Opens an instance of a frontend.
pub extern "C" fn open_frontend<F: Frontend>(instance: Text, host: Port) -> Opened {
    let opened = std::panic::catch_unwind(|| FrontendSide::<F>::open(instance.as_str(), host));
    match opened {
        Ok(Ok(port)) => Opened::ROk(port),
        Ok(Err(error)) => Opened::RErr(error.to_string().into()),
        Err(_) => Opened::RErr("the plugin panicked while it was opened".into()),
    }
}

/// Takes the host's messages; the author's `run` is one task on the instance's runtime.
struct FrontendSide<F> {
    runtime: Arc<Runtime>,
    gateway: Gateway,
    host: Port,
    author: std::marker::PhantomData<fn() -> F>,
}

impl<F: Frontend> FrontendSide<F> {
    fn open(instance: &str, host: Port) -> std::io::Result<Port> {
        let runtime = Runtime::start(instance, &host, || {})?;
        let counts = runtime.counts.clone();
        let gateway = Gateway::new(instance.to_owned(), host.clone(), counts);
        let link = Arc::downgrade(&gateway.link());
        runtime.handle.spawn(report_queues(host.clone(), link));
        Ok(Port::new(FrontendSide::<F> {
            runtime,
            gateway,
            host,
            author: std::marker::PhantomData,
        }))
    }

    fn start(&self, message: Message) {
        self.runtime.set_level(&message);
        let (runtime, host) = (self.runtime.clone(), self.host.clone());
        let (gateway, stop) = (self.gateway.clone(), self.runtime.stop_signal());
        self.runtime.handle.spawn(async move {
            match run::<F>(message, gateway, stop).await {
                Ok(()) => runtime.finish_stopped(),
                Err(fault) => {
                    send_failed(&host, &runtime.counts, fault);
                    runtime.finish();
                }
            }
        });
    }
}

impl<F> Drop for FrontendSide<F> {
    /// The host has let go, perhaps without a `STOP`.
    fn drop(&mut self) {
        self.runtime.finish();
    }
}

/// Tells how many events wait to be read, and how long answers waited to be taken.
async fn report_queues(host: Port, link: Weak<Link>) {
    let mut unread = Depth::default();
    let look = || {
        let link = link.upgrade()?;
        let depth = unread.changed("events_unread", link.events_unread());
        Some(depth.into_iter().chain(link.taken.report()).collect())
    };
    report(host, look).await;
}

async fn run<F: Frontend>(start: Message, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
    let config = read_config::<F::Config>(start).await?;
    contain("run", F::run(config, gateway, stop.clone())).await??;
    match stop.is_stopping() {
        true => Ok(()),
        false => Err(Fault::new(
            FaultKind::Internal,
            "it ended without having been asked to",
        )),
    }
}

impl<F: Frontend> Deliver for FrontendSide<F> {
    fn deliver(&self, message: Message) -> Delivery {
        match message.kind {
            Kind::REPLY => return self.gateway.link().take_reply(message),
            Kind::EVENT => return self.gateway.link().take_event(message),
            Kind::START => self.start(message),
            Kind::STOP => self.runtime.ask_to_stop(&message),
            Kind::LEVEL => self.runtime.set_level(&message),
            Kind::PING => self.runtime.answer_ping(&self.host, &message),
            _ => {}
        }
        Delivery::Taken
    }
}
