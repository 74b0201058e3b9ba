//! From a plugin's name to a plugin that can be opened: [`find`] the file, [`inspect`] it without
//! running its code, load it ([`Plugin::load`]). An instance runs in this process, or in one of its own (`isolated`).

pub mod admit;
pub mod find;
pub mod inspect;
pub mod inspection;
#[cfg(unix)]
pub mod isolated;
mod loaded;
pub mod trust;
pub mod writers;

mod build;
mod catalog;
mod home;

pub use build::Build;
pub use catalog::{Catalog, Renewed};
pub use home::{Home, Instance, Room};
pub use loaded::Plugin;
pub use trust::Trust;
