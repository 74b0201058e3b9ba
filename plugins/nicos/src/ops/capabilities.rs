//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;

/// Why an operation of the model is not offered.
pub(super) fn why_not(op: &str) -> Option<&'static str> {
    match op {
        "environment" => {
            Some("a NICOS daemon always has one; setups are loaded by NICOS's own commands")
        }
        _ => None,
    }
}

/// Each entry is `"native"`, `{"emulated": how}` or `{"unsupported": why}`, or says how something is done.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let protocol = scene.protocol();
    let if_new = |is_there: bool, why: &str| match is_there {
        true => json!("native"),
        false => {
            let version = protocol.0;
            json!({ "unsupported": format!("{why}: this NICOS is too old (protocol {version})") })
        }
    };
    let refused = |op: &str| json!({ "unsupported": why_not(op) });
    Reply::new(&json!({
        "server": "nicos",
        "protocol": protocol.0,
        "queue": {
            "owned_by": "server",
            "kinds": ["script"],
            "persist": {"unsupported": "the queue is lost when the daemon ends"},
            "edit": "native",
            "reorder": "native",
            "remove": "native",
            "autostart": "always",
            "on_failure": "continue",
            "on_stop": "drop",
        },
        "submit": {"start": {"emulated": "refused by the gateway while a job is known to run"}},
        "edit_running": "native",
        "pause": {"at": ["line", "step", "now"], "replays": false, "reliable": true},
        "stop": {"at": ["line", "step", "now", "immediate"], "requeues": false},
        "abort": "native",
        "emergency": "native",
        "finish": "native",
        "outcome": if_new(protocol.has_done(), "a script that did not fail is said to have ended as `unknown`"),
        "progress": ["line", "eta"],
        "log": {"stream": "native", "history": "native"},
        "data": "native",
        "prompts": {"continue": "native", "input": if_new(protocol.prompts_have_ids(), "scripts cannot ask for values")},
        "history": {"native": "if NICOS has a value cache"},
        "devices": "native",
        "trace": "native",
        "eval": "native",
        "exec": "native",
        "simulate": {"native": "if NICOS has a value cache"},
        "complete": "native",
        "watch": "native",
        "control": {"emulated": "by the gateway, among its clients; NICOS's own is given up by its command `unlock`"},
        "environment": refused("environment"),
        "isolation": "shared",
        "native": "native",
        "limits": {
            "script_bytes": scene.settings.frame_limit,
            "log_messages": scene.settings.log_most,
        },
    }) as &Value)
}
