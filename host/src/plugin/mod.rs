//! From a plugin's name to a plugin that can be opened: [`find`] the file, [`inspect`] it without
//! running its code, [`load`] it. An instance runs in this process, or in one of its own (`isolated`).

pub mod admit;
pub mod find;
pub mod inspect;
#[cfg(unix)]
pub mod isolated;
pub mod load;
pub mod trust;
pub mod writers;

mod build;
mod catalog;
mod home;

pub use build::Build;
pub use catalog::{Catalog, Renewed};
pub use home::{Home, Instance, Room};
pub use load::Plugin;
pub use trust::Trust;
