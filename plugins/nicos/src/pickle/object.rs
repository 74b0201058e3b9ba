//! What the recorded calls mean: which records are plain values in disguise, and how the others are shown.

use std::borrow::Cow;

use super::array::{self, Array};
use super::json::{self, Part};
use super::name::{global_name, is_exception};
use super::node::{Id, Node, Object};
use super::{Pickle, Raised, moment, text};

/// How an instance is written.
pub(super) enum Form<'p> {
    /// As the value that it wraps.
    Same(Id),
    Items(&'p [Id]),
    Dict(&'p [(Id, Id)]),
    Bytes(Cow<'p, [u8]>),
    Numbers(Array<'p>),
    Instance {
        class: String,
        parts: Vec<Part<'p>>,
    },
}

/// More entries than the state of any value has that is known by its entries' names.
const FEW: usize = 8;

/// An instance with the differences between the protocols taken out.
pub(super) struct Instance<'p> {
    pub(super) class: String,
    pub(super) args: &'p [Id],
    pub(super) kwargs: Option<Id>,
    pub(super) items: &'p [Id],
    pub(super) entries: &'p [(Id, Id)],
    pub(super) state: Option<Id>,
}

/// How the object at `id` is written.
pub(super) fn form<'p>(pickle: &'p Pickle<'_>, id: Id) -> Form<'p> {
    let Node::Object(object) = pickle.node(id) else {
        return Form::Same(id);
    };
    if let Some(bytes) = bytes_of(pickle, id) {
        return Form::Bytes(bytes);
    }
    let instance = resolve(pickle, object);
    plain(pickle, &instance)
        .or_else(|| array::recognise(pickle, &instance))
        .or_else(|| moment::recognise(pickle, &instance))
        .unwrap_or_else(|| shown(pickle, instance))
}

/// The exception that the value at `id` is, if its class is named like one.
pub(super) fn raised(pickle: &Pickle<'_>, id: Id) -> Option<Raised> {
    let Node::Object(object) = pickle.node(id) else {
        return None;
    };
    let instance = resolve(pickle, object);
    if !is_exception(&instance.class) {
        return None;
    }
    let text = match instance.args {
        [] => String::new(),
        [only] => text_of(pickle, *only).map_or_else(|| json_of(pickle, *only), Cow::into_owned),
        _ => json_of(pickle, object.args),
    };
    Some(Raised {
        class: instance.class,
        text,
    })
}

/// Whether every key is text that does not begin with `$`, so that a JSON object can hold the dict.
pub(super) fn plain_keys(pickle: &Pickle<'_>, entries: &[(Id, Id)]) -> bool {
    entries.iter().all(|&(key, _)| match pickle.node(key) {
        Node::Text(bytes) | Node::OldText(bytes) => bytes.first() != Some(&b'$'),
        _ => false,
    })
}

/// Text, of either Python.
pub(super) fn text_of<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<Cow<'p, str>> {
    match pickle.node(id) {
        Node::Text(bytes) => Some(text::lossy(bytes)),
        Node::OldText(bytes) => Some(text::from_python2(bytes)),
        _ => None,
    }
}

/// Text of at most `most` bytes: for what is looked at each time a shared value is used, and may print nothing.
pub(super) fn short_text_of<'p>(
    pickle: &'p Pickle<'_>,
    id: Id,
    most: usize,
) -> Option<Cow<'p, str>> {
    match pickle.node(id) {
        Node::Text(bytes) | Node::OldText(bytes) if bytes.len() > most => None,
        _ => text_of(pickle, id),
    }
}

/// A small integer.
pub(super) fn int_of(pickle: &Pickle<'_>, id: Id) -> Option<i64> {
    match pickle.node(id) {
        Node::Int(number) => Some(*number),
        _ => None,
    }
}

/// The items of a tuple, list or set.
pub(super) fn items_of<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<&'p [Id]> {
    match pickle.node(id) {
        Node::Tuple(items) | Node::List(items) | Node::Set(items) => Some(items),
        _ => None,
    }
}

/// The entries of a plain dict.
pub(super) fn entries_of<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<&'p [(Id, Id)]> {
    match pickle.node(id) {
        Node::Dict(entries) => Some(entries),
        _ => None,
    }
}

/// The value of a text key of a dict that has few.
pub(super) fn entry(pickle: &Pickle<'_>, entries: &[(Id, Id)], name: &str) -> Option<Id> {
    let is_it = |id: Id| matches!(pickle.node(id), Node::Text(key) | Node::OldText(key) if key[..] == *name.as_bytes());
    let few = entries.len() <= FEW;
    entries
        .iter()
        .rev()
        .filter(|_| few)
        .find(|(key, _)| is_it(*key))
        .map(|(_, value)| *value)
}

/// The bytes of a `bytes` or `bytearray`, in any of the ways the protocols have of writing one.
pub(super) fn bytes_of<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<Cow<'p, [u8]>> {
    let object = match pickle.node(id) {
        Node::Bytes(bytes) => return Some(Cow::Borrowed(bytes)),
        Node::OldText(bytes) => return Some(Cow::Borrowed(bytes)),
        Node::Object(object) => object,
        _ => return None,
    };
    let args = items_of(pickle, object.args)?;
    match (global_name(pickle, object.callee).as_str(), args) {
        ("_codecs.encode", [text, _] | [text]) => latin1(pickle, *text),
        ("builtins.bytes" | "builtins.bytearray", []) => Some(Cow::Borrowed(&[])),
        ("builtins.bytearray", [text, _]) => latin1(pickle, *text),
        ("builtins.bytes" | "builtins.bytearray", [content]) => match pickle.node(*content) {
            Node::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Node::Object(inner) => inner_bytes(pickle, inner),
            _ => None,
        },
        _ => None,
    }
}

