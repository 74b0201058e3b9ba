//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::model::Support;
use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;
use crate::config::{Namespace, OnFailure, OnRestart, OnStop};

/// How well an operation of the model is done here.
pub(super) fn support(op: &str) -> Support {
    match op {
        "submit" | "remove" | "reorder" | "edit" | "find" | "job" | "pause" | "resume" | "stop"
        | "abort" | "emergency" | "status" | "log" | "trace" | "capabilities" | "banner"
        | "complete" | "answer" | "environment" => Support::Native,
        "eval" | "exec" => Support::native_with(
            "beside a script that runs, in a thread of its own; what both touch is for you to guard",
        ),
        "simulate" => Support::emulated(
            "the script is compiled, and the calls in its text are listed; nothing is run, and no time is estimated",
        ),
        "native" => Support::emulated("`jobs`, the last jobs that have ended"),
        "finish" => Support::unsupported("plain Python has no counts that could end early"),
        "history" => Support::unsupported("plain Python records no values of devices"),
        "devices" => Support::unsupported("plain Python knows no devices"),
        "watch" | "unwatch" => {
            Support::unsupported("evaluate the expressions when you need their values")
        }
        _ => Support::unsupported("this Python backend does not know it"),
    }
}

/// `ops` says how well each operation is done; the others say how something is done, or that it is not, and why.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let settings = scene.settings;
    Reply::new(&json!({
        "server": "python",
        "ops": Support::of_all(support),
        "queue": {
            "owned_by": "gateway",
            "kinds": ["script"],
            "persist": "native",
            "autostart": "always",
            "on_failure": match settings.on_failure {
                OnFailure::Continue => "continue",
                OnFailure::Hold => "hold",
            },
            "on_stop": match settings.on_stop {
                OnStop::Drop => "drop",
                OnStop::Hold => "hold",
                OnStop::Continue => "continue",
            },
            "on_restart": match settings.on_restart {
                OnRestart::Hold => "hold",
                OnRestart::Run => "run",
            },
        },
        "submit": {"start": "native"},
        "edit_running": {"unsupported": "a script runs as it was when it began"},
        "pause": {
            "at": ["line"],
            "step": {"emulated": "as `line`"},
            "now": {"emulated": "as `line`: what a line has begun, it ends"},
            "replays": false,
            "reliable": true,
        },
        "stop": {
            "at": ["line", "now", "immediate"],
            "step": {"emulated": "as `line`"},
            "requeues": false,
        },
        "outcome": "native",
        "progress": ["line"],
        "log": {
            "stream": "native",
            "history": {"emulated": "in memory: what was said before a restart of the gateway is gone"},
            "whole_lines": "native",
        },
        "data": {"unsupported": "plain Python measures nothing"},
        "prompts": {
            "continue": {"emulated": "by `input()`, with any value"},
            "input": "native",
        },
        "isolation": match settings.namespace {
            Namespace::Shared => "shared",
            Namespace::Fresh => "fresh",
        },
        "limits": {
            "script_bytes": settings.script_bytes,
            "queued": settings.queue_most,
            "queued_bytes": settings.queue_bytes,
            "history": settings.history_most,
            "memory_bytes": settings.memory_bytes,
            "seconds": settings.script_limit.map(|limit| limit.as_secs_f64()),
            "output_bytes": settings.output_bytes,
            "line_bytes": settings.line_bytes,
            "value_bytes": settings.value_bytes,
            "eval_seconds": settings.eval_limit.as_secs_f64(),
        },
    }) as &Value)
}
