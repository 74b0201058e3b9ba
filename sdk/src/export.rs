//! How a crate becomes a plugin.

/// Makes this crate a plugin: `export!(backend = Echo);` or `export!(frontend = Lines);`, once, in
/// a crate whose `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`.
#[macro_export]
macro_rules! export {
    (backend = $backend:ty) => {
        $crate::__private::patchbay_abi::place_manifest!("backend", $crate::__private::SDK_VERSION);
        $crate::__private::patchbay_abi::export_module!(
            $crate::__private::schema_backend::<$backend>,
            $crate::__private::open_backend::<$backend>
        );
    };
    (frontend = $frontend:ty) => {
        $crate::__private::patchbay_abi::place_manifest!(
            "frontend",
            $crate::__private::SDK_VERSION
        );
        $crate::__private::patchbay_abi::export_module!(
            $crate::__private::schema_frontend::<$frontend>,
            $crate::__private::open_frontend::<$frontend>
        );
    };
}
