//! The functions that a plugin file exports; `abi_stable` checks their layout when it is loaded.

use crate::Port;
use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RString};

/// The name of the exported symbol; a file without it is no plugin.
pub const SYMBOL: &str = "patchbay_plugin";

/// Text that crosses in a call of these functions.
pub type Text = RString;

/// What opening an instance comes to: its port, or why not.
pub type Opened = RResult<Port, Text>;

/// Everything that the host can call in a plugin file. New functions are added at the end, behind
/// the last prefix field, and read as `None` from an older plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref, prefix_fields = PluginModule_Prefix)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    /// The JSON Schema of an instance's configuration.
    pub schema: extern "C" fn() -> Text,
    /// Opens an instance of the given name: its runtime, its thread. It speaks to the host through
    /// the port that it is given, and is spoken to through the one that it returns.
    #[sabi(last_prefix_field)]
    pub open: extern "C" fn(instance: Text, host: Port) -> Opened,
    /// What no host knows yet.
    #[cfg(feature = "more-functions")]
    pub later: extern "C" fn() -> Text,
}

impl PluginModule {
    /// A plugin's functions, for as long as the process lives.
    pub fn place(
        schema: extern "C" fn() -> Text,
        open: extern "C" fn(instance: Text, host: Port) -> Opened,
    ) -> PluginModule_Ref {
        PluginModule {
            schema,
            open,
            #[cfg(feature = "more-functions")]
            later: schema,
        }
        .leak_into_prefix()
    }
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "patchbay_plugin";
    const NAME: &'static str = "patchbay_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// Exports the plugin's functions. For `patchbay_sdk::export!`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_module {
    ($schema:expr, $open:expr) => {
        const _: () = {
            use $crate::__private::abi_stable::library as __library;
            extern "C" fn __construct() -> __library::RootModuleResult {
                __library::__call_root_module_loader(|| {
                    $crate::module::PluginModule::place($schema, $open)
                })
            }
            // SAFETY: `__construct` returns a `PluginModule_Ref`, erased by abi_stable itself; the
            // name is Patchbay's own and a plugin exports it once.
            #[unsafe(no_mangle)]
            pub static patchbay_plugin: __library::LibHeader = unsafe {
                __library::LibHeader::from_constructor::<$crate::module::PluginModule_Ref>(
                    __construct,
                    __library::CheckTypeLayout::Yes,
                )
            };
        };
    };
}
