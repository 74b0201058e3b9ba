//! What the RE Manager's answers look like. Fields that are not used here are not read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use patchbay_sdk::model::JobKind;

/// The plan that runs a script.
pub const SCRIPT_PLAN: &str = "patchbay_script";
/// Under this key of an item's `meta` stands what is ours.
const OURS: &str = "patchbay";
/// Longest id that is believed, in bytes.
const ID_MOST: usize = 256;

/// The answer to `status`, and what QS_Info tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `RE Manager v0.0.25`; no other place names the version.
    pub msg: String,
    /// `idle`, `executing_queue`, `paused`, ….
    pub manager_state: String,
    /// What the Run Engine does.
    pub re_state: Option<String>,
    /// How many items wait.
    pub items_in_queue: u64,
    /// How many have ended.
    pub items_in_history: u64,
    /// The item that runs.
    pub running_item_uid: Option<String>,
    /// The queue is to stop after that.
    pub queue_stop_pending: bool,
    /// The server starts what is queued by itself.
    pub queue_autostart_enabled: bool,
    /// There is an environment.
    pub worker_environment_exists: bool,
    /// What it does.
    pub worker_environment_state: String,
    /// A pause has been asked for.
    pub pause_pending: bool,
    /// Another with each change of the queue.
    pub plan_queue_uid: String,
    /// Another with each change of the history.
    pub plan_history_uid: String,
    /// Another with each change of what may be run.
    pub plans_allowed_uid: String,
}

impl Status {
    /// As in `0.0.25`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.msg
            .rsplit_once(" v")
            .map_or(self.msg.as_str(), |(_, version)| version)
    }

    /// Nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.manager_state == "idle"
    }

    /// Its environment is being opened.
    #[must_use]
    pub fn is_being_opened(&self) -> bool {
        self.manager_state == "creating_environment"
    }

    /// It is about to take the next item, if there is one.
    #[must_use]
    pub fn is_starting_item(&self) -> bool {
        let is_running = self.running_item_uid.is_some();
        matches!(&*self.manager_state, "starting_queue" | "executing_queue") && !is_running
    }

    /// A plan or a task is under way.
    #[must_use]
    pub fn is_executing(&self) -> bool {
        self.manager_state.starts_with("executing")
    }
}

/// An item of the queue or of the history.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Item {
    /// The server's id, another one when it puts the item back.
    pub item_uid: String,
    /// `plan` or `instruction`.
    pub item_type: String,
    /// The plan's name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Its named arguments.
    pub kwargs: Map<String, Value>,
    /// What goes with it; under `patchbay` what is ours.
    pub meta: Value,
    /// Who put it there.
    pub user: Option<String>,
    /// How it ended. One that waits and has this was put back after it failed.
    pub result: Option<Ending>,
}

/// How an item ended.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ending {
    /// `completed`, `failed`, `stopped`, `aborted`, `halted` or `unknown`.
    pub exit_status: String,
    /// Why.
    pub msg: String,
    /// Where.
    pub traceback: String,
    /// When it began.
    pub time_start: Option<f64>,
    /// When it ended.
    pub time_stop: Option<f64>,
}

/// What is ours in an item's `meta`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The job's id.
    pub job: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was submitted, in Unix seconds.
    #[serde(default)]
    pub at: f64,
    /// The text of a script that does not run as a plan because it calls the Run Engine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<String>,
    /// Of a plan: its text as it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Item {
    /// What is ours, if it is one of ours.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        let mark = self.meta.get(OURS)?;
        let mark = Mark::deserialize(mark).ok()?;
        (1..=ID_MOST).contains(&mark.job.len()).then_some(mark)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self.item_type.as_str() {
            "instruction" if self.mark().is_some_and(|mark| mark.alone.is_some()) => {
                JobKind::Script
            }
            "instruction" => JobKind::Instruction,
            _ if self.name == SCRIPT_PLAN => JobKind::Script,
            _ => JobKind::Plan,
        }
    }

    /// Its text: of a script the script, of a plan what was submitted or a call of it.
    #[must_use]
    pub fn body(&self) -> String {
        let mark = self.mark();
        let given = mark.and_then(|mark| mark.alone.or(mark.code));
        let code = self.kwargs.get("code").and_then(Value::as_str);
        match code.filter(|_| self.name == SCRIPT_PLAN) {
            Some(code) => code.to_owned(),
            None => given.unwrap_or_else(|| self.call()),
        }
    }

    /// As one would write it in Python, with JSON for the values.
    fn call(&self) -> String {
        let args = self.args.iter().map(Value::to_string);
        let kwargs = self
            .kwargs
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let all: Vec<String> = args.chain(kwargs).collect();
        format!("{}({})", self.name, all.join(", "))
    }
}

/// The answer to `queue_get`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// What waits, in order.
    pub items: Vec<Item>,
    /// What runs; `{}` if nothing does.
    pub running_item: Item,
}

/// The answer to `history_get`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct History {
    /// What has ended, oldest first.
    pub items: Vec<Item>,
}

/// The answer to `task_result`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Task {
    /// `running`, `completed` or `not_found`.
    pub status: String,
    /// How it went.
    pub result: Option<TaskResult>,
}

/// How a task went.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TaskResult {
    /// Whether it ended without an error.
    pub success: bool,
    /// The error.
    pub msg: String,
    /// Where it was.
    pub traceback: String,
}

/// An item to be queued.
#[must_use]
pub fn new_item(kind: &str, name: &str, args: &[Value], kwargs: Value, mark: &Mark) -> Value {
    let mut item = json!({"item_type": kind, "name": name, "meta": {OURS: mark}});
    if let Some(fields) = item.as_object_mut().filter(|_| kind == "plan") {
        fields.insert("args".into(), args.into());
        fields.insert("kwargs".into(), kwargs);
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: Value) -> Item {
        Item::deserialize(json).unwrap()
    }

    #[test]
    fn ours_are_known_by_their_mark_and_others_are_shown_as_a_call() {
        let mark = Mark {
            job: "j".into(),
            name: Some("n".into()),
            at: 1.0,
            alone: None,
            code: None,
        };
        let ours = new_item("plan", SCRIPT_PLAN, &[], json!({"code": "x = 1"}), &mark);
        let ours = item(ours);
        assert_eq!((ours.mark(), ours.kind()), (Some(mark), JobKind::Script));
        assert_eq!(ours.body(), "x = 1");
        let theirs = item(json!({
            "item_uid": "u", "item_type": "plan", "name": "count", "args": [["det"]], "kwargs": {"num": 3}, "meta": 3
        }));
        assert_eq!((theirs.mark(), theirs.kind()), (None, JobKind::Plan));
        assert_eq!(theirs.body(), r#"count(["det"], num=3)"#);
    }

    #[test]
    fn an_old_status_is_read_as_well() {
        let old: Status = serde_json::from_str(
            r#"{"msg": "RE Manager v0.0.22", "manager_state": "idle", "re_state": null, "running_item_uid": null}"#,
        )
        .unwrap();
        assert_eq!((old.version(), old.is_idle()), ("0.0.22", true));
    }
}
