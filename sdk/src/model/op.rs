//! The operations: one table that host, dialects and documents read.

use super::Role;

/// One operation of the model.
///
/// ```
/// use patchbay_sdk::Role;
/// use patchbay_sdk::model::find_op;
/// let stop = find_op("stop").unwrap();
/// assert!(stop.urgent && stop.changes && stop.least == Role::User);
/// ```
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
    /// Changes the run: while somebody has control, nobody else may.
    pub steers: bool,
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
        steers: false,
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

const fn steer(name: &'static str, doc: &'static str) -> Op {
    Op {
        steers: true,
        ..change(name, doc)
    }
}

const fn urgent(name: &'static str, least: Role, doc: &'static str) -> Op {
    Op {
        urgent: true,
        least,
        ..steer(name, doc)
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
///
/// ```
/// use patchbay_sdk::model::OPS;
/// let urgent: Vec<&str> = OPS.iter().filter(|op| op.urgent).map(|op| op.name).collect();
/// assert_eq!(urgent, ["pause", "stop", "abort", "emergency"]);
/// ```
pub const OPS: &[Op] = &[
    Op {
        once: true,
        ..change(
            "submit",
            r#"{"name"?, "code", "kind"?: "script", "start"?: false} → {"job": id}; `start` refuses if the server is busy"#,
        )
    },
    steer("remove", r#"{"job": id} or {"all": true} → null"#),
    steer("reorder", r#"{"jobs": [id]} → null"#),
    steer(
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
    steer("resume", "{} → null"),
    urgent(
        "stop",
        Role::User,
        r#"{"at"?: "line"|"step"|"now"|"immediate"} → null"#,
    ),
    urgent("abort", Role::User, "{} → null"),
    Op {
        steers: false,
        ..urgent(
            "emergency",
            Role::View,
            "{} → null; for everyone who is logged in",
        )
    },
    steer("finish", "{} → null; the current count ends early"),
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
        r#"{} → {"ops": {op: "native" | {"emulated": how} | {"unsupported": why}}, …}"#,
    ),
    look("banner", r#"{} → {"server", "version", …}"#),
    Op {
        steers: true,
        ..long("exec", r#"{"code"} → null"#)
    },
    long("eval", r#"{"code"} → {"value"}"#),
    long(
        "simulate",
        r#"{"name"?, "code", "simulation"?: id} → {"simulation": id}; the rest comes as events"#,
    ),
    look("complete", r#"{"line", "word"} → [text]"#),
    change("watch", r#"{"expressions": [text]} → null"#),
    change("unwatch", r#"{"expressions": [text]} → null"#),
    steer(
        "answer",
        r#"{"prompt": id, "value"?} → null; without `value` the prompt's default"#,
    ),
    change(
        "take_control",
        r#"{"force"?: false} → {"user", "session", "since"}; until it is released or the session ends; by force for `admin`"#,
    ),
    change(
        "release_control",
        r#"{"force"?: false} → null; also where nobody has it"#,
    ),
    Op {
        least: Role::Expert,
        ..steer("environment", r#"{"do": "open"|"close"|"reset"} → null"#)
    },
    Op {
        least: Role::Admin,
        steers: true,
        ..long(
            "native",
            r#"{"method", "params"?: […]} → what the server says"#,
        )
    },
];

impl Op {
    /// Whether it is the emergency stop, which nothing may hold up.
    ///
    /// ```
    /// # use patchbay_sdk::model::find_op;
    /// assert!(find_op("emergency").is_some_and(|op| op.is_emergency()));
    /// assert!(!find_op("stop").is_some_and(|op| op.is_emergency()));
    /// ```
    pub fn is_emergency(&self) -> bool {
        self.name == "emergency"
    }

    /// Whether it is about who has control, which the gateway answers in the backend's place.
    ///
    /// ```
    /// # use patchbay_sdk::model::find_op;
    /// assert!(find_op("take_control").is_some_and(|op| op.is_control()));
    /// assert!(!find_op("pause").is_some_and(|op| op.is_control()));
    /// ```
    pub fn is_control(&self) -> bool {
        matches!(self.name, "take_control" | "release_control")
    }
}

/// The operation of that name.
///
/// ```
/// use patchbay_sdk::model::find_op;
/// assert!(find_op("submit").is_some_and(|op| op.once));
/// assert!(find_op("transmogrify").is_none());
/// ```
pub fn find_op(name: &str) -> Option<&'static Op> {
    OPS.iter().find(|op| op.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergency_is_for_everyone_and_never_waits() {
        let op = find_op("emergency").unwrap();
        assert!(op.urgent && op.least == Role::View && !op.steers && op.is_emergency());
    }

    #[test]
    fn what_only_looks_changes_nothing() {
        assert!(OPS.iter().all(|op| !op.steers || op.changes));
        assert!(OPS.iter().all(|op| !op.urgent || op.changes));
        assert!(OPS.iter().all(|op| op.changes || op.least == Role::View));
    }
}
