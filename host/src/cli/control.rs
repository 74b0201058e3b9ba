//! `patchbay sessions`, `route` and `restart`: what operators say to a gateway that runs.

use super::table::table;
use crate::broker::SessionStatus;
use crate::config::state_path;
use crate::control::{Answer, Order, ask};
use crate::exit::Exit;
use clap::Args;
use std::path::PathBuf;

/// Which gateway is meant.
#[derive(Args)]
pub(super) struct Which {
    /// The configuration file that the gateway runs with.
    #[arg(default_value = "/etc/patchbay/patchbay.toml")]
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
    which.order(&Order::Route { frontend, backend }, &said)
}

pub(super) fn restart(which: &Which, instance: String) -> Exit {
    let said = format!("{instance} finishes what it has and is started anew\n");
    which.order(&Order::Restart { instance }, &said)
}

impl Which {
    fn order(&self, order: &Order, said: &str) -> Exit {
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
    fn ask(&self, order: &Order, shown: impl Fn(&Answer) -> Option<String>) -> Exit {
        let state = match self.state() {
            Ok(state) => state,
            Err(exit) => return exit,
        };
        let told = ask(&state, order).and_then(|answer| match answer {
            Answer::Refused(why) => Err(why),
            answer if self.json => serde_json::to_string(&answer)
                .map(|line| format!("{line}\n"))
                .map_err(|error| error.to_string()),
            answer => shown(&answer)
                .ok_or_else(|| "the gateway is of another version than this command".to_owned()),
        });
        match told {
            Ok(text) => {
                print!("{text}");
                Exit::Done
            }
            Err(why) => {
                eprintln!("error: {why}");
                Exit::Failed
            }
        }
    }
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
