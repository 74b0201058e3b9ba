//! The page for clients lists what there is. `WRITE_PAGE=1 cargo test -p patchbay-dialect-json` brings it up to date.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on must fail"
)]

use patchbay_sdk::model::{OPS, Op};

const BEGIN: &str =
    "<!-- operations: written from the table in the SDK by a test, which says how -->\n";
const END: &str = "<!-- end of operations -->";

fn row(op: &Op) -> String {
    let (args, reply) = op.doc.split_once(" → ").expect("arguments → reply");
    let urgent = if op.urgent { ", urgent" } else { "" };
    let steers = if op.steers { ", control" } else { "" };
    let args = if args == "{}" {
        String::new()
    } else {
        code(args)
    };
    format!(
        "| `{}` | {}{urgent}{steers} | {args} | {} |\n",
        op.name,
        op.least,
        code_of_reply(reply)
    )
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// What follows a semicolon is a remark.
fn code_of_reply(reply: &str) -> String {
    let (json, remark) = reply.split_once("; ").map_or((reply, ""), |parts| parts);
    match remark {
        "" => code(json),
        remark => format!("{}; {remark}", code(json)),
    }
}

#[test]
fn the_page_lists_every_operation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where operations begin");
    let (_, after) = rest.split_once(END).expect("where operations end");
    let head = "| `op` | for | `args` | answer |\n| --- | --- | --- | --- |\n";
    let rows: String = OPS.iter().map(row).collect();
    let right = format!("{before}{BEGIN}{head}{rows}{END}{after}");
    if std::env::var_os("WRITE_PAGE").is_some() {
        std::fs::write(path, &right).unwrap();
    }
    assert!(
        page == right,
        "README.md is behind the SDK: run this test with WRITE_PAGE=1 once"
    );
}
