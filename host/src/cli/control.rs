//! `patchbay status`, `sessions`, `route`, `restart`, `reload` and `plugin reload`: what operators say to a gateway that
//! runs.

use crate::broker::SessionStatus;
use crate::config::state_path;
use crate::control::{Answer, Changed, GatewayStatus, Order, ask};
use crate::exit::Exit;
use clap::Args;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

/// Between two looks of `--watch`.
const EVERY: Duration = Duration::from_secs(2);

/// Which gateway is meant.
#[derive(Args)]
pub(super) struct Which {
    /// The configuration file that the gateway runs with.
    #[arg(default_value = "/etc/patchbay/patchbay.toml")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn status(which: &Which, watch: bool) -> Exit {
    loop {
        let exit = which.ask(&Order::Status, |answer| match answer {
            Answer::Status(status) => Some(table_of_instances(status)),
            _ => None,
        });
        if !watch || exit != Exit::Done {
            return exit;
        }
        std::thread::sleep(EVERY);
        // To the top left corner, and nothing below.
        print!("\x1b[H\x1b[2J");
    }
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
    let said =
        format!("{instance} was started anew; what a backend has under way it finishes first\n");
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

    fn order(&self, order: &Order, said: &str) -> Exit {
        self.ask(order, |answer| {
            (*answer == Answer::Done).then(|| said.to_owned())
        })
    }

    /// Prints what `shown` makes of the answer, or why there is none.
    fn ask(&self, order: &Order, shown: impl Fn(&Answer) -> Option<String>) -> Exit {
        let state = match state_path(&self.file) {
            Ok(state) => state,
            Err(mistakes) => {
                super::show(&mistakes);
                return Exit::Configuration;
            }
        };
        let asked = ask(&state, order).map_err(|why| (Exit::Failed, format!("error: {why}\n")));
        let told = asked.and_then(|answer| match answer {
            Answer::Refused(why) => Err((Exit::Failed, format!("error: {why}\n"))),
            Answer::Mistakes(text) => Err((
                Exit::Configuration,
                format!("{text}\nnothing was changed\n"),
            )),
            answer if self.json => serde_json::to_string(&answer)
                .map(|line| format!("{line}\n"))
                .map_err(|error| (Exit::Failed, format!("error: {error}\n"))),
            answer => shown(&answer).ok_or_else(|| {
                let why = "error: the gateway is of another version than this command\n";
                (Exit::Failed, why.to_owned())
            }),
        });
        match told {
            Ok(text) => {
                print!("{text}");
                Exit::Done
            }
            Err((exit, why)) => {
                eprint!("{why}");
                exit
            }
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

fn table_of_instances(status: &GatewayStatus) -> String {
    let mut rows = vec![
        ["", "PLUGIN", "IS", "HEALTH", "FOR", "CLIENTS", "FAILED", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for instance in &status.instances {
        let name = match &instance.to {
            Some(to) => format!("{} → {to}", instance.id),
            None => instance.id.clone(),
        };
        rows.push(vec![
            name,
            instance.plugin.clone(),
            instance.phase.clone(),
            instance.health.clone(),
            span(instance.since_s),
            instance.sessions.to_string(),
            instance.failures.to_string(),
            instance.reason.clone(),
        ]);
    }
    let (name, version, pid) = (&status.name, &status.version, status.pid);
    let up = span(status.up_s);
    format!(
        "{name}, version {version}, process {pid}, up for {up}\n\n{}",
        table(&rows)
    )
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

/// Columns two blanks apart, each as wide as its widest cell; control characters of names are cut out.
fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// `5 s`, `3 min`, `7 h`, `12 d`.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_names_cannot_paint_the_screen() {
        let rows = [["a", "long cell", "x"], ["näme", "b\x1b[2J", ""]];
        let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        assert_eq!(table(&rows), "a     long cell  x\nnäme  b [2J\n");
    }

    #[test]
    fn spans_are_as_coarse_as_one_needs_them() {
        assert_eq!(
            [5, 119, 120, 7199, 7200, 172_800].map(span),
            ["5 s", "119 s", "2 min", "119 min", "2 h", "2 d"]
        );
    }
}
