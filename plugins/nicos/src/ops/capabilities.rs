//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::model::Support;
use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;

const CACHED: &str = "if NICOS has a value cache";

/// How well an operation of the model is done here.
pub(super) fn support(op: &str) -> Support {
    match op {
        "submit" | "remove" | "reorder" | "edit" | "pause" | "resume" | "stop" | "abort"
        | "emergency" | "finish" | "status" | "log" | "trace" | "devices" | "banner" | "eval"
        | "exec" | "complete" | "watch" | "unwatch" | "answer" | "native" => Support::Native,
        "history" | "simulate" => Support::native_with(CACHED),
        "job" => Support::emulated("by the gateway, from what NICOS tells while it runs"),
        "find" => Support::emulated("by NICOS's log and queue"),
        "capabilities" => Support::emulated("by the gateway, from NICOS's protocol"),
        "environment" => Support::unsupported(
            "a NICOS daemon always has one; setups are loaded by NICOS's own commands",
        ),
        _ => Support::unsupported("this NICOS backend does not know it"),
    }
}

/// `ops` says how well each operation is done; the others say how something is done, or that it is not, and why.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let protocol = scene.protocol();
    let if_new = |is_there: bool, why: &str| match is_there {
        true => json!("native"),
        false => {
            let version = protocol.0;
            json!({ "unsupported": format!("{why}: this NICOS is too old (protocol {version})") })
        }
    };
    Reply::new(&json!({
        "server": "nicos",
        "protocol": protocol.0,
        "ops": Support::of_all(support),
        "queue": {
            "owned_by": "server",
            "kinds": ["script"],
            "persist": {"unsupported": "the queue is lost when the daemon ends"},
            "autostart": "always",
            "on_failure": "continue",
            "on_stop": "drop",
        },
        "submit": {"start": {"emulated": "refused by the gateway while a job is known to run"}},
        "edit_running": "native",
        "pause": {"at": ["line", "step", "now"], "replays": false, "reliable": true},
        "stop": {"at": ["line", "step", "now", "immediate"], "requeues": false},
        "outcome": if_new(protocol.has_done(), "a script that did not fail is said to have ended as `unknown`"),
        "progress": ["line", "eta"],
        "log": {
            "stream": "native",
            "history": "native",
            "whole_lines": {"unsupported": "each piece that `print` writes is a message: two for `print('x', 1)`"},
        },
        "data": "native",
        "prompts": {"continue": "native", "input": if_new(protocol.prompts_have_ids(), "scripts cannot ask for values")},
        "isolation": "shared",
        "limits": {
            "script_bytes": scene.settings.frame_limit,
            "log_messages": scene.settings.log_most,
        },
    }) as &Value)
}
