//! Requests and answers as JSON text, for every frontend whose clients speak it: what arrives is read into a [`Wish`],
//! what comes of it is written in the client's own [`Form`].
//!
//! A client speaks one of two forms, or both: the neutral one (`{"op": …, "args": …}` → `{"ok": …}` or `{"error": …}`),
//! and NICOS's words (`{"command": …}` → `{"success": …, "payload": …}`). The crate's `README.md` specifies both. No
//! I/O: how texts travel is the frontend's.
//!
//! ```
//! use patchbay_dialect_json::{Wish, read};
//! use patchbay_sdk::RawJson;
//!
//! let request = read(r#"{"id": 7, "op": "submit", "args": {"code": "count(1)"}}"#);
//! let Wish::Call(call) = request.wish? else { panic!("submit is a call") };
//! assert_eq!(call.op, "submit");
//! let reply = RawJson::from_string(r#"{"job": "17"}"#.into())?;
//! assert_eq!(request.form.success(&reply), r#"{"id":7,"ok":{"job": "17"}}"#);
//! # Ok::<(), patchbay_sdk::Fault>(())
//! ```

#![forbid(unsafe_code)]

mod event;
mod form;
mod request;
mod wish;

pub use event::event_text;
pub use form::{Contract, Form};
pub use request::{Request, read};
pub use wish::{Call, Since, Subscription, Wish};
