//! `patchbay sessions`, `route`, `restart`, `reload` and `plugin reload`: what operators say to a gateway that runs.

use super::out::print;
use super::table::{clean, table};
use crate::broker::SessionStatus;
use crate::config::state_path;
use crate::control::{Answer, Changed, Order, ask};
use crate::exit::Exit;
use clap::Args;
use std::cell::Cell;
use std::path::PathBuf;

/// The configuration file of a gateway that was installed as a service.
pub(super) const DEFAULT_FILE: &str = "/etc/patchbay/patchbay.toml";

/// Which gateway is meant.
#[derive(Args)]
pub(super) struct Which {
    /// The configuration file that the gateway runs with.
    #[arg(default_value = DEFAULT_FILE)]
    pub(super) file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn sessions(which: &Which) -> Exit {
    which.ask(&Order::Sessions, |answer| match answer {
        Answer::Sessions(sessions) => Some(table_of_sessions(sessions)),
        _ => None,
    })
}

pub(super) fn route(which: &Which, frontend: String, backend: String) -> Exit {
    let said =
        format!("{frontend} leads to {backend} now; what was under way finishes where it began\n");
    let when_idle = false;
    let order = Order::Route {
        frontend,
        backend,
        when_idle,
    };
    which.order(&order, &said)
}

pub(super) fn restart(which: &Which, instance: String) -> Exit {
    let said =
        format!("{instance} was started anew; what a backend had under way is finished first\n");
    which.order(&Order::Restart { instance }, &said)
}

pub(super) fn reload(which: &Which, dry_run: bool) -> Exit {
    let colours = super::colours();
    let order = Order::Reload { dry_run, colours };
    let head = match dry_run {
        true => "this would be changed",
        false => "the configuration was read anew",
    };
    which.change(&order, head, "nothing differs from what runs")
}

pub(super) fn renew(which: &Which, plugin: String) -> Exit {
    let colours = super::colours();
    let head = format!("`{plugin}` is a newer build now");
    which.change(&Order::RenewPlugin { plugin, colours }, &head, "nothing")
}

impl Which {
    pub(super) fn new(file: PathBuf, json: bool) -> Self {
        Which { file, json }
    }

    /// Prints what was changed.
    fn change(&self, order: &Order, head: &str, nothing: &str) -> Exit {
        let incomplete = Cell::new(false);
        let exit = self.ask(order, |answer| match answer {
            Answer::Changed(changed) => {
                incomplete.set(changed.steps.iter().any(|step| step.failed.is_some()));
                eprint!("{}", changed.warnings);
                Some(list_of_changes(changed, head, nothing))
            }
            _ => None,
        });
        match exit {
            Exit::Done if incomplete.get() => Exit::Failed,
            exit => exit,
        }
    }

    pub(super) fn order(&self, order: &Order, said: &str) -> Exit {
        self.ask(order, |answer| {
            (*answer == Answer::Done).then(|| said.to_owned())
        })
    }

    /// The state directory of that gateway.
    pub(super) fn state(&self) -> Result<PathBuf, Exit> {
        state_path(&self.file).map_err(|mistakes| {
            super::show(&mistakes);
            Exit::Configuration
        })
    }

    /// Prints what `shown` makes of the answer, or why there is none.
    pub(super) fn ask(&self, order: &Order, shown: impl Fn(&Answer) -> Option<String>) -> Exit {
        let answer = match self.answer(order) {
            Ok(answer) => answer,
            Err(exit) => return exit,
        };
        let text = match self.json {
            true => serde_json::to_string(&answer)
                .map(|line| format!("{line}\n"))
                .ok(),
            false => shown(&answer),
        };
        match text {
            Some(text) => print(&text),
            None => {
                eprintln!("error: the gateway is of another version than this command");
                Exit::Failed
            }
        }
    }

    /// The answer to an order that is not refused; why there is none goes to standard error.
    pub(super) fn answer(&self, order: &Order) -> Result<Answer, Exit> {
        let state = self.state()?;
        let refused = |why: String| {
            eprintln!("error: {why}");
            Exit::Failed
        };
        match ask(&state, order).map_err(refused)? {
            Answer::Refused(why) => Err(refused(why)),
            Answer::Mistakes(text) => {
                eprintln!("{text}\nnothing was changed");
                Err(Exit::Configuration)
            }
            answer => Ok(answer),
        }
    }
}

/// A line for each change; what could not be done says why.
fn list_of_changes(changed: &Changed, head: &str, nothing: &str) -> String {
    if changed.steps.is_empty() {
        return format!("{nothing}\n");
    }
    let lines = changed.steps.iter().map(|step| match &step.failed {
        None => format!("  {}\n", clean(&step.what)),
        Some(why) => format!("  {}\n    FAILED: {}\n", clean(&step.what), clean(why)),
    });
    format!("{head}:\n{}", lines.collect::<String>())
}

fn table_of_sessions(sessions: &[SessionStatus]) -> String {
    if sessions.is_empty() {
        return "nobody is logged in\n".to_owned();
    }
    let mut rows = vec![
        ["", "USER", "MAY", "THROUGH", "AT", "ASKS", "FROM"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for session in sessions {
        rows.push(vec![
            session.session.to_string(),
            session.user.clone(),
            session.role.clone(),
            session.frontend.clone(),
            session.backend.clone().unwrap_or_else(|| "–".to_owned()),
            session.in_flight.to_string(),
            session.client.clone(),
        ]);
    }
    table(&rows)
}
