//! `patchbay route --when-idle`: the switch waits in the gateway; the command waits for it, and says what for.

use super::control::Which;
use crate::control::{Answer, Order};
use crate::exit::Exit;
use std::cell::RefCell;
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
    let told = RefCell::new(String::new());
    loop {
        let standing = RefCell::new(Standing::Replaced);
        let exit = which.ask(&Order::Status, |answer| {
            let Answer::Status(status) = answer else {
                return None;
            };
            let now = standing_of(status, frontend, backend);
            let text = match &now {
                Standing::Waits(why) if *why == *told.borrow() => String::new(),
                Standing::Waits(why) => format!("  {}\n", why.replace(char::is_control, " ")),
                Standing::Done => format!("{frontend} leads to {backend} now\n"),
                Standing::Replaced => String::new(),
            };
            if let Standing::Waits(why) = &now {
                why.clone_into(&mut told.borrow_mut());
            }
            standing.replace(now);
            Some(text)
        });
        match (exit, standing.into_inner()) {
            (Exit::Done, Standing::Waits(_)) => std::thread::sleep(EVERY),
            (Exit::Done, Standing::Replaced) => {
                eprintln!("error: another command has led {frontend} elsewhere meanwhile");
                return Exit::Failed;
            }
            (exit, _) => return exit,
        }
    }
}

fn standing_of(status: &crate::control::GatewayStatus, frontend: &str, backend: &str) -> Standing {
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
