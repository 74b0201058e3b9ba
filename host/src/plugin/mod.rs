//! From a plugin's name to a plugin that can be opened: [`find`] the file, [`inspect`] it without
//! running its code, [`load`] it.

pub mod admit;
pub mod find;
pub mod inspect;
pub mod load;
pub mod trust;
pub mod writers;

mod build;
mod catalog;

pub use build::Build;
pub use catalog::{Catalog, Renewed};
pub use load::Plugin;
pub use trust::Trust;
