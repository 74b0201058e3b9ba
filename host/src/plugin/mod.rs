//! From a plugin's name to a plugin that can be opened: [`find`] the file, [`inspect`] it without
//! running its code, [`load`] it.

pub mod find;
pub mod inspect;
pub mod load;

mod catalog;

pub use catalog::Catalog;
pub use load::Plugin;
