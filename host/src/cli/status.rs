//! `patchbay status`: how a gateway is, for somebody who was woken up for it.

mod advice;
mod page;
mod screen;

use super::control::Which;
use super::out::print;
use crate::control::{Answer, GatewayStatus, Order, ask};
use crate::exit::Exit;
use std::path::Path;
use std::time::Duration;

/// Between two looks of `--watch`.
const EVERY: Duration = Duration::from_secs(2);

pub(super) fn status(which: &Which, watch: bool) -> Exit {
    let state = match which.state() {
        Ok(state) => state,
        Err(exit) => return exit,
    };
    if watch {
        return watch_on(which, &state);
    }
    match look(which, &state) {
        Ok((text, exit)) => match print(&text) {
            Exit::Done => exit,
            failed => failed,
        },
        Err(why) => {
            eprintln!("error: {why}");
            Exit::Failed
        }
    }
}

/// Until Ctrl-C. A gateway that is not there is waited for: it may be restarted at this moment.
fn watch_on(which: &Which, state: &Path) -> Exit {
    let screen = screen::Screen::new();
    loop {
        let text = match look(which, state) {
            Ok((text, _)) => text,
            Err(why) => format!("error: {why}\n"),
        };
        if let Err(error) = screen.show(&text) {
            // Nobody reads it any more.
            return match error.kind() {
                std::io::ErrorKind::BrokenPipe => Exit::Done,
                _ => Exit::Failed,
            };
        }
        std::thread::sleep(EVERY);
    }
}

/// What is to be shown, and whether all is well.
fn look(which: &Which, state: &Path) -> Result<(String, Exit), String> {
    let answer = ask(state, &Order::Status)?;
    let Answer::Status(status) = &answer else {
        return Err(match answer {
            Answer::Refused(why) => why,
            _ => "the gateway is of another version than this command".to_owned(),
        });
    };
    let exit = match well(status) {
        true => Exit::Done,
        false => Exit::Unwell,
    };
    let text = match which.json {
        true => format!(
            "{}\n",
            serde_json::to_string(&answer).map_err(|error| error.to_string())?
        ),
        false => page::page(status, &which.file),
    };
    Ok((text, exit))
}

/// Whether nobody needs to do anything, or to wait.
fn well(status: &GatewayStatus) -> bool {
    let instances = &status.instances;
    status.state.trouble.is_none() && instances.iter().all(|one| advice::on(one).is_empty())
}
