//! The daemon's commands, by the names and numbers of its protocol.
//!
//! Source: `DAEMON_COMMANDS` in NICOS's `nicos/protocols/daemon/__init__.py`; what each does is in
//! `nicos/services/daemon/handler.py`.

/// One command of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    /// NICOS's name for it, as its documentation and logs have it.
    pub name: &'static str,
    /// Its number in a command frame.
    pub code: u16,
    /// Whether it changes something, so that a lost reply leaves the outcome unknown.
    pub changes: bool,
    /// By which of a login's connections it goes.
    pub way: Way,
}

/// A login's connections, by what waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What is answered at once.
    Query,
    /// What must not wait.
    Urgent,
    /// What takes as long as the user's own code, or a search in years of values.
    Long,
}

macro_rules! verbs {
    ($($name:ident = $code:literal $text:literal $kind:ident $way:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: Verb = Verb {
                name: $text,
                code: $code,
                changes: changes!($kind),
                way: Way::$way,
            };
        )*
        /// Every command of protocol 24.
        pub const ALL: &[Verb] = &[$($name),*];
    };
}

macro_rules! changes {
    (looks) => {
        false
    };
    (changes) => {
        true
    };
}

verbs! {
    START = 0x01 "start" changes Query,
    SIMULATE = 0x02 "simulate" changes Query,
    QUEUE = 0x03 "queue" changes Query,
    UNQUEUE = 0x04 "unqueue" changes Query,
    UPDATE = 0x05 "update" changes Query,
    BREAK = 0x11 "break" changes Urgent,
    CONTINUE = 0x12 "continue" changes Urgent,
    STOP = 0x13 "stop" changes Urgent,
    EMERGENCY = 0x14 "emergency" changes Urgent,
    FINISH = 0x15 "finish" changes Urgent,
    EXEC = 0x21 "exec" changes Long,
    EVAL = 0x22 "eval" changes Long,
    WATCH = 0x31 "watch" changes Query,
    UNWATCH = 0x32 "unwatch" changes Query,
    GETVERSION = 0x41 "getversion" looks Query,
    GETSTATUS = 0x42 "getstatus" looks Query,
    GETMESSAGES = 0x43 "getmessages" looks Query,
    GETSCRIPT = 0x44 "getscript" looks Query,
    GETHISTORY = 0x45 "gethistory" looks Long,
    GETCACHEKEYS = 0x46 "getcachekeys" looks Query,
    GETTRACE = 0x47 "gettrace" looks Query,
    GETDATASET = 0x48 "getdataset" looks Query,
    COMPLETE = 0x51 "complete" looks Query,
    TRANSFER = 0x52 "transfer" changes Query,
    DEBUG = 0x53 "debug" changes Query,
    DEBUGINPUT = 0x54 "debuginput" changes Query,
    EVENTMASK = 0x61 "eventmask" looks Query,
    UNLOCK = 0x62 "unlock" changes Query,
    QUIT = 0x63 "quit" looks Query,
    AUTHENTICATE = 0x64 "authenticate" looks Query,
    EVENTUNMASK = 0x65 "eventunmask" looks Query,
    REARRANGE = 0x66 "rearrange" changes Query,
    KEEPALIVE = 0x67 "keepalive" looks Query,
}

/// The command of that name.
#[must_use]
pub fn find(name: &str) -> Option<Verb> {
    ALL.iter().copied().find(|verb| verb.name == name)
}

impl Verb {
    /// Whether this refusal may be followed by a second reply to the same command: daemons up to 3.13 refuse `finish` on
    /// a script that is being stopped, and then acknowledge it.
    #[must_use]
    pub fn answers_twice(&self, refusal: &str) -> bool {
        *self == FINISH && refusal == "script is stopping"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_33_commands_with_numbers_of_their_own() {
        let codes: std::collections::HashSet<_> = ALL.iter().map(|verb| verb.code).collect();
        assert_eq!((ALL.len(), codes.len()), (33, 33));
    }
}
