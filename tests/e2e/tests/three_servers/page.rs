//! The README's table of operations and servers is what the servers say.

use crate::ops::support;
use crate::{trio, turn};
use patchbay_sdk::model::OPS;
use serde_json::Value;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
const BEGIN: &str = "<!-- servers: written by a test from what the running servers say; tests/e2e/tests/three_servers -->\n";
const END: &str = "<!-- end of servers -->";
const HEAD: &str = "\
| operation | [NICOS](plugins/nicos/README.md) | [RE Manager](plugins/queueserver/README.md) | [Python](plugins/python/README.md) |
| --- | --- | --- | --- |
";

/// Reasons, in the order of their numbers.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, why: &str) -> usize {
        let known = self.0.iter().position(|note| note == why);
        known.unwrap_or_else(|| {
            self.0.push(why.to_owned());
            self.0.len() - 1
        }) + 1
    }
}

fn cell(said: &Value, notes: &mut Notes) -> String {
    match said.as_object().and_then(|said| said.iter().next()) {
        None => said.as_str().expect("`native`").to_owned(),
        Some((how, why)) if how == "unsupported" => {
            let number = notes.number(why.as_str().unwrap());
            format!("– <sup>{number}</sup>")
        }
        Some((how, _)) => how.clone(),
    }
}

fn table(servers: &[Value; 3]) -> String {
    let mut notes = Notes::default();
    let rows = OPS.iter().map(|op| {
        let cells = servers
            .each_ref()
            .map(|said| cell(&said[op.name], &mut notes));
        format!("| `{}` | {} |\n", op.name, cells.join(" | "))
    });
    let rows: String = rows.collect();
    let notes = notes.0.iter().enumerate();
    let notes = notes.map(|(number, why)| format!("{}. {why}\n", number + 1));
    format!("{HEAD}{rows}\n{}", notes.collect::<String>())
}

#[test]
fn the_readme_says_of_each_operation_what_each_server_says() {
    let trio = trio();
    let right = table(&support(&turn(&trio)));
    let page = std::fs::read_to_string(README).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where servers begin");
    let (there, after) = rest.split_once(END).expect("where servers end");
    if std::env::var_os("WRITE_PAGE").is_some() {
        std::fs::write(README, format!("{before}{BEGIN}{right}{END}{after}")).unwrap();
        return;
    }
    assert!(
        there == right,
        "README.md does not say what the servers say; once, run\n  \
         WRITE_PAGE=1 cargo test -p patchbay-e2e --test three_servers readme\nThey say:\n{right}"
    );
}
