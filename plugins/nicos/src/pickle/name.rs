//! What classes and functions are called.

use std::borrow::Cow;

use super::Pickle;
use super::node::{Id, Node};
use super::object::{short_text_of, text_of};

/// What a class is called whose name makes no sense.
const UNNAMED: &str = "unnamed";

/// `module.name` of a class or function, as Python 3 calls it.
pub(super) fn global_name(pickle: &Pickle<'_>, id: Id) -> String {
    match pickle.node(id) {
        Node::Global { module, name } => {
            python3_name(&name_part(pickle, *module), &name_part(pickle, *name))
        }
        // Protocols below 4 reach a nested class by getattr(outer, 'Inner').
        Node::Object(object) => match (pickle.node(object.callee), pickle.node(object.args)) {
            (Node::Global { name, .. }, Node::Tuple(args))
                if name_part(pickle, *name) == "getattr" =>
            {
                nested_name(pickle, args)
            }
            _ => UNNAMED.to_owned(),
        },
        _ => UNNAMED.to_owned(),
    }
}

/// Whether a class is named like an exception.
pub(super) fn is_exception(class: &str) -> bool {
    const ENDINGS: [&str; 7] = [
        "Error",
        "Exception",
        "Interrupt",
        "Exit",
        "Iteration",
        "Warning",
        "ExceptionGroup",
    ];
    class.starts_with("nicos.core.errors.") || ENDINGS.iter().any(|ending| class.ends_with(ending))
}

fn name_part<'p>(pickle: &'p Pickle<'_>, id: Id) -> Cow<'p, str> {
    text_of(pickle, id).unwrap_or_default()
}

fn nested_name(pickle: &Pickle<'_>, args: &[Id]) -> String {
    let [outer, inner] = args else {
        return UNNAMED.to_owned();
    };
    match (
        pickle.node(*outer),
        short_text_of(pickle, *inner, pickle.limits.name_bytes),
    ) {
        (Node::Global { module, name }, Some(inner)) => {
            let outer = python3_name(&name_part(pickle, *module), &name_part(pickle, *name));
            format!("{outer}.{inner}")
        }
        _ => UNNAMED.to_owned(),
    }
}

fn python3_name(module: &str, name: &str) -> String {
    let name = match (module, name) {
        ("__builtin__", "unicode") => "str",
        ("__builtin__", "long") => "int",
        ("__builtin__", "xrange") => "range",
        _ => name,
    };
    let module = match module {
        "__builtin__" | "exceptions" => "builtins",
        "copy_reg" => "copyreg",
        _ => module,
    };
    format!("{module}.{name}")
}
