//! A plugin, however it is got at.

use crate::Wire;
use patchbay_abi::load::Library;
use patchbay_abi::module::{Opened, Text};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Message, Port};
use patchbay_sdk::{Backend, Frontend, glue};
use std::path::Path;
use std::sync::Arc;

type Open = dyn Fn(&str, Port) -> Result<Port, String> + Send + Sync;

/// A plugin of which instances can be opened: a type of this test, a file, or whatever else takes and gives messages.
///
/// ```
/// use patchbay_testkit::{Plugin, Wire};
/// # fn plugins<MyBackend: patchbay_sdk::Backend>() {
/// let linked = Plugin::backend::<MyBackend>();
/// let as_if_in_another_process = linked.over(Wire::Bytes);
/// # }
/// ```
#[derive(Clone)]
pub struct Plugin {
    open: Arc<Open>,
    schema: Option<String>,
    wire: Wire,
}

impl Plugin {
    /// Whatever opens an instance of that name: it gets the port on which the instance speaks to the host, and gives the one on
    /// which the host speaks to it.
    pub fn new(open: impl Fn(&str, Port) -> Result<Port, String> + Send + Sync + 'static) -> Self {
        Plugin {
            open: Arc::new(open),
            schema: None,
            wire: Wire::InProcess,
        }
    }

    /// A backend of this test's own code.
    pub fn backend<B: Backend>() -> Self {
        Plugin::of(glue::open_backend::<B>, glue::schema_backend::<B>)
    }

    /// A frontend of this test's own code.
    pub fn frontend<F: Frontend>() -> Self {
        Plugin::of(glue::open_frontend::<F>, glue::schema_frontend::<F>)
    }

    /// A plugin file. One that cannot be loaded is a plugin of which no instance can be opened, for the reason that there is.
    /// Its code runs in this process, which is as long as it stays loaded.
    pub fn file(path: &Path) -> Self {
        let functions = Library::open(path).and_then(|library| library.functions());
        match functions {
            Ok(functions) => Plugin::of(functions.open(), functions.schema()),
            Err(why) => Plugin::new(move |_, _| Err(why.clone())),
        }
    }

    /// By the functions that a plugin file exports.
    pub fn of(open: extern "C" fn(Text, Port) -> Opened, schema: extern "C" fn() -> Text) -> Self {
        let opens = move |instance: &str, host| match open(instance.into(), host) {
            Opened::ROk(port) => Ok(port),
            Opened::RErr(why) => Err(why.into_string()),
        };
        Plugin::new(opens).schema(schema().as_str())
    }

    /// With the JSON Schema of its configuration.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.schema = Some(schema.to_owned());
        self
    }

    /// With messages that cross so.
    #[must_use]
    pub fn over(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// With somebody between it and the host, who passes on to the port what either says, or something else: for tests that
    /// a misdeed is noticed. What the host says comes with the way back to it, too.
    ///
    /// ```
    /// use patchbay_testkit::Plugin;
    /// # fn twice<MyBackend: patchbay_sdk::Backend>() {
    /// let says_all_twice = Plugin::backend::<MyBackend>().through(
    ///     |plugin, _host, message| plugin.deliver(message),
    ///     |host, message| {
    ///         host.deliver(message.clone());
    ///         host.deliver(message)
    ///     },
    /// );
    /// # }
    /// ```
    #[must_use]
    pub fn through<P, H>(self, to_plugin: P, to_host: H) -> Self
    where
        P: Fn(&Port, &Port, Message) -> Delivery + Send + Sync + 'static,
        H: Fn(&Port, Message) -> Delivery + Send + Sync + 'static,
    {
        let (to_plugin, to_host) = (Arc::new(to_plugin), Arc::new(to_host));
        let schema = self.schema.clone();
        let through = Plugin::new(move |instance, host| {
            let (to_plugin, to_host) = (to_plugin.clone(), to_host.clone());
            let way_back = host.clone();
            let host = Port::new(Between(move |message| to_host(&host, message)));
            let plugin = self.open(instance, host)?;
            Ok(Port::new(Between(move |message| {
                to_plugin(&plugin, &way_back, message)
            })))
        });
        Plugin { schema, ..through }
    }

    /// The JSON Schema of its configuration, where that is known.
    pub fn known_schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Opens an instance.
    ///
    /// # Errors
    /// What the plugin says.
    pub fn open(&self, instance: &str, host: Port) -> Result<Port, String> {
        let port = (self.open)(instance, self.wire.wrap(host))?;
        Ok(self.wire.wrap(port))
    }
}

struct Between<F>(F);

impl<F: Fn(Message) -> Delivery + Send + Sync + 'static> Deliver for Between<F> {
    fn deliver(&self, message: Message) -> Delivery {
        (self.0)(message)
    }
}
