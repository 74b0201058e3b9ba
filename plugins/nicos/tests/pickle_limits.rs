//! Hostile payloads end quickly with an error that names what was wrong; none is run, none exhausts memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_nicos::pickle::{Limits, PickleError, decode};

fn outcome(payload: &[u8]) -> Result<String, PickleError> {
    let limits = Limits::default();
    Ok(decode(payload, &limits)?.to_json()?.get().to_owned())
}

fn outcome_within(payload: &[u8], limits: &Limits) -> Result<String, PickleError> {
    Ok(decode(payload, limits)?.to_json()?.get().to_owned())
}

fn repeated(start: &[u8], middle: &[u8], times: usize, end: &[u8]) -> Vec<u8> {
    [start, &middle.repeat(times), end].concat()
}

fn exceeded(what: &'static str, limit: usize) -> Result<String, PickleError> {
    Err(PickleError::Limit { what, limit })
}

#[test]
fn a_payload_longer_than_allowed_is_not_even_looked_at() {
    let limits = Limits {
        input_bytes: 10,
        ..Limits::default()
    };
    assert_eq!(
        outcome_within(&[0; 11], &limits),
        exceeded("bytes in one payload", 10)
    );
}

#[test]
fn thousands_of_nested_lists_exceed_the_depth() {
    let nested = repeated(b"\x80\x02", b"]", 2_000, &repeated(b"", b"a", 1_999, b"."));
    assert_eq!(outcome(&nested), exceeded("levels of nesting", 100));
}

#[test]
fn the_depth_is_that_of_the_json() {
    let nested = repeated(b"", b"]", 100, &repeated(b"", b"a", 99, b"."));
    assert_eq!(outcome(&nested).unwrap().len(), 200);
    let one_more = repeated(b"", b"]", 101, &repeated(b"", b"a", 100, b"."));
    assert_eq!(outcome(&one_more), exceeded("levels of nesting", 100));
}

#[test]
fn doubled_tuples_exceed_the_values() {
    let doubled = repeated(b"\x80\x02K\x01", b"2\x86", 30, b".");
    assert_eq!(outcome(&doubled), exceeded("values", 500_000));
}

#[test]
fn a_list_used_many_times_exceeds_the_values() {
    // Twelve levels, each ten times the one before.
    let level = [&b"q\x00(h\x00"[..], &b"h\x00".repeat(9), b"tq\x00"].concat();
    let laughs = repeated(b"\x80\x02(K\x01", &level, 12, b"t.");
    assert_eq!(outcome(&laughs), exceeded("values", 500_000));
}

#[test]
fn one_long_text_used_many_times_exceeds_the_bytes() {
    let text = [b"\x80\x02(X\x00\x00\x01\x00", &[b'x'; 65_536][..], b"q\x00"].concat();
    let repeated = repeated(&text, b"h\x00", 1_000, b"t.");
    assert_eq!(outcome(&repeated), exceeded("bytes of JSON", 16 << 20));
}

#[test]
fn a_long_buffer_that_is_looked_at_many_times_exceeds_the_bytes() {
    // A scalar whose buffer is far too long prints little; it is the reading that costs.
    let dtype = b"cnumpy\ndtype\n(X\x02\x00\x00\x00u1tRq\x00";
    let buffer = [b"B\x00\x00\x01\x00", &[0; 65_536][..], b"q\x01"].concat();
    let array = b"cnumpy.core.numeric\n_frombuffer\n(h\x01h\x00(J\x00\x00\x01\x00tX\x01\x00\x00\x00CtRq\x02";
    let payload = repeated(
        &[b"\x80\x03(", &dtype[..], &buffer, array].concat(),
        b"h\x02",
        1_000,
        b"t.",
    );
    let limits = Limits {
        output_bytes: 1 << 20,
        nodes: usize::MAX,
        ..Limits::default()
    };
    assert_eq!(
        outcome_within(&payload, &limits),
        exceeded("bytes of JSON", 1 << 20)
    );
}

/// A text that is put on the memo as number 0 and taken off the stack.
fn long_text() -> Vec<u8> {
    [&b"X\x00\x00\x10\x00"[..], &[b'x'; 1 << 20], b"q\x000"].concat()
}

