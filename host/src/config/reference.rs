//! The reference page, written from the registry so that it cannot be stale.

use super::key::{Entry, Section};
use super::registry::SECTIONS;

/// Every key with its type, range, default and meaning, as a Markdown page.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\n\
         One TOML file of at most 1 MiB. Unknown keys are refused. A relative path counts from the folder of the file.\n",
    );
    for section in SECTIONS {
        page.push_str(&part(section));
    }
    page
}

fn part(section: &Section) -> String {
    let rows: String = section.keys.iter().map(|key| row(*key)).collect();
    format!(
        "\n## {}\n\n{}\n\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n{rows}",
        heading(section.title),
        section.doc
    )
}

fn heading(title: &str) -> String {
    let code = title.contains(['[', '=']);
    if code {
        format!("`{title}`")
    } else {
        capitalised(title)
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

fn row(key: &dyn Entry) -> String {
    format!(
        "| `{}` | {} | {} | {} |\n",
        key.name(),
        key.takes(),
        key.default_text(),
        key.doc()
    )
}
