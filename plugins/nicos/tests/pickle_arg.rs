//! What we send is what Python reads, as a pickle and as source.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/python.rs"]
mod python;
#[path = "common/values.rs"]
mod values;

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_nicos::pickle::{Arg, encode};
use python::Python;
use values::{described, for_values};

#[test]
fn python_reads_every_value_that_we_write() {
    let python = RefCell::new(Python::start("pickle_reader.py"));
    for_values(400, |arg| {
        let payload = STANDARD.encode(encode(vec![arg.clone()]));
        let read = python.borrow_mut().ask(&format!("loads {payload}"));
        assert_eq!(read, described(&Arg::Tuple(vec![arg])));
    });
}

#[test]
fn python_evaluates_every_literal_to_the_value() {
    let python = RefCell::new(Python::start("pickle_reader.py"));
    for_values(400, |arg| {
        let source = STANDARD.encode(arg.literal());
        let read = python.borrow_mut().ask(&format!("eval {source}"));
        assert_eq!(read, described(&arg), "{}", arg.literal());
    });
}

#[test]
fn every_number_of_arguments_arrives() {
    let mut python = Python::start("pickle_reader.py");
    for count in (0..6).chain([1_001]) {
        let args: Vec<_> = (0..count).map(Arg::Int).collect();
        let payload = STANDARD.encode(encode(args.clone()));
        assert_eq!(
            python.ask(&format!("loads {payload}")),
            described(&Arg::Tuple(args))
        );
    }
}

// ---- what is sent

#[test]
fn no_arguments_are_an_empty_tuple() {
    assert_eq!(encode(Vec::new()), b"\x80\x02).");
}

#[test]
fn bytes_are_sent_as_they_are() {
    assert_eq!(
        encode(vec![Arg::Bytes(b"\x00\xff".to_vec())]),
        b"\x80\x02B\x02\x00\x00\x00\x00\xff\x85."
    );
}

#[test]
fn a_literal_is_one_line_of_ascii_that_cannot_leave_its_quotes() {
    let text = Arg::from("'\"\\\n\r\0\u{7f}\u{85}\u{2028}\u{1f600}");
    assert_eq!(
        text.literal(),
        r#"'\'"\\\x0a\x0d\x00\x7f\x85\u2028\U0001f600'"#
    );
    assert_eq!(Arg::Bytes(b"'\\\xff".to_vec()).literal(), r"b'\'\\\xff'");
}

#[test]
fn a_tuple_of_one_keeps_its_comma() {
    assert_eq!(Arg::Tuple(vec![Arg::Int(1)]).literal(), "(1,)");
    assert_eq!(Arg::Tuple(Vec::new()).literal(), "()");
}

#[test]
fn numbers_without_a_literal_name_nothing_that_a_script_could_have_changed() {
    assert_eq!(Arg::Float(f64::INFINITY).literal(), "1e999");
    assert_eq!(Arg::Float(f64::NEG_INFINITY).literal(), "-1e999");
    assert_eq!(Arg::Float(f64::NAN).literal(), "(1e999-1e999)");
}