#[test]
fn names_and_codes_that_print_nothing_are_not_looked_at_when_long() {
    let text = long_text();
    // A class with a name of a megabyte; one found by getattr; a NumPy scalar whose byte order is that text.
    let class = [&b"\x80\x04"[..], &text, b"h\x00h\x00\x93."].concat();
    assert!(matches!(
        outcome(&class),
        Err(PickleError::Malformed { .. })
    ));
    let getattr = b"c__builtin__\ngetattr\n(cm\nC\nh\x00tR)R";
    let getattr = [&b"\x80\x02"[..], &text, getattr, b"."].concat();
    assert_eq!(outcome(&getattr).unwrap(), r#"{"$class":"unnamed"}"#);
    let dtype = b"cnumpy\ndtype\n(X\x02\x00\x00\x00u1tR(K\x03h\x00tb";
    let scalar = [
        &b"cnumpy.core.multiarray\nscalar\n("[..],
        dtype,
        b"C\x01\x07tR",
    ]
    .concat();
    let scalars = repeated(
        &[&b"\x80\x03"[..], &text, b"(", &scalar, b"q\x01"].concat(),
        b"h\x01",
        100_000,
        b"t.",
    );
    assert!(outcome(&scalars).unwrap().starts_with("[7,7,"));
}

#[test]
fn a_uuid_with_a_crowded_state_is_shown_as_it_is() {
    let crowd = b"K\x01K\x01".repeat(20);
    let uuid = [
        &b"\x80\x02cuuid\nUUID\n)\x81}(X\x03\x00\x00\x00intK\x05"[..],
        &crowd,
        b"ub.",
    ]
    .concat();
    assert!(outcome(&uuid).unwrap().contains("$state"));
}

#[test]
fn a_megabyte_of_memos_ends_at_once() {
    let memos = repeated(b"\x80\x04K\x01", b"\x94", 1 << 20, b".");
    assert_eq!(outcome(&memos), exceeded("values", 500_000));
}

#[test]
fn an_exception_with_very_many_arguments_is_read_once() {
    let many = repeated(
        b"\x80\x02cexceptions\nValueError\n(",
        b"K\x01",
        400_000,
        b"tR.",
    );
    let pickle = decode(&many, &Limits::default()).unwrap();
    assert!(pickle.raised().unwrap().text.starts_with("[1,1,"));
}

#[test]
fn a_megabyte_of_marks_ends_at_once() {
    let marks = repeated(b"\x80\x02", b"(", 1 << 20, b".");
    assert_eq!(outcome(&marks), exceeded("values", 500_000));
}

#[test]
fn a_megabyte_of_empty_lists_ends_at_once() {
    let lists = repeated(b"\x80\x02(", b"]", 1 << 20, b"t.");
    assert_eq!(outcome(&lists), exceeded("values", 500_000));
}

#[test]
fn an_integer_of_a_million_digits_is_refused() {
    let text = repeated(b"L", b"9", 1_000_000, b"L\n.");
    assert_eq!(outcome(&text), exceeded("bytes in one integer", 256));
    let binary = [b"\x80\x02\x8b\x40\x42\x0f\x00", &[7; 1_000_000][..], b"."].concat();
    assert_eq!(outcome(&binary), exceeded("bytes in one integer", 256));
}

#[test]
fn a_memo_index_of_four_billion_costs_nothing() {
    assert_eq!(
        outcome(b"\x80\x02K\x05r\xff\xff\xff\xff0j\xff\xff\xff\xff.").unwrap(),
        "5"
    );
}

#[test]
fn a_length_beyond_the_payload_is_an_early_end() {
    for start in [&b"\x80\x02X"[..], b"\x80\x02T", b"\x80\x03B"] {
        let payload = [start, b"\xff\xff\xff\x7fabc."].concat();
        assert_eq!(
            outcome(&payload),
            Err(PickleError::Truncated { at: payload.len() })
        );
    }
    let payload = b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.";
    assert_eq!(
        outcome(payload),
        Err(PickleError::Truncated { at: payload.len() })
    );
}

#[test]
fn a_value_that_contains_itself_is_an_error() {
    assert_eq!(
        outcome(b"\x80\x02]q\x00h\x00a."),
        Err(PickleError::Recursive)
    );
    assert_eq!(
        outcome(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."),
        Err(PickleError::Recursive)
    );
    assert_eq!(
        outcome(b"\x80\x02cm\nC\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb."),
        Err(PickleError::Recursive)
    );
}

#[test]
fn a_class_that_would_run_a_command_is_only_a_name() {
    let json = outcome(b"cposix\nsystem\n(S'touch /tmp/owned'\ntR.").unwrap();
    assert_eq!(
        json,
        r#"{"$class":"posix.system","$args":["touch /tmp/owned"]}"#
    );
}

#[test]
fn what_lies_outside_the_payload_is_refused() {
    let refused = |payload: &[u8]| match outcome(payload) {
        Err(PickleError::Refused { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"Pid\n."), "a persistent id");
    assert_eq!(refused(b"\x80\x02NQ."), "a persistent id");
    assert_eq!(refused(b"\x80\x02\x82\x01."), "the extension registry");
    assert_eq!(refused(b"\x80\x05\x97."), "an out-of-band buffer");
}

#[test]
fn instructions_that_do_not_fit_together_are_malformed() {
    let malformed: [&[u8]; 16] = [
        b".",
        b"\x80\x06N.",
        b"NN.",
        b"(.",
        b"N.N",
        b"0.",
        b"2.",
        b"t.",
        b"Na.",
        b"NNs.",
        b"](NNe0.",
        b"(Nd.",
        b"NN\x93.",
        b"N)R.",
        b"cm\nC\nNR.",
        b"h\x00.",
    ];
    for payload in malformed {
        assert!(
            matches!(outcome(payload), Err(PickleError::Malformed { .. })),
            "{payload:?}: {:?}",
            outcome(payload)
        );
    }
    assert_eq!(
        outcome(b"\xff."),
        Err(PickleError::UnknownOpcode { code: 0xff, at: 0 })
    );
}

#[test]
fn every_truncation_of_a_payload_is_an_error() {
    let payload = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01X\x01\x00\x00\x00bq\x02cuuid\nUUID\nq\x03)\x81q\x04u.";
    assert!(outcome(payload).is_ok());
    for length in 0..payload.len() {
        assert!(outcome(&payload[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn random_bytes_never_do_more_than_fail() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let length = random.usize(..200);
        let payload: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        let _ = outcome(&payload);
    }
}

#[test]
fn damaged_payloads_never_do_more_than_fail() {
    let golden = include_str!("golden/numpy.txt");
    let mut random = fastrand::Rng::with_seed(11);
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let payload = line.split(' ').nth(2).unwrap();
        let payload =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload).unwrap();
        for _ in 0..300 {
            let mut damaged = payload.clone();
            let at = random.usize(..damaged.len());
            damaged[at] = random.u8(..);
            let _ = outcome(&damaged);
        }
    }
}
