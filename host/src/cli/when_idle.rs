//! `patchbay route --when-idle`: the switch waits in the gateway; the command waits for it, and says what for, on
//! standard error.

use super::control::Which;
use crate::control::{Answer, GatewayStatus, Order};
use crate::exit::Exit;
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);

pub(super) fn route(which: &Which, frontend: &str, backend: &str, wait: bool) -> Exit {
    let order = Order::Route {
        frontend: frontend.to_owned(),
        backend: backend.to_owned(),
        when_idle: true,
    };
    let said = match wait {
        false => {
            format!(
                "{frontend} will lead to {backend} as soon as nothing is under way; see `patchbay status`\n"
            )
        }
        true => format!(
            "waiting until nothing is under way through {frontend}; Ctrl-C leaves the switch pending, and another \
             `patchbay route` takes its place\n"
        ),
    };
    let exit = which.order(&order, &said);
    match wait && exit == Exit::Done {
        true => watch(which, frontend, backend),
        false => exit,
    }
}

/// How it is with a switch.
enum Standing {
    Waits(String),
    Done,
    /// Somebody has led it elsewhere, or nowhere.
    Replaced,
}

fn watch(which: &Which, frontend: &str, backend: &str) -> Exit {
    let mut told = String::new();
    loop {
        let status = match which.answer(&Order::Status) {
            Ok(Answer::Status(status)) => status,
            Ok(_) => return Exit::Failed,
            Err(exit) => return exit,
        };
        match standing_of(&status, frontend, backend) {
            Standing::Waits(why) => {
                if why != told {
                    eprintln!("  {}", why.replace(char::is_control, " "));
                    told = why;
                }
                std::thread::sleep(EVERY);
            }
            Standing::Done => {
                eprintln!("{frontend} leads to {backend} now");
                return Exit::Done;
            }
            Standing::Replaced => {
                eprintln!("error: another command has led {frontend} elsewhere meanwhile");
                return Exit::Failed;
            }
        }
    }
}

fn standing_of(status: &GatewayStatus, frontend: &str, backend: &str) -> Standing {
    let mut instances = status.instances.iter();
    let Some(found) = instances.find(|instance| instance.id == frontend) else {
        return Standing::Replaced;
    };
    match (&found.then, &found.to) {
        (Some(then), _) if then == backend => Standing::Waits(found.reason.clone()),
        (None, Some(to)) if to == backend => Standing::Done,
        _ => Standing::Replaced,
    }
}
