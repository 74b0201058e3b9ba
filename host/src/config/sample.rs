//! A configuration to begin with, commented, written from the registry so that it cannot be stale.

use super::key::{Entry, Section};
use super::registry::{FRONTEND, GATEWAY};

/// Everything that most sites need, with the host's other keys as comments. It accepts the plugins `nicos`, `activemq`
/// and `socket` in `plugin_path`.
pub fn sample() -> String {
    let gateway = options(&GATEWAY, &["plugin_path"]);
    let frontend = options(&FRONTEND, &["id", "plugin", "backend", "config", "login"]);
    format!(
        r#"# Patchbay. What each key means: patchbay explain KEY. Is it right: patchbay check THIS-FILE.

[gateway]
# Folders searched for plugins, in this order.
plugin_path = ["/usr/lib/patchbay/plugins"]
{gateway}
# A script server.
[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "127.0.0.1:1301"
# Whose login reads the daemon's events from the start on; without it the first client's does.
# observer = {{ login = "guest", secret = {{ file = "nicos-observer" }} }}

# Clients on this machine: scripts, and the command line (patchbay client).
[[frontend]]
id = "local"
plugin = "socket"
backend = "nicos"
{frontend}[frontend.config]
tcp = "127.0.0.1:1310"

# Clients behind an ActiveMQ broker, such as the IBEX GUI.
# [[frontend]]
# id = "ibex"
# plugin = "activemq"
# backend = "nicos"
# [frontend.config]
# broker = "127.0.0.1:61613"
# queue = "ss_admin"
#
# Old clients send a constant in place of a password. It says who they are; it goes no further.
# [[frontend.login]]
# client_user = "ibex"
# user = "ibex"
# secret = {{ file = "nicos-password" }}
"#
    )
}

/// The keys of a section, as comments with their defaults, without those that stand in the sample anyway.
fn options(section: &Section, written: &[&str]) -> String {
    section
        .keys
        .iter()
        .filter(|key| !written.contains(&key.name()))
        .map(|key| option(*key))
        .collect()
}

fn option(key: &dyn Entry) -> String {
    let default = key.default_text();
    let takes = key.takes().replace('`', "");
    let first = takes
        .split(", ")
        .next()
        .filter(|word| word.starts_with('"'));
    // Words in place of a default say what the key's absence means.
    let shown = match default.starts_with('`') {
        true => default.trim_matches('`'),
        false => first.unwrap_or("\"…\""),
    };
    format!("# {}\n# {} = {shown}\n", key.doc(), key.name())
}
