//! A plugin, however it is got at.

use crate::Wire;
use patchbay_abi::Port;
use patchbay_abi::module::{Opened, Text};
use patchbay_sdk::{Backend, Frontend, glue};
use std::sync::Arc;

type Open = dyn Fn(&str, Port) -> Result<Port, String> + Send + Sync;

/// A plugin of which instances can be opened: a type of this test, a file, or whatever else takes and gives messages.
///
/// ```
/// use patchbay_testkit::{Plugin, Wire};
/// let linked = Plugin::backend::<patchbay_echo::Echo>();
/// let as_if_in_another_process = linked.over(Wire::Bytes);
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
