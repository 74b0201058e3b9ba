//! Turns a file into the functions that it exports. It is trusted: whoever loads a file runs it.
//!
//! With the feature `load`, for the host and for tests; a plugin needs none of this.

#![allow(
    unsafe_code,
    reason = "running a shared library's code cannot be checked by the compiler"
)]

use crate::module::{PluginModule_Ref, SYMBOL};
use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{AbiInstabilityErrors, check_layout_compatibility};
use abi_stable::library::{AbiHeader, AbiHeaderRef, LibHeader};
use abi_stable::type_layout::TLFieldOrFunction;
use std::path::Path;

/// What the exported symbol [`SYMBOL`] begins with in a file that was built with the same abi_stable.
pub const MAGIC: &[u8] = &AbiHeader::VALUE.magic_string;

/// A plugin file that was opened; it stays loaded until the process ends.
pub struct Library(&'static LibHeader);

impl Library {
    /// Opens it: the initialisers of the file run.
    ///
    /// # Errors
    /// A sentence that names the file: it cannot be loaded, or is no plugin.
    pub fn open(path: &Path) -> Result<Library, String> {
        open(path).map(Library)
    }

    /// Its functions, if their layout is this one's.
    ///
    /// # Errors
    /// What is laid out differently.
    pub fn functions(&self) -> Result<PluginModule_Ref, String> {
        module(self.0)
    }
}

fn open(path: &Path) -> Result<&'static LibHeader, String> {
    let shown = path.display();
    // SAFETY: the initialisers of the library run. It says by its manifest that it is a plugin made
    // for this host; beyond that, loading a plugin means trusting it.
    let library = unsafe { shared::open(path) }
        .map_err(|error| format!("{shown} cannot be loaded: {error}"))?;
    // SAFETY: the symbol is a static `LibHeader` in every file made by `export!`; abi_stable reads
    // only its first part, the `AbiHeader`, before it has checked the rest.
    let header = unsafe { library.get::<AbiHeaderRef>(SYMBOL) }
        .map(|symbol| *symbol)
        .map_err(|error| {
            format!("{shown} has the manifest of a plugin, but no symbol {SYMBOL}: {error}")
        })?;
    // What was read from it refers to it for ever.
    std::mem::forget(library);
    header.upgrade().map_err(|error| {
        format!("{shown} was built with another abi_stable than this host: {error}")
    })
}

fn module(header: &'static LibHeader) -> Result<PluginModule_Ref, String> {
    let theirs = header.layout().ok_or("it hides the layout of its ABI")?;
    let ours = <PluginModule_Ref as StableAbi>::LAYOUT;
    // An older plugin passes one way, a newer one the other; what has really changed, neither.
    if let Err(errors) = check_layout_compatibility(ours, theirs)
        && check_layout_compatibility(theirs, ours).is_err()
    {
        return Err(layout_differences(&errors));
    }
    // SAFETY: the layouts are compatible, by the check above, in one of the two directions: one
    // side has at most more functions at the end, which the other does not touch.
    unsafe { header.init_root_module_with_unchecked_layout::<PluginModule_Ref>() }
        .map_err(|error| format!("its functions cannot be had: {error}"))
}

/// The first differences, a line each; abi_stable's own text has thousands.
fn layout_differences(errors: &AbiInstabilityErrors) -> String {
    // Where nothing is wrong but what lies within, nothing is said.
    let differing = errors.errors.iter().filter(|error| !error.errs.is_empty());
    let lines = differing.take(MOST_DIFFERENCES).map(|error| {
        let place = error.stack_trace.iter().map(|at| name(&at.expected));
        let place = place.collect::<Vec<_>>().join(".");
        let what = error
            .errs
            .iter()
            .map(|what| format!("{what:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        format!(
            "\n  at {place}: {}",
            what.chars().take(LONGEST_DIFFERENCE).collect::<String>()
        )
    });
    format!(
        "its messages are laid out differently from this host's:{}\n",
        lines.collect::<String>()
    )
}

fn name(place: &TLFieldOrFunction) -> String {
    match place {
        TLFieldOrFunction::Field(field) => format!("{} ({})", field.name(), field.full_type()),
        TLFieldOrFunction::Function(function) => function.name.as_str().to_owned(),
    }
}

const LONGEST_DIFFERENCE: usize = 160;
const MOST_DIFFERENCES: usize = 5;

#[cfg(unix)]
mod shared {
    //! Shared libraries as Unix has them.
    use libloading::Error;
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
    use std::path::Path;

    /// Keeps the code where it is after a close: threads and statics of it live on.
    const RTLD_NODELETE: i32 = if cfg!(target_os = "macos") {
        0x80
    } else {
        0x1000
    };

    pub(super) struct Shared(Library);

    pub(super) unsafe fn open(path: &Path) -> Result<Shared, Error> {
        let flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
        // SAFETY: as for the caller.
        unsafe { Library::open(Some(path), flags) }.map(Shared)
    }

    impl Shared {
        pub(super) unsafe fn get<T>(&self, name: &str) -> Result<Symbol<T>, Error> {
            // SAFETY: as for the caller.
            unsafe { self.0.get(name.as_bytes()) }
        }
    }
}

#[cfg(windows)]
mod shared {
    //! Shared libraries as Windows has them.
    use libloading::Error;
    use libloading::os::windows::{Library, Symbol};
    use std::path::Path;

    pub(super) struct Shared(Library);

    pub(super) unsafe fn open(path: &Path) -> Result<Shared, Error> {
        // SAFETY: as for the caller.
        unsafe { Library::new(path) }.map(Shared)
    }

    impl Shared {
        pub(super) unsafe fn get<T>(&self, name: &str) -> Result<Symbol<T>, Error> {
            // SAFETY: as for the caller.
            unsafe { self.0.get(name.as_bytes()) }
        }
    }
}
