//! What a JSON schema asks for, in words.

use serde_json::Value;

/// References and alternatives are followed this far; a schema can refer to itself.
const DEPTH: usize = 4;

/// A part of a schema together with the whole, in which references are looked up.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    root: &'a Value,
    node: &'a Value,
}

impl<'a> Schema<'a> {
    pub(super) fn whole(root: &'a Value) -> Self {
        Self { root, node: root }
    }

    /// The part that holds the keyword at this JSON pointer; the whole if there is no such part.
    pub(super) fn parent_of(&self, keyword: &str) -> Self {
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.at(self.root.pointer(parent).unwrap_or(self.root))
    }

    /// The names of the properties it knows.
    pub(super) fn properties(&self) -> Vec<&'a str> {
        let properties = self.node.get("properties").and_then(Value::as_object);
        properties
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }

    /// The schema of one property.
    pub(super) fn property(&self, name: &str) -> Option<Self> {
        self.node
            .get("properties")?
            .get(name)
            .map(|node| self.at(node))
    }

    /// The author's description.
    pub(super) fn doc(&self) -> Option<&'a str> {
        self.node.get("description").and_then(Value::as_str)
    }

    /// `a whole number from 1 to 65535`; empty if it says nothing that can be put into words.
    pub(super) fn describe(&self) -> String {
        self.describe_to(DEPTH)
    }

    /// The texts it accepts, if it accepts only certain ones.
    pub(super) fn words(&self) -> Vec<&'a str> {
        self.words_to(DEPTH)
    }

    fn at(&self, node: &'a Value) -> Self {
        Self {
            root: self.root,
            node,
        }
    }

    fn list(&self, keyword: &str) -> Vec<Self> {
        let list = self.node.get(keyword).and_then(Value::as_array);
        list.map(|list| list.iter().map(|node| self.at(node)).collect())
            .unwrap_or_default()
    }

    fn referred(&self) -> Option<Self> {
        let pointer = self.node.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer).map(|node| self.at(node))
    }

    fn alternatives(&self) -> Vec<Self> {
        [
            self.list("oneOf"),
            self.list("anyOf"),
            self.referred().into_iter().collect(),
        ]
        .concat()
    }

    fn words_to(&self, depth: usize) -> Vec<&'a str> {
        let options = self
            .node
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let own = options
            .chain(self.node.get("const"))
            .filter_map(Value::as_str);
        let deeper = self.alternatives().into_iter().filter(|_| depth > 0);
        own.chain(deeper.flat_map(|other| other.words_to(depth.saturating_sub(1))))
            .collect()
    }

    fn describe_to(&self, depth: usize) -> String {
        let options = self
            .node
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let own = options
            .chain(self.node.get("const"))
            .filter(|value| !value.is_null())
            .map(Value::to_string);
        let deeper = self.alternatives().into_iter().filter(|_| depth > 0);
        let mut words: Vec<String> = own
            .chain(deeper.map(|other| other.describe_to(depth.saturating_sub(1))))
            .collect();
        if words.is_empty() {
            words = self
                .types()
                .into_iter()
                .map(|name| self.typed(name, depth))
                .collect();
        }
        words.retain(|word| !word.is_empty());
        words.dedup();
        words.join(" or ")
    }

    fn types(&self) -> Vec<&'a str> {
        match self.node.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// One of JSON's types as TOML calls it. TOML has no null.
    fn typed(&self, name: &str, depth: usize) -> String {
        match name {
            "integer" => format!("a whole number{}", self.range()),
            "number" => format!("a number{}", self.range()),
            "string" => "a text".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" => self.list_of(depth),
            "object" => self.table_with(),
            _ => String::new(),
        }
    }

    fn list_of(&self, depth: usize) -> String {
        let item = self.node.get("items").filter(|_| depth > 0);
        let item = item.map(|item| self.at(item).describe_to(depth.saturating_sub(1)));
        match item.filter(|item| !item.is_empty()) {
            Some(item) => format!("a list, each entry {item}"),
            None => "a list".to_owned(),
        }
    }

    fn table_with(&self) -> String {
        let required = self
            .node
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let names: Vec<String> = required
            .filter_map(Value::as_str)
            .map(|name| self.entry(name))
            .collect();
        if names.is_empty() {
            "a table".to_owned()
        } else {
            format!("{{ {} }}", names.join(", "))
        }
    }

    /// `port = …`, or `kind = "tls"` where only one value will do.
    fn entry(&self, name: &str) -> String {
        let tag = self
            .property(name)
            .and_then(|property| property.node.get("const"));
        tag.map_or_else(|| format!("{name} = …"), |tag| format!("{name} = {tag}"))
    }

    fn range(&self) -> String {
        let bound = |inclusive, exclusive, word| {
            let bound = self.node.get(inclusive).map(|bound| bound.to_string());
            bound.or_else(|| {
                self.node
                    .get(exclusive)
                    .map(|bound| format!("{word} {bound}"))
            })
        };
        match (
            bound("minimum", "exclusiveMinimum", "above"),
            bound("maximum", "exclusiveMaximum", "below"),
        ) {
            (Some(min), Some(max)) => format!(" from {min} to {max}"),
            (Some(min), None) => format!(", at least {min}").replace("at least above", "above"),
            (None, Some(max)) => format!(", at most {max}").replace("at most below", "below"),
            (None, None) => String::new(),
        }
    }
}
