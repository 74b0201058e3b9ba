//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;
use crate::config::{Environment, Requeued};

/// Why an operation of the model is not offered.
pub(super) fn why_not(op: &str) -> Option<&'static str> {
    match op {
        "finish" => Some("a plan has no count that could be ended early"),
        "history" => Some("the RE Manager keeps no values; ask the facility's archive"),
        "simulate" => Some(
            "the RE Manager has no dry run; it checks a plan's parameters when it is submitted",
        ),
        "complete" => Some("the RE Manager offers no completion"),
        "watch" | "unwatch" => Some("the RE Manager watches no expressions; `eval` gives a value"),
        "answer" => Some("a script cannot ask: `input()` fails there with EOFError"),
        // Answered by the host; nobody gets here.
        "take_control" | "release_control" => Some("the gateway itself does it"),
        _ => None,
    }
}

/// Each entry is `"native"`, `{"emulated": how}` or `{"unsupported": why}`, or says how something is done.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let config = &scene.server.config;
    let hears = *scene.server.hears.borrow();
    let refused = |op: &str| json!({ "unsupported": why_not(op) });
    let heard = |how: Value| match hears {
        true => how,
        false => {
            json!({"unsupported": "nothing is heard on the console stream: no environment has been opened yet, or the \
            RE Manager runs without `--zmq-publish-console ON`"})
        }
    };
    let version = scene.server.jobs().status().version().to_owned();
    Reply::new(&json!({
        "server": "queueserver",
        "version": version,
        "queue": {
            "owned_by": "server",
            "kinds": ["script", "plan"],
            "persist": "native",
            "edit": "native",
            "reorder": "native",
            "remove": "native",
            "autostart": {"emulated": "the gateway starts the queue after a submit"},
            "on_failure": config.on_failure.name(),
            "on_stop": config.on_stop.name(),
            "on_abort": config.on_abort.name(),
            "requeued": match config.requeued { Requeued::Remove => "remove", Requeued::Keep => "keep" },
        },
        "scripts": {"emulated": "a plan runs them statement by statement; one that calls `RE(…)` runs alone, outside the queue"},
        "submit": {"start": {"emulated": "refused by the gateway while a job is known to run or to wait"}},
        "edit_running": {"unsupported": "the RE Manager cannot change what runs"},
        "pause": {
            "at": ["line", "step", "now"],
            "scripts": {"emulated": "`line` and `now`: before the next line; `step`: before the next statement at top level"},
            "plans": {"native": "`line` and `step`: at the plan's next checkpoint; `now`: at once, and what was done since the last \
                checkpoint is done again"},
            "replays": "plans, with `now`",
            "reliable": true,
        },
        "stop": {
            "at": ["line", "step", "now", "immediate"],
            "scripts": {"emulated": "an exception in the script; `now` waits for a call that is not Python, such as a sleep"},
            "plans": {"emulated": "paused first, then stopped"},
            "requeues": false,
        },
        "abort": {"emulated": "paused first, then aborted; what the server puts back is dealt with as `requeued` says"},
        "emergency": {"emulated": "halted; if that does not help, the environment is destroyed"},
        "finish": refused("finish"),
        "outcome": "native",
        "progress": heard(json!(["line"])),
        "log": {"stream": heard(json!("native")), "history": heard(json!({"emulated": "the lines heard since the gateway has run"}))},
        "data": {"unsupported": "the RE Manager publishes no documents"},
        "prompts": refused("answer"),
        "history": refused("history"),
        "devices": "native",
        "trace": heard(json!({"emulated": "of scripts"})),
        "eval": heard(json!({"emulated": "on a thread beside what runs"})),
        "exec": {"emulated": "on a thread beside what runs"},
        "simulate": refused("simulate"),
        "complete": refused("complete"),
        "watch": refused("watch"),
        "control": {"emulated": "by the gateway, among its clients"},
        "environment": {"do": ["open", "close", "reset"], "opened": match config.environment {
            Environment::WhenNeeded => "when-needed",
            Environment::AtStart => "at-start",
            Environment::Manual => "manual",
        }},
        "isolation": "shared",
        "native": "native",
        "limits": {"script_bytes": config.script_bytes, "log_messages": config.log_most},
    }))
}
