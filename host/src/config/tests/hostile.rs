//! Files that were not meant well, or are not configurations at all.

use std::path::Path;

use proptest::prelude::*;

use super::fake::{Fake, check_text, found, sample};
use crate::config::{Severity, load};

fn load_bytes(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, bytes).unwrap();
    load(&file, &Fake)
        .unwrap_err()
        .iter()
        .map(|mistake| mistake.message.clone())
        .collect()
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let mistakes = load(Path::new("/no/such/patchbay.toml"), &Fake).unwrap_err();
    assert!(
        mistakes
            .to_string()
            .contains("cannot read the configuration: "),
        "{mistakes}"
    );
    assert!(
        mistakes.to_string().contains("/no/such/patchbay.toml"),
        "{mistakes}"
    );
    let mistakes = load(Path::new("/"), &Fake).unwrap_err();
    assert_eq!(
        found(&mistakes),
        ["cannot read the configuration: it is not a regular file"]
    );
}

#[test]
fn a_file_larger_than_1_mib_is_not_looked_at() {
    assert_eq!(
        load_bytes(&vec![b'\n'; (1 << 20) + 1]),
        "the configuration is larger than 1 MiB"
    );
    assert!(load_bytes(&vec![b'\n'; 1 << 20]).contains("there is no [[backend]]"));
}

#[test]
fn a_file_that_is_not_text_says_in_which_line() {
    assert_eq!(
        load_bytes(b"a = 1\nb = \"\xff\""),
        "the configuration is not UTF-8 text: see line 2"
    );
}

#[test]
fn mistakes_beyond_a_hundred_are_only_counted() {
    let keys: String = (0..5_000).map(|n| format!("key{n} = 1\n")).collect();
    let mistakes = check_text(&keys).unwrap_err();
    assert_eq!(mistakes.count(Severity::Error), 100);
    assert!(
        mistakes
            .to_string()
            .ends_with(": 100 mistakes, and 4902 more\n")
    );
}

#[test]
fn deep_nesting_is_refused_by_the_parser() {
    let text = sample(
        "",
        &format!("deep = {}1{}", "[".repeat(50_000), "]".repeat(50_000)),
        "",
    );
    assert!(
        check_text(&text)
            .unwrap_err()
            .to_string()
            .contains("this is not TOML")
    );
}

#[test]
fn a_very_long_line_is_cut_when_shown() {
    let text = sample("", &format!("address2 = '{}'", "x".repeat(500_000)), "");
    assert!(check_text(&text).unwrap_err().to_string().len() < 2_000);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let shown = check_text("\"\\u001b[31m\" = 1\n[gateway]\nlog_level = \"\\u001b[2J\"\n")
        .unwrap_err()
        .to_string();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

/// Pieces of TOML that make interesting wholes.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "'",
        "\"",
        "\"\"\"",
        "\n",
        "\r\n",
        " ",
        "#",
        "\u{feff}",
        "é",
        "\u{1F600}",
        "[gateway]\n",
        "[[backend]]\n",
        "[[frontend]]\n",
        "[backend.config]\n",
        "[[frontend.login]]\n",
        "id = 'nicos'\n",
        "plugin = 'nicos'\n",
        "plugin = 'activemq'\n",
        "backend = 'nicos'\n",
        "config",
        "secret = ",
        "{ file = 'é' }",
        "value",
        "max_sessions = ",
        "-1",
        "nan",
        "1e999",
        "0xffff_ffff_ffff_ffff",
        "12:00:00",
        "true",
        "address = 'x'\n",
        "lanes = [{}]\n",
    ];
    prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        let result = check_text(&pieces.concat());
        let mistakes = result.map_or_else(|mistakes| mistakes, |checked| checked.warnings);
        mistakes.render(true);
    }

    #[test]
    fn no_sample_with_a_piece_cut_out_makes_it_panic(from in 0usize..600, length in 0usize..40) {
        let text = include_str!("../../../tests/golden/config/many.toml");
        let kept = text.chars().enumerate().filter(|(at, _)| !(from..from + length).contains(at));
        let mistakes = check_text(&kept.map(|(_, c)| c).collect::<String>()).unwrap_err();
        let shown = mistakes.render(false);
        prop_assert!(!shown.is_empty());
    }
}
