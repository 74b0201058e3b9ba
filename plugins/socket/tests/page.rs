//! The page for clients shows the program that the tests run.

#![allow(clippy::expect_used, reason = "a test that cannot go on must fail")]

#[test]
fn the_page_shows_the_client_in_python() {
    let page = include_str!("../README.md");
    let (_, rest) = page.split_once("```python\n").expect("a program");
    let (shown, _) = rest.split_once("```").expect("its end");
    assert_eq!(shown, include_str!("../examples/client.py"));
    assert!(shown.lines().count() <= 20, "it is meant to be short");
}
