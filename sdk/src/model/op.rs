//! The operations: one table that host, dialects and documents read.

use super::Role;

/// One operation of the model.
#[derive(Debug, Clone, Copy)]
pub struct Op {
    /// As it crosses the boundary.
    pub name: &'static str,
    /// Who may ask for it.
    pub least: Role,
    /// Goes before everything else.
    pub urgent: bool,
    /// Changes something at the server, so that it must not be done twice unasked.
    pub changes: bool,
    /// May take as long as the user's own code takes.
    pub long: bool,
    /// With a client's key it is carried out at most once, whatever is restarted meanwhile.
    pub once: bool,
    /// Arguments → reply.
    pub doc: &'static str,
}

const fn look(name: &'static str, doc: &'static str) -> Op {
    Op {
        name,
        least: Role::View,
        urgent: false,
        changes: false,
        long: false,
        once: false,
        doc,
    }
}

const fn change(name: &'static str, doc: &'static str) -> Op {
    Op {
        changes: true,
        least: Role::User,
        ..look(name, doc)
    }
}

const fn urgent(name: &'static str, least: Role, doc: &'static str) -> Op {
    Op {
        urgent: true,
        least,
        ..change(name, doc)
    }
}

const fn long(name: &'static str, doc: &'static str) -> Op {
    Op {
        long: true,
        ..change(name, doc)
    }
}

/// Every operation there is.
///
/// The host answers `status` and `log` from what the backend said last, as long as that holds: they are the same for
/// everyone who may ask, and no backend sees their `fresh`, by which a client goes through to it. Such an answer has
/// `age_s`, and `stale` with the reason if nothing newer is to be had.
pub const OPS: &[Op] = &[
    Op {
        once: true,
        ..change(
            "submit",
            r#"{"name"?, "code", "kind"?: "script", "start"?: false} → {"job": id}; `start` refuses if the server is busy"#,
        )
    },
    change("remove", r#"{"job": id} or {"all": true} → null"#),
    change("reorder", r#"{"jobs": [id]} → null"#),
    change(
        "edit",
        r#"{"job"?: id, "code", "reason"?} → null; without `job` the running one"#,
    ),
    look(
        "find",
        r#"{"submit": {…}, "since": Unix seconds} → {"jobs": [id]}; your jobs since then whose `submit` had these `args`, oldest first, as far as they are known"#,
    ),
    look("job", r#"{"job": id} → {"id", "name", "user", "state", …}"#),
    urgent(
        "pause",
        Role::User,
        r#"{"at"?: "line"|"step"|"now"} → null"#,
    ),
    change("resume", "{} → null"),
    urgent(
        "stop",
        Role::User,
        r#"{"at"?: "line"|"step"|"now"|"immediate"} → null"#,
    ),
    urgent("abort", Role::User, "{} → null"),
    urgent(
        "emergency",
        Role::View,
        "{} → null; for everyone who is logged in",
    ),
    change("finish", "{} → null; the current count ends early"),
    look(
        "status",
        r#"{"native"?: bool, "fresh"?: bool} → {"link", "run", "job", "queue", "last", …}"#,
    ),
    look(
        "log",
        r#"{"last"?: n, "native"?: bool, "fresh"?: bool} → {"messages": […]}"#,
    ),
    look("trace", "{} → text: where the running script is"),
    look(
        "history",
        r#"{"key", "from", "to", "interval"?: seconds} → [[time, value]]; times in Unix seconds"#,
    ),
    look(
        "devices",
        r#"{} → {"devices": [name], "failed": {name: why}, …}"#,
    ),
    look(
        "capabilities",
        r#"{} → {what: "native" | {"emulated": how} | {"unsupported": why} | …}"#,
    ),
    look("banner", r#"{} → {"server", "version", "protocol", …}"#),
    long("exec", r#"{"code"} → null"#),
    long("eval", r#"{"code"} → {"value"}"#),
    long(
        "simulate",
        r#"{"name"?, "code", "simulation"?: id} → {"simulation": id}; the rest comes as events"#,
    ),
    look("complete", r#"{"line", "word"} → [text]"#),
    change("watch", r#"{"expressions": [text]} → null"#),
    change("unwatch", r#"{"expressions": [text]} → null"#),
    change(
        "answer",
        r#"{"prompt": id, "value"?} → null; without `value` the prompt's default"#,
    ),
    change("take_control", "{} → null"),
    change("release_control", "{} → null"),
    Op {
        least: Role::Expert,
        ..change("environment", r#"{"do": "open"|"close"|"reset"} → null"#)
    },
    Op {
        least: Role::Admin,
        ..long(
            "native",
            r#"{"method", "params"?: […]} → what the server says"#,
        )
    },
];

/// The operation of that name.
pub fn find_op(name: &str) -> Option<&'static Op> {
    OPS.iter().find(|op| op.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergency_is_for_everyone_and_never_waits() {
        let op = find_op("emergency").unwrap();
        assert!(op.urgent && op.least == Role::View);
    }

    #[test]
    fn what_only_looks_changes_nothing() {
        assert!(OPS.iter().all(|op| !op.urgent || op.changes));
        assert!(OPS.iter().all(|op| op.changes || op.least == Role::View));
    }
}