/// `bytearray(_codecs.encode(…))`: one level down and no further.
fn inner_bytes<'p>(pickle: &'p Pickle<'_>, object: &Object) -> Option<Cow<'p, [u8]>> {
    match (
        global_name(pickle, object.callee).as_str(),
        items_of(pickle, object.args)?,
    ) {
        ("_codecs.encode", [text, ..]) => latin1(pickle, *text),
        _ => None,
    }
}

fn latin1<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<Cow<'p, [u8]>> {
    let Node::Text(bytes) = pickle.node(id) else {
        return None;
    };
    if bytes.is_ascii() {
        return Some(Cow::Borrowed(bytes));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|letter| u8::try_from(letter).ok())
        .collect();
    bytes.map(Cow::Owned)
}

/// Undoes what `copyreg` puts around instances.
fn resolve<'p>(pickle: &'p Pickle<'_>, object: &'p Object) -> Instance<'p> {
    let args = items_of(pickle, object.args).unwrap_or_default();
    let mut instance = Instance {
        class: global_name(pickle, object.callee),
        args,
        kwargs: object.kwargs,
        items: &object.items,
        entries: &object.entries,
        state: object.state,
    };
    match (instance.class.as_str(), args) {
        ("copyreg.__newobj__", [class, rest @ ..]) => {
            instance.class = global_name(pickle, *class);
            instance.args = rest;
        }
        ("copyreg._reconstructor", [class, _base, content]) => {
            instance.class = global_name(pickle, *class);
            instance.args = &[];
            match pickle.node(*content) {
                Node::None => {}
                Node::List(items) => instance.items = items,
                Node::Dict(entries) => instance.entries = entries,
                Node::Tuple(items) => instance.args = items,
                _ => instance.args = &args[2..],
            }
        }
        _ => {}
    }
    instance
}

/// Standard containers and wrappers, which JSON has no need to tell from the plain ones.
fn plain<'p>(pickle: &'p Pickle<'_>, instance: &Instance<'p>) -> Option<Form<'p>> {
    let content = instance.args.first().copied();
    match instance.class.as_str() {
        "builtins.set" | "builtins.frozenset" => match content {
            Some(content) => items_of(pickle, content).map(Form::Items),
            None => Some(Form::Items(&[])),
        },
        "collections.deque" | "nicos.utils.readonlylist" => Some(Form::Items(instance.items)),
        "collections.OrderedDict" if content.is_none() => Some(Form::Dict(instance.entries)),
        "collections.defaultdict" | "nicos.utils.readonlydict" => {
            Some(Form::Dict(instance.entries))
        }
        "collections.Counter" => match content {
            Some(content) => entries_of(pickle, content).map(Form::Dict),
            None => Some(Form::Dict(instance.entries)),
        },
        "builtins.str" => content
            .filter(|&id| text_of(pickle, id).is_some())
            .map(Form::Same),
        "builtins.int" => content
            .filter(|&id| int_of(pickle, id).is_some())
            .map(Form::Same),
        _ => None,
    }
}

fn shown<'p>(pickle: &'p Pickle<'_>, instance: Instance<'p>) -> Form<'p> {
    let mut parts = Vec::new();
    if !instance.args.is_empty() {
        parts.extend([Part::Name("$args"), Part::Items(instance.args)]);
    }
    if let Some(kwargs) = instance.kwargs {
        parts.extend([Part::Name("$kwargs"), Part::Value(kwargs)]);
    }
    if !instance.items.is_empty() {
        parts.extend([Part::Name("$items"), Part::Items(instance.items)]);
    }
    if !instance.entries.is_empty() {
        parts.extend([Part::Name("$entries"), Part::Pairs(instance.entries)]);
    }
    if let Some(state) = instance.state {
        state_parts(pickle, state, &mut parts);
    }
    Form::Instance {
        class: instance.class,
        parts,
    }
}

fn state_parts<'p>(pickle: &'p Pickle<'_>, state: Id, parts: &mut Vec<Part<'p>>) {
    let fields = match pickle.node(state) {
        // A class with __slots__ has the state (dict or None, slots).
        Node::Tuple(both) if both.len() == 2 => {
            both.iter().map(|&id| fields_of(pickle, id)).collect()
        }
        _ => fields_of(pickle, state).map(|fields| vec![fields]),
    };
    match fields {
        Some(fields) => parts.extend(fields.into_iter().map(Part::Fields)),
        None => parts.extend([Part::Name("$state"), Part::Value(state)]),
    }
}

fn fields_of<'p>(pickle: &'p Pickle<'_>, id: Id) -> Option<&'p [(Id, Id)]> {
    match pickle.node(id) {
        Node::None => Some(&[]),
        Node::Dict(entries) if plain_keys(pickle, entries) => Some(entries),
        _ => None,
    }
}

fn json_of(pickle: &Pickle<'_>, id: Id) -> String {
    json::write(pickle, id).unwrap_or_default()
}
