//! What this backend can do, for clients that want to know before they try.

use patchbay_sdk::model::Support;
use patchbay_sdk::{Fault, Reply};
use serde_json::{Value, json};

use super::Scene;
use crate::config::{Environment, Requeued};
use crate::server::UNHEARD;

/// How well an operation of the model is done here; `deaf`: nothing is heard on the console stream.
pub(super) fn support(op: &str, deaf: bool) -> Support {
    match op {
        "submit" | "remove" | "reorder" | "edit" | "pause" | "resume" | "status" | "devices"
        | "banner" | "environment" | "native" => Support::Native,
        "eval" | "trace" if deaf => Support::unsupported(UNHEARD),
        "eval" | "exec" => Support::emulated("on a thread beside what runs"),
        "trace" => Support::emulated("of scripts"),
        "log" => Support::emulated("the lines heard since the gateway has run"),
        "job" => Support::emulated("by the gateway, from the server's queue and history"),
        "find" => Support::emulated("each item bears who submitted it, and when"),
        "capabilities" => {
            Support::emulated("by the gateway, from the server's version and settings")
        }
        "stop" => {
            Support::emulated("scripts: an exception in them; plans: paused first, then stopped")
        }
        "abort" => Support::emulated(
            "paused first, then aborted; what the server puts back is dealt with as `requeued` says",
        ),
        "emergency" => {
            Support::emulated("halted; if that does not help, the environment is destroyed")
        }
        "finish" => Support::unsupported("a plan has no count that could be ended early"),
        "history" => {
            Support::unsupported("the RE Manager keeps no values; ask the facility's archive")
        }
        "simulate" => Support::unsupported(
            "the RE Manager has no dry run; it checks a plan's parameters when it is submitted",
        ),
        "complete" => Support::unsupported("the RE Manager offers no completion"),
        "watch" | "unwatch" => {
            Support::unsupported("the RE Manager watches no expressions; `eval` gives a value")
        }
        "answer" => Support::unsupported(NO_PROMPTS),
        _ => Support::unsupported("this queueserver backend does not know it"),
    }
}

const NO_PROMPTS: &str = "a script cannot ask: `input()` fails there with EOFError";

/// `ops` says how well each operation is done; the others say how something is done, or that it is not, and why.
pub(super) fn capabilities(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let config = &scene.server.config;
    let deaf = scene.server.is_deaf();
    let heard = |how: Value| match deaf {
        true => json!({ "unsupported": UNHEARD }),
        false => how,
    };
    let version = scene.server.jobs().status().version().to_owned();
    Reply::new(&json!({
        "server": "queueserver",
        "version": version,
        "ops": Support::of_all(|op| support(op, deaf)),
        "queue": {
            "owned_by": "server",
            "kinds": ["script", "plan"],
            "persist": "native",
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
        "outcome": "native",
        "progress": heard(json!(["line"])),
        "log": {
            "stream": heard(json!("native")),
            "history": heard(json!({"emulated": "the lines heard since the gateway has run"})),
            "whole_lines": "native",
        },
        "data": {"unsupported": "the RE Manager publishes no documents"},
        "prompts": {"unsupported": NO_PROMPTS},
        "environment": {"do": ["open", "close", "reset"], "opened": match config.environment {
            Environment::WhenNeeded => "when-needed",
            Environment::AtStart => "at-start",
            Environment::Manual => "manual",
        }},
        "isolation": "shared",
        "limits": {"script_bytes": config.script_bytes, "log_messages": config.log_most},
    }))
}
