//! The dialect of clients that know NICOS: its command names and its replies, to and from the neutral model.
//!
//! No I/O: a frontend reads a request with [`read`], asks the host for [`Call::op`] with [`Call::args`], and turns what
//! comes back with [`Call::reply`] into the shape that NICOS itself would have given. The shapes are the same whatever
//! script server runs; where that is NICOS, its own form (`native.nicos` in the neutral reply) is handed on unparsed.
//! A failure is told as one sentence, see [`sentence`].
//!
//! ```
//! use patchbay_dialect_nicos::{Fields, Request, read};
//! use patchbay_sdk::RawJson;
//!
//! let fields = Fields::parse(r#"{"name": "scan", "code": "count(1)"}"#)?;
//! let Request::Call(call) = read("queue", &fields)? else { panic!("queue is a call") };
//! assert_eq!((call.op, call.args.get()), ("submit", r#"{"code":"count(1)","name":"scan"}"#));
//! let reply = RawJson::from_string(r#"{"job": "17"}"#.into())?;
//! assert_eq!(call.reply(&reply)?.get(), r#""17""#);
//! # Ok::<(), patchbay_sdk::Fault>(())
//! ```

#![forbid(unsafe_code)]

mod fields;
mod reply;
mod request;
mod sentence;
mod verbs;

pub use fields::Fields;
pub use reply::login_reply;
pub use request::{Call, Login, Request, read};
pub use sentence::sentence;
pub use verbs::names;
