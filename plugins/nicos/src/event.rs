//! The daemon's events, by the names and numbers of its protocol.

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

/// The events that are read.
const WANTED: [&str; 7] = [
    "message",
    "request",
    "processing",
    "blocked",
    "status",
    "updated",
    "done",
];

/// The name of an event, `None` for a number of a newer daemon.
#[must_use]
pub fn name(code: u16) -> Option<&'static str> {
    EVENTS
        .iter()
        .find(|(number, _)| *number == code)
        .map(|(_, name)| *name)
}

/// The events that the daemon shall not send: all, or for the connection that reads events those that are not read.
#[must_use]
pub fn masked(reads_events: bool) -> Vec<String> {
    let masked = EVENTS
        .iter()
        .filter(|(_, name)| !reads_events || !WANTED.contains(name));
    masked.map(|(_, name)| (*name).to_owned()).collect()
}
