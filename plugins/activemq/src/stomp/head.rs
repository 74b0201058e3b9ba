//! The command and header lines of one received frame: valid UTF-8, each header once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use memchr::memchr;

use super::text::decode;

/// Headers that are kept even when a client has filled the head with its own: without them a message could be neither
/// answered nor acknowledged, and would come back for ever.
const STANDARD: [&str; 12] = [
    "ack",
    "subscription",
    "message-id",
    "destination",
    "reply-to",
    "correlation-id",
    "persistent",
    "redelivered",
    "receipt-id",
    "message",
    "expires",
    "timestamp",
];

/// The broker writes each of these once, whatever a client's properties are called. But it escapes no names: one that
/// holds a line end becomes a line of its own, before or after the true one.
const UNIQUE: [&str; 2] = ["ack", "subscription"];

/// What else stands in most heads; the names of these and of those above need no memory of their own.
const USUAL: [&str; 4] = ["priority", "type", "amq-msg-type", "JMSXGroupID"];

/// More forged ones are not kept.
const MAX_REPEATED: usize = 64;

/// A header's name.
pub type Name = Cow<'static, str>;

/// Whether the head goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadLine {
    /// A command or header was taken or dropped.
    More,
    /// The blank line: the head is complete.
    Blank,
}

/// A head in the making. Lines arrive without their LF.
#[derive(Debug, Default)]
pub struct Head {
    command: Option<String>,
    /// In no order, as with the broker itself; quick to look up, because a client may send thousands.
    lines: BTreeMap<Name, String>,
    content_length: Option<String>,
    /// Further lines of the headers in [`UNIQUE`].
    repeated: Vec<(Name, String)>,
    size: usize,
    dropped: usize,
}

impl Head {
    /// Takes one line; more than `limit` bytes in all are dropped unless they belong to a standard header.
    pub fn push(&mut self, line: &[u8], limit: usize) -> HeadLine {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.command.is_none() {
            self.command = Some(decode(line).into_owned());
        } else if line.is_empty() {
            return HeadLine::Blank;
        } else if let Some(colon) = memchr(b':', line) {
            self.header(decode(&line[..colon]), decode(&line[colon + 1..]), limit);
        } else {
            self.dropped += 1;
        }
        HeadLine::More
    }

    /// A line was too long to be kept.
    pub fn drop_line(&mut self) -> HeadLine {
        self.dropped += 1;
        HeadLine::More
    }

    /// How many lines were dropped: too long, too many, or no header.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The command, for messages about a frame that cannot be read.
    pub fn command(&self) -> &str {
        self.command.as_deref().unwrap_or_default()
    }

    /// A header as it was sent (escaped).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.lines.get(name).map(String::as_str)
    }

    /// All values of `ack` or `subscription` (escaped), forged ones among them.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let repeated = self.repeated.iter().filter(|(key, _)| key == name);
        let first = self.get(name).into_iter();
        first.chain(repeated.map(|(_, value)| &**value)).collect()
    }

    /// A header that the broker writes once is there more than once.
    pub fn is_forged(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// `content-length`, if it is a number. It is not among [`Head::take_all`].
    pub fn content_length(&self) -> Option<u64> {
        self.content_length.as_deref()?.trim().parse().ok()
    }

    /// Takes a header out, as it was sent (escaped).
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.lines.remove(name)
    }

    /// Takes out all headers (values escaped), each once.
    pub fn take_all(&mut self) -> impl Iterator<Item = (Name, String)> + use<> {
        std::mem::take(&mut self.lines).into_iter()
    }

    fn header(&mut self, name: Cow<'_, str>, value: Cow<'_, str>, limit: usize) {
        if name == "content-length" {
            self.content_length
                .get_or_insert_with(|| value.into_owned());
            return;
        }
        let size = self.size + name.len() + value.len() + 2;
        let fits = size <= limit || STANDARD.contains(&&*name);
        if !fits || !is_name(&name) {
            self.dropped += 1;
            return;
        }
        match self.lines.entry(kept_name(name)) {
            Entry::Vacant(place) => {
                self.size = size;
                place.insert(without_ends(value));
            }
            Entry::Occupied(first) => {
                let name = first.key();
                if UNIQUE.contains(&&**name) && self.repeated.len() < MAX_REPEATED {
                    self.repeated.push((name.clone(), without_ends(value)));
                } else {
                    self.dropped += 1;
                }
            }
        }
    }
}

fn kept_name(name: Cow<'_, str>) -> Name {
    let known = STANDARD.iter().chain(&USUAL).find(|known| **known == name);
    match known {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.into_owned()),
    }
}

/// A name that had to be mended could become that of another header.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['\r', '\0'])
}

/// A CR inside a line is no line end in STOMP 1.2, but must be escaped where the value is sent on; a NUL can be sent on in no way.
fn without_ends(value: Cow<'_, str>) -> String {
    if !value.contains(['\r', '\0']) {
        return value.into_owned();
    }
    value.replace('\r', "\\r").replace('\0', "\u{fffd}")
}
