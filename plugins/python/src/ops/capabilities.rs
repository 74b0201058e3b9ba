//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;
use crate::config::{Namespace, OnFailure, OnRestart, OnStop};

/// Why an operation of the model is not offered.
pub(super) fn why_not(op: &str) -> Option<&'static str> {
    match op {
        "finish" => Some("plain Python has no counts that could end early"),
        "history" => Some("plain Python records no values of devices"),
        "devices" => Some("plain Python knows no devices"),
        "watch" | "unwatch" => Some("evaluate the expressions when you need their values"),
        // Answered by the host; nobody gets here.
        "take_control" | "release_control" => Some("the gateway itself does it"),
        _ => None,
    }
}

/// Each entry is `"native"`, `{"emulated": how}` or `{"unsupported": why}`, or says how something is done.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let settings = scene.settings;
    let refused = |op: &str| json!({ "unsupported": why_not(op) });
    let aside = json!({"native": "beside a script that runs, in a thread of its own; what both touch is for you to guard"});
    Reply::new(&json!({
        "server": "python",
        "queue": {
            "owned_by": "gateway",
            "kinds": ["script"],
            "persist": "native",
            "edit": "native",
            "reorder": "native",
            "remove": "native",
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
        "abort": "native",
        "emergency": "native",
        "finish": refused("finish"),
        "outcome": "native",
        "progress": ["line"],
        "log": {"stream": "native", "history": {"emulated": "in memory: what was said before a restart of the gateway is gone"}},
        "data": {"unsupported": "plain Python measures nothing"},
        "prompts": {
            "continue": {"emulated": "by `input()`, with any value"},
            "input": "native",
        },
        "history": refused("history"),
        "devices": refused("devices"),
        "trace": "native",
        "eval": aside.clone(),
        "exec": aside,
        "simulate": {"emulated": "the script is compiled, and the calls in its text are listed; nothing is run, and no time is estimated"},
        "complete": "native",
        "watch": refused("watch"),
        "control": {"emulated": "by the gateway, among its clients"},
        "environment": "native",
        "isolation": match settings.namespace {
            Namespace::Shared => "shared",
            Namespace::Fresh => "fresh",
        },
        "native": {"emulated": "`jobs`, the last jobs that have ended"},
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
