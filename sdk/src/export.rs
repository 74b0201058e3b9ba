//! How a crate becomes a plugin.

/// Makes this crate a plugin: `export!(backend = Echo);` or `export!(frontend = Lines);`, once, in
/// a crate whose `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`.
///
/// A whole crate with it stands in [the crate's documentation](crate).
///
/// ```compile_fail
/// struct Nothing;
/// // It says what is missing: `Nothing` is no backend.
/// patchbay_sdk::export!(backend = Nothing);
/// ```
#[macro_export]
macro_rules! export {
    (backend = $backend:ty $(,)?) => {
        $crate::__one_plugin_that_unwinds!();
        $crate::__private::patchbay_abi::place_manifest!("backend", $crate::__private::SDK_VERSION);
        $crate::__private::patchbay_abi::export_module!(
            $crate::__private::schema_backend::<$backend>,
            $crate::__private::open_backend::<$backend>
        );
    };
    (frontend = $frontend:ty $(,)?) => {
        $crate::__one_plugin_that_unwinds!();
        $crate::__private::patchbay_abi::place_manifest!(
            "frontend",
            $crate::__private::SDK_VERSION
        );
        $crate::__private::patchbay_abi::export_module!(
            $crate::__private::schema_frontend::<$frontend>,
            $crate::__private::open_frontend::<$frontend>
        );
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "say `export!(backend = YourType);` or `export!(frontend = YourType);`, with the type that implements \
             `patchbay_sdk::Backend` or `patchbay_sdk::Frontend`"
        );
    };
}

/// For [`export!`]: mistakes that would show only when the plugin is loaded, or as an error of the linker.
#[doc(hidden)]
#[macro_export]
macro_rules! __one_plugin_that_unwinds {
    () => {
        #[cfg(not(panic = "unwind"))]
        ::core::compile_error!(
            "a Patchbay plugin must be built with panic = \"unwind\", or a mistake in it would end the whole gateway: \
             take `panic = \"abort\"` out of the profile in Cargo.toml, out of RUSTFLAGS and out of .cargo/config.toml"
        );

        /// Stands in the root of the crate, wherever `export!` is, so that a second one is noticed.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! patchbay_export_is_said_once_in_a_crate_because_a_file_holds_one_plugin {
            () => {};
        }
    };
}
