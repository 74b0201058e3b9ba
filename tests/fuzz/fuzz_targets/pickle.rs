//! Any bytes are refused or give JSON within the limits, which, where it can be sent at all, means the same when read back.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use patchbay_nicos::pickle::{Arg, Limits, decode, encode};
use serde_json::value::RawValue;

fuzz_target!(|payload: &[u8]| -> Corpus {
    let limits = Limits {
        nodes: 20_000,
        output_bytes: 1 << 18,
        ..Limits::default()
    };
    let Ok(value) = decode(payload, &limits) else {
        return Corpus::Keep;
    };
    let raised = value.raised();
    let Ok(json) = value.to_json() else {
        return Corpus::Keep;
    };
    assert!(json.get().len() <= limits.output_bytes);
    let json: Box<RawValue> = json.parse().expect("what is written is JSON");
    if let Some(raised) = raised {
        assert!(json.get().contains("$class"), "{raised:?}");
    }
    if let Ok(arg) = Arg::from_json(&json, &limits) {
        assert!(
            arg.literal()
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~'))
        );
        let again = encode(vec![arg]);
        let roomy = Limits {
            depth: limits.depth + 1,
            input_bytes: usize::MAX,
            ..Limits::default()
        };
        let again = decode(&again, &roomy).and_then(|value| value.to_json());
        assert_eq!(
            again.map(|json| json.get().to_owned()),
            Ok(format!("[{}]", json.get()))
        );
    }
    Corpus::Keep
});
