//! NICOS's own commands, by their own names, for what the model has no word for.

use patchbay_sdk::model::args::Native;
use patchbay_sdk::model::nearest;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};

use super::Scene;
use crate::pickle::Arg;
use crate::verb::{self, Verb};

/// Runs one command as it stands. It may have changed anything, so the daemon is looked at anew.
pub(super) async fn native(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let native: Native = command.args()?;
    let verb = find(&native.method)?;
    if verb == verb::KEEPALIVE && !scene.protocol().has_keepalive() {
        let message = format!("this NICOS is too old for `{}`", verb.name);
        return Err(Fault::new(FaultKind::Unsupported, message));
    }
    let params = native.params.iter();
    let params = params.map(|param| Arg::from_json(param, &scene.settings.limits));
    let mut args = params.collect::<Result<Vec<_>, Fault>>()?;
    if verb == verb::GETMESSAGES {
        bound(&mut args, scene.settings.log_most);
    }
    tracing::info!(
        session = command.session,
        request = command.id,
        method = verb.name,
        "a native command"
    );
    let value = scene.value(command, verb, args).await;
    if verb.changes {
        scene.known.look_again();
    }
    value.map(Reply::raw)
}

fn find(name: &str) -> Result<Verb, Fault> {
    let verb = verb::find(name).ok_or_else(|| unknown(name))?;
    match not_by_hand(verb) {
        Some(why) => Err(Fault::new(
            FaultKind::Unsupported,
            format!("`{}` is not sent by hand: {why}", verb.name),
        )),
        None => Ok(verb),
    }
}

/// What begins and ends a connection, which many clients share. (A mask of events is also the connection's, but of one whose
/// events for all nobody reads, so it does no harm. Those are read by the observer, as `events_off` says.)
fn not_by_hand(verb: Verb) -> Option<&'static str> {
    match verb {
        verb::AUTHENTICATE => Some("the gateway does that when a client logs in"),
        verb::QUIT => Some("the gateway does that some time after the last client has logged out"),
        _ => None,
    }
}

/// All messages of a long day would stop the daemon for minutes. It takes nought for all of them.
fn bound(args: &mut [Arg], most: u32) {
    let most = i64::from(most);
    for count in args.iter_mut().take(1) {
        let wanted = match count {
            Arg::Int(number) => Some(*number),
            Arg::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        *count = Arg::Int(
            wanted
                .filter(|wanted| (1..=most).contains(wanted))
                .unwrap_or(most),
        );
    }
}

fn unknown(name: &str) -> Fault {
    let hint = nearest(name, verb::ALL.iter().map(|verb| verb.name));
    let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let name: String = name.chars().take(64).collect();
    Fault::new(
        FaultKind::Invalid,
        format!("NICOS has no command `{name}`{hint}"),
    )
}
