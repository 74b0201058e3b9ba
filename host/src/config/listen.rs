//! Where the instances are going to listen: nowhere twice, and nowhere where somebody else listens already.
//!
//! Which settings are such places, the plugins' schemas say: the formats `listen-address` and `listen-file`, and
//! `x-listens-at` for an instance that is told none. How ports are looked at is the caller's business ([`Ports`]).

use serde_json::Value;

use super::Ports;
use super::mistake::{Findings, Note, Span};
use super::plugin_config::PluginConfig;
use super::raw::FoundTable;

/// A place to listen at, and where the file says so.
pub(super) struct Listening {
    pub place: Listen,
    pub at: Span,
}

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listen {
    /// `host:port`.
    Address(String),
    /// A socket file.
    File(String),
}

/// Where an instance with these settings listens. `found` is the table `config`, if there is one; `header` that of the
/// instance.
pub(super) fn of_instance(
    schema: &Value,
    config: &PluginConfig,
    found: Option<&FoundTable<'_>>,
    header: Span,
) -> Vec<Listening> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut listenings = Vec::new();
    for (name, property) in properties.into_iter().flatten() {
        let text = config.as_value().get(name).and_then(Value::as_str);
        let format = property.get("format").and_then(Value::as_str);
        let place = match (format, text) {
            (Some("listen-address"), Some(text)) => Listen::Address(text.to_owned()),
            (Some("listen-file"), Some(text)) => Listen::File(text.to_owned()),
            _ => continue,
        };
        let written = found.and_then(|found| found.table.get(name.as_str()));
        let at = written.map_or(header.clone(), |value| value.span());
        listenings.push(Listening { place, at });
    }
    let otherwise = schema.get("x-listens-at").and_then(Value::as_str);
    if let Some(address) = otherwise.filter(|_| listenings.is_empty()) {
        listenings.push(Listening {
            place: Listen::Address(address.to_owned()),
            at: header,
        });
    }
    listenings
}

/// Notes what cannot be listened on.
pub(super) fn check(listenings: &[Listening], ports: &dyn Ports, findings: &Findings) {
    for (position, listening) in listenings.iter().enumerate() {
        let earlier = listenings.iter().take(position);
        let mut earlier = earlier.filter(|earlier| meet(&earlier.place, &listening.place));
        match (earlier.next(), &listening.place) {
            (Some(earlier), place) => twice(place, earlier, listening, findings),
            (None, Listen::Address(address)) => {
                if let Some(why) = ports.taken(address) {
                    findings.note(
                        Note::error(why)
                            .at(listening.at.clone(), "cannot be listened on")
                            .help(
                                "end what listens there, or choose another port; \
                                 `patchbay check --offline` does not look",
                            ),
                    );
                }
            }
            (None, Listen::File(_)) => {}
        }
    }
}

fn twice(place: &Listen, earlier: &Listening, listening: &Listening, findings: &Findings) {
    let (Listen::Address(shown) | Listen::File(shown)) = place;
    let line = findings.line(&earlier.at);
    let note = Note::error(format!("`{shown}` is listened on twice"));
    findings.note(note.at(listening.at.clone(), "used before").help(format!(
        "what line {line} belongs to listens there already; give each its own"
    )));
}

/// Whether nobody can listen at both.
fn meet(one: &Listen, other: &Listen) -> bool {
    let (Listen::Address(one), Listen::Address(other)) = (one, other) else {
        return one == other;
    };
    let (Some((host, port)), Some((other_host, other_port))) = (split(one), split(other)) else {
        return false;
    };
    // With port 0 the system chooses one that is free.
    let all = |host: &str| host == "0.0.0.0" || host == "[::]";
    port == other_port && port != 0 && (host == other_host || all(host) || all(other_host))
}

fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = if host == "localhost" {
        "127.0.0.1"
    } else {
        host
    };
    Some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_meet_if_a_connection_could_mean_both() {
        let address = |text: &str| Listen::Address(text.to_owned());
        for (one, other, do_meet) in [
            ("127.0.0.1:9000", "127.0.0.1:9000", true),
            ("localhost:9000", "127.0.0.1:9000", true),
            ("0.0.0.0:9000", "127.0.0.1:9000", true),
            ("10.0.0.1:9000", "[::]:9000", true),
            ("127.0.0.1:9000", "127.0.0.1:9001", false),
            ("127.0.0.1:9000", "10.0.0.1:9000", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("9000", "9000", false),
        ] {
            assert_eq!(
                meet(&address(one), &address(other)),
                do_meet,
                "{one} {other}"
            );
        }
    }
}
