//! A backend that is a program in any language.
//!
//! The program speaks the messages of the boundary as lines of JSON over its standard input and output; `PROTOCOL.md` is the
//! page for its author. What is hard about that, `patchbay-child` does. Here stands what makes a backend of it: who may come
//! in (`admission`), and what becomes of clients' requests and of the program's events (`backend`).
//!
//! One life of this plugin is one life of the program: when the program ends, the instance fails, and the host starts it
//! anew, logs the clients in again and says how things are.
#![forbid(unsafe_code)]

mod admission;
mod backend;

pub use admission::Config;
pub use backend::Process;

patchbay_sdk::export!(backend = Process);
