//! From a plugin's name to a plugin that can be opened: [`find`] the file, [`inspect`] it without
//! running its code, [`load`] it.

pub mod find;
pub mod inspect;
pub mod load;

mod build;
mod catalog;

pub use build::Build;
pub use catalog::{Catalog, Renewed};
pub use load::Plugin;
