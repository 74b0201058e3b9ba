//! The page of all metrics, METRICS.md, written from what is registered.

use super::Metrics;
use std::fmt::Write;

/// What stands before and behind the table.
const BEFORE: &str = include_str!("before.md");
const BEHIND: &str = include_str!("behind.md");

/// The whole page.
pub fn page() -> String {
    let metrics = Metrics::default();
    let mut page =
        format!("{BEFORE}\n| name | type | labels | meaning |\n| --- | --- | --- | --- |\n");
    for row in &metrics.rows {
        let labels = row.labels.join(", ");
        // Writing to a String does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {labels} | {} |",
            row.name, row.kind, row.help
        );
    }
    page.push('\n');
    page.push_str(BEHIND);
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_what_is_registered() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/METRICS.md");
        let page = super::page();
        if std::env::var_os("PATCHBAY_WRITE_PAGES").is_some() {
            std::fs::write(file, &page).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            written == page,
            "host/METRICS.md is not what is registered; PATCHBAY_WRITE_PAGES=1 cargo test -p patchbay --lib page writes it"
        );
    }
}
