//! Writing a decoded value as JSON, with its shares expanded.
//!
//! The stack of unfinished values is ours, not the machine's, and holds one small frame per open container.

use super::node::{Id, Node};
use super::object::{self, Form};
use super::output::Output;
use super::{Pickle, PickleError, array, name, text};

/// The JSON text of the value at `root`.
pub(super) fn write(pickle: &Pickle<'_>, root: Id) -> Result<String, PickleError> {
    let mut writer = Writer::new(pickle);
    writer.frames.push(Frame::Value(root));
    writer.run()?;
    Ok(writer.out.finish())
}

/// A piece of an instance's JSON, written in order.
pub(super) enum Part<'p> {
    /// `"name":` with a comma before it if needed, for a name that needs no escaping.
    Name(&'static str),
    /// A value.
    Value(Id),
    /// Literal text that is a whole JSON value.
    Json(String),
    /// An array of values.
    Items(&'p [Id]),
    /// An array of `[key, value]` arrays.
    Pairs(&'p [(Id, Id)]),
    /// The entries of a dict as further fields.
    Fields(&'p [(Id, Id)]),
}

enum Frame<'p> {
    Value(Id),
    Items(&'p [Id], usize),
    Fields(&'p [(Id, Id)], usize),
    Pairs(&'p [(Id, Id)], usize),
    Parts(std::vec::IntoIter<Part<'p>>),
    Close(char),
    Leave(Id),
}

/// The JSON so far and what is still to be written.
struct Writer<'p> {
    pickle: &'p Pickle<'p>,
    out: Output<'p>,
    frames: Vec<Frame<'p>>,
    /// Values being written right now: meeting one again means that it contains itself.
    open: Vec<bool>,
}

impl<'p> Writer<'p> {
    fn new(pickle: &'p Pickle<'p>) -> Self {
        Self {
            pickle,
            out: Output::new(&pickle.limits, pickle.arena.len()),
            frames: Vec::new(),
            open: vec![false; pickle.arena.len()],
        }
    }

    fn run(&mut self) -> Result<(), PickleError> {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Value(id) => self.value(id)?,
                Frame::Items(ids, next) => self.next_item(ids, next)?,
                Frame::Fields(entries, next) => self.next_field(entries, next)?,
                Frame::Pairs(entries, next) => self.next_pair(entries, next)?,
                Frame::Parts(parts) => self.next_part(parts)?,
                Frame::Close(bracket) => self.out.close(bracket)?,
                Frame::Leave(id) => self.set_open(id, false),
            }
        }
        Ok(())
    }

    fn value(&mut self, id: Id) -> Result<(), PickleError> {
        self.out.count(1)?;
        let pickle = self.pickle;
        match pickle.node(id) {
            Node::None => self.out.push("null"),
            Node::Bool(flag) => self.out.push(if *flag { "true" } else { "false" }),
            Node::Int(number) => self.out.int(*number),
            Node::BigInt(bytes) => self.out.big_int(bytes),
            Node::Digits(digits) => self.out.digits(digits),
            Node::Float(number) => self.out.float(*number),
            Node::Text(bytes) => self.out.lossy_text(bytes),
            Node::OldText(bytes) => self.out.text(&text::from_python2(bytes)),
            Node::Bytes(bytes) => self.out.bytes(bytes),
            Node::Tuple(items) | Node::List(items) | Node::Set(items) => self.open_items(id, items),
            Node::Dict(entries) => self.open_dict(id, entries),
            Node::Global { .. } => {
                let name = name::global_name(pickle, id);
                self.out.tagged("$global", &name)
            }
            Node::Object(_) => self.object(id),
        }
    }

    // ---- containers

    fn open_items(&mut self, id: Id, items: &'p [Id]) -> Result<(), PickleError> {
        self.enter(id)?;
        self.out.open('[')?;
        self.frames.push(Frame::Close(']'));
        self.frames.push(Frame::Items(items, 0));
        Ok(())
    }

    fn open_dict(&mut self, id: Id, entries: &'p [(Id, Id)]) -> Result<(), PickleError> {
        self.enter(id)?;
        self.out.open('{')?;
        self.frames.push(Frame::Close('}'));
        if object::plain_keys(self.pickle, entries) {
            self.frames.push(Frame::Fields(entries, 0));
            return Ok(());
        }
        self.out.name("$dict")?;
        self.open_pairs(entries)
    }

    fn open_pairs(&mut self, entries: &'p [(Id, Id)]) -> Result<(), PickleError> {
        self.out.open('[')?;
        self.frames.push(Frame::Close(']'));
        self.frames.push(Frame::Pairs(entries, 0));
        Ok(())
    }

    /// Writes items up to and with the first that is nested, and leaves the rest for after it.
    fn next_item(&mut self, ids: &'p [Id], next: usize) -> Result<(), PickleError> {
        for (index, &id) in ids.iter().enumerate().skip(next) {
            self.out.comma()?;
            if self.is_nested(id) {
                self.frames.push(Frame::Items(ids, index + 1));
                return self.value(id);
            }
            self.value(id)?;
        }
        Ok(())
    }

    /// Whether writing the value takes frames, so that what comes after it has to wait for its turn below them.
    fn is_nested(&self, id: Id) -> bool {
        matches!(
            self.pickle.node(id),
            Node::Tuple(_) | Node::List(_) | Node::Set(_) | Node::Dict(_) | Node::Object(_)
        )
    }

    fn next_field(&mut self, entries: &'p [(Id, Id)], next: usize) -> Result<(), PickleError> {
        let Some(&(key, value)) = entries.get(next) else {
            return Ok(());
        };
        self.out.comma()?;
        self.value(key)?;
        self.out.push(":")?;
        self.frames.push(Frame::Fields(entries, next + 1));
        self.frames.push(Frame::Value(value));
        Ok(())
    }

    fn next_pair(&mut self, entries: &'p [(Id, Id)], next: usize) -> Result<(), PickleError> {
        let Some(&(key, value)) = entries.get(next) else {
            return Ok(());
        };
        self.out.comma()?;
        self.out.open('[')?;
        self.frames.push(Frame::Pairs(entries, next + 1));
        self.frames.push(Frame::Close(']'));
        self.frames.push(Frame::Parts(
            vec![Part::Value(key), Part::Value(value)].into_iter(),
        ));
        Ok(())
    }

    fn next_part(&mut self, mut parts: std::vec::IntoIter<Part<'p>>) -> Result<(), PickleError> {
        let Some(part) = parts.next() else {
            return Ok(());
        };
        self.frames.push(Frame::Parts(parts));
        match part {
            Part::Name(name) => self.out.name(name),
            Part::Json(json) => self.out.push(&json),
            Part::Value(id) => {
                self.out.comma()?;
                self.frames.push(Frame::Value(id));
                Ok(())
            }
            Part::Items(items) => {
                self.out.open('[')?;
                self.frames.push(Frame::Close(']'));
                self.frames.push(Frame::Items(items, 0));
                Ok(())
            }
            Part::Pairs(entries) => self.open_pairs(entries),
            Part::Fields(entries) => {
                self.frames.push(Frame::Fields(entries, 0));
                Ok(())
            }
        }
    }

    // ---- instances

    fn object(&mut self, id: Id) -> Result<(), PickleError> {
        let pickle = self.pickle;
        match object::form(pickle, id) {
            // A wrapper's content is older than the wrapper, so this cannot go round in circles.
            Form::Same(id) => {
                self.frames.push(Frame::Value(id));
                Ok(())
            }
            Form::Items(items) => self.open_items(id, items),
            Form::Dict(entries) => self.open_dict(id, entries),
            Form::Bytes(bytes) => {
                self.out.look_at(bytes.len())?;
                self.out.bytes(&bytes)
            }
            Form::Numbers(array) => array::write(&array, &mut self.out),
            Form::Instance { class, parts } => self.instance(id, &class, parts),
        }
    }

    fn instance(&mut self, id: Id, class: &str, parts: Vec<Part<'p>>) -> Result<(), PickleError> {
        self.enter(id)?;
        self.out.open('{')?;
        self.out.name("$class")?;
        self.out.text(class)?;
        self.frames.push(Frame::Close('}'));
        self.frames.push(Frame::Parts(parts.into_iter()));
        Ok(())
    }

    fn enter(&mut self, id: Id) -> Result<(), PickleError> {
        if self.open.get(id.place()).copied().unwrap_or(true) {
            return Err(PickleError::Recursive);
        }
        self.set_open(id, true);
        self.frames.push(Frame::Leave(id));
        Ok(())
    }

    fn set_open(&mut self, id: Id, open: bool) {
        if let Some(flag) = self.open.get_mut(id.place()) {
            *flag = open;
        }
    }
}
