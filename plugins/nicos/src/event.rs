//! The daemon's events, by the names and numbers of its protocol.
//!
//! Source: `DAEMON_EVENTS` in NICOS's `nicos/protocols/daemon/__init__.py`, and for `liveparams` the releases before 3.8.

use std::borrow::Cow;

/// Every event that a daemon of protocol 17 to 24 may send: number and name.
const EVENTS: [(u16, &str); 29] = [
    (0x1001, "message"),
    (0x1002, "request"),
    (0x1003, "processing"),
    (0x1004, "blocked"),
    (0x1005, "status"),
    (0x1006, "watch"),
    (0x1007, "mode"),
    (0x1008, "cache"),
    (0x1009, "dataset"),
    (0x100a, "datapoint"),
    (0x100b, "datacurve"),
    (0x100c, "liveparams"),
    (0x100d, "livedata"),
    (0x100e, "simresult"),
    (0x100f, "showhelp"),
    (0x1010, "clientexec"),
    (0x1011, "watchdog"),
    (0x1012, "debugging"),
    (0x1013, "plugplay"),
    (0x1014, "setup"),
    (0x1015, "device"),
    (0x1016, "experiment"),
    (0x1017, "prompt"),
    (0x1018, "updated"),
    (0x1019, "rearranged"),
    (0x101a, "eta"),
    (0x101b, "simmessage"),
    (0x101c, "done"),
    (0x101d, "promptdone"),
];

/// The events by which the jobs are known; without them nothing would be.
const ESSENTIAL: [&str; 7] = [
    "message",
    "request",
    "processing",
    "blocked",
    "status",
    "updated",
    "done",
];

/// The events that the daemon sends to one connection only: the one that ran the code which caused them.
const PRIVATE: [&str; 2] = ["showhelp", "clientexec"];

/// The name of an event; of a newer daemon's its number, as in `0x101e`.
#[must_use]
pub fn name(code: u16) -> Cow<'static, str> {
    let known = EVENTS.iter().find(|(number, _)| *number == code);
    match known {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("{code:#06x}")),
    }
}

/// The names of the events that may be left out.
pub fn optional() -> impl Iterator<Item = &'static str> {
    let names = EVENTS.iter().map(|(_, name)| *name);
    names.filter(|name| !is_essential(name))
}

/// Whether the jobs are known by this event.
#[must_use]
pub fn is_essential(name: &str) -> bool {
    ESSENTIAL.contains(&name)
}

/// Whether the event is for one client only.
#[must_use]
pub fn is_private(name: &str) -> bool {
    PRIVATE.contains(&name)
}

/// The events that the daemon shall not send to a connection: those of `off`, or, if nobody reads the events that
/// are for all, every one of these.
#[must_use]
pub fn masked(reads_events: bool, off: &[String]) -> Vec<String> {
    let is_masked = |name: &str| match reads_events {
        true => off.iter().any(|off| off == name),
        false => !is_private(name),
    };
    let masked = EVENTS.iter().filter(|(_, name)| is_masked(name));
    masked.map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_daemons_event_is_known_by_its_number() {
        assert_eq!((&*name(0x101d), &*name(0x101e)), ("promptdone", "0x101e"));
    }

    #[test]
    fn who_reads_no_events_still_gets_the_private_ones() {
        let masked = masked(false, &[]);
        assert_eq!(masked.len(), EVENTS.len() - PRIVATE.len());
        assert!(!masked.iter().any(|name| is_private(name)));
    }

    #[test]
    fn who_reads_events_gets_all_that_are_not_switched_off() {
        assert_eq!(masked(true, &["cache".to_owned()]), ["cache"]);
    }
}
