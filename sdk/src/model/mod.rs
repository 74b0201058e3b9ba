//! The neutral vocabulary of script servers: operations, roles, and the JSON of their values.
//!
//! Frontends translate what their clients say into it, backends translate it into calls of their
//! server. The host knows of it only what stands in [`OPS`].
//!
//! * An operation's arguments are in [`args`], one type each.
//! * What it is answered: [`Status`], [`Log`], [`JobRecord`]. Other answers are as [`OPS`] says.
//! * What happens without being asked for: [`StateBody`], [`JobBody`], [`QueueBody`], [`LinkBody`], [`LogLine`] and
//!   [`Prompt`] are bodies of events.
//!
//! Each is written as it stands in its example, and read with care for what comes later: fields that are missing or new do
//! no harm, and neither do new words. A value is best made with `..Default::default()`, so that a new field does no harm
//! there either.

pub mod args;
mod job_body;
mod job_change;
mod job_kind;
mod job_record;
mod job_state;
mod level;
mod link_body;
mod link_state;
mod log;
mod log_line;
mod native;
mod nearest;
mod op;
mod prompt;
mod queue_body;
mod queued_job;
mod role;
mod run;
mod running_job;
mod state_body;
mod status;
mod support;
mod words;

pub use job_body::JobBody;
pub use job_change::JobChange;
pub use job_kind::JobKind;
pub use job_record::JobRecord;
pub use job_state::JobState;
pub use level::Level;
pub use link_body::LinkBody;
pub use link_state::LinkState;
pub use log::Log;
pub use log_line::LogLine;
pub use native::Native;
pub use nearest::nearest;
pub use op::{OPS, Op, find_op};
pub use prompt::Prompt;
pub use queue_body::QueueBody;
pub use queued_job::QueuedJob;
pub use role::Role;
pub use run::Run;
pub use running_job::RunningJob;
pub use state_body::StateBody;
pub use status::Status;
pub use support::Support;
