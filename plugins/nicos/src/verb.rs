//! The daemon's commands, by the names and numbers of its protocol.

/// One command of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    /// NICOS's name for it, as its documentation and logs have it.
    pub name: &'static str,
    /// Its number in a command frame.
    pub code: u16,
    /// Whether it changes something, so that a lost reply leaves the outcome unknown.
    pub changes: bool,
}

macro_rules! verbs {
    ($($name:ident = $code:literal $text:literal $kind:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: Verb = Verb { name: $text, code: $code, changes: changes!($kind) };
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
    START = 0x01 "start" changes,
    SIMULATE = 0x02 "simulate" changes,
    QUEUE = 0x03 "queue" changes,
    UNQUEUE = 0x04 "unqueue" changes,
    UPDATE = 0x05 "update" changes,
    BREAK = 0x11 "break" changes,
    CONTINUE = 0x12 "continue" changes,
    STOP = 0x13 "stop" changes,
    EMERGENCY = 0x14 "emergency" changes,
    FINISH = 0x15 "finish" changes,
    EXEC = 0x21 "exec" changes,
    EVAL = 0x22 "eval" changes,
    WATCH = 0x31 "watch" changes,
    UNWATCH = 0x32 "unwatch" changes,
    GETVERSION = 0x41 "getversion" looks,
    GETSTATUS = 0x42 "getstatus" looks,
    GETMESSAGES = 0x43 "getmessages" looks,
    GETSCRIPT = 0x44 "getscript" looks,
    // Without a cache the daemon answers this one twice: ask it only where a cache is known to be.
    GETHISTORY = 0x45 "gethistory" looks,
    GETCACHEKEYS = 0x46 "getcachekeys" looks,
    GETTRACE = 0x47 "gettrace" looks,
    GETDATASET = 0x48 "getdataset" looks,
    COMPLETE = 0x51 "complete" looks,
    TRANSFER = 0x52 "transfer" changes,
    DEBUG = 0x53 "debug" changes,
    DEBUGINPUT = 0x54 "debuginput" changes,
    EVENTMASK = 0x61 "eventmask" looks,
    UNLOCK = 0x62 "unlock" changes,
    QUIT = 0x63 "quit" looks,
    AUTHENTICATE = 0x64 "authenticate" looks,
    EVENTUNMASK = 0x65 "eventunmask" looks,
    REARRANGE = 0x66 "rearrange" changes,
    KEEPALIVE = 0x67 "keepalive" looks,
}

impl Verb {
    /// Whether this refusal is followed by a second reply to the same command.
    ///
    /// `finish` on a script that is being stopped is refused and then acknowledged; who does not read both is off by
    /// one for ever.
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
