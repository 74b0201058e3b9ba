//! What is wrong: all of it is reported, each with its line and with what would be right.

use super::fake::{check_text, complaint, found, sample};
use patchbay_testkit::golden;
use std::path::Path;

/// The mistakes of a sample, one line each.
fn mistakes(gateway: &str, config: &str, frontend: &str) -> Vec<String> {
    found(&check_text(&sample(gateway, config, frontend)).expect_err("a mistake should be noticed"))
}

/// Asserts on one mistake in `config`, and on what is advised.
fn config_mistake(config: &str, message: &str, advice: &str) {
    let text = sample("", config, "");
    assert_eq!(found(&check_text(&text).expect_err(config)), [message]);
    assert!(complaint(&text).contains(advice), "{}", complaint(&text));
}

/// Asserts on the one message a whole file gets.
fn only_message(text: &str, message: &str, advice: &str) {
    assert_eq!(found(&check_text(text).expect_err(text)), [message]);
    assert!(complaint(text).contains(advice), "{}", complaint(text));
}

/// Compares what a file's mistakes are shown as with a golden file.
fn is_golden(text: &str, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config");
    golden::text(&folder.join(name), &complaint(text));
}

#[test]
fn three_mistakes_are_shown_at_once() {
    is_golden(
        include_str!("../../../tests/golden/config/three.toml"),
        "three.txt",
    );
}

#[test]
fn many_mistakes_are_shown_at_once() {
    is_golden(
        include_str!("../../../tests/golden/config/many.toml"),
        "many.txt",
    );
}

#[test]
fn colours_are_used_only_if_asked_for() {
    let mistakes = check_text("x = 1").unwrap_err();
    assert!(!mistakes.render(false).contains('\u{1b}') && mistakes.render(true).contains('\u{1b}'));
}

#[test]
fn an_empty_file_lacks_a_backend_and_a_frontend() {
    for text in ["", "backend = []\nfrontend = []"] {
        assert_eq!(
            found(&check_text(text).unwrap_err()),
            ["there is no [[backend]]", "there is no [[frontend]]"]
        );
    }
}

#[test]
fn single_brackets_where_double_ones_belong_and_the_other_way_round() {
    let text = sample("", "", "")
        .replace("[[frontend]]", "[frontend]")
        .replace("[gateway]", "[[gateway]]");
    let expected = [
        "1:1 `gateway` must be a table, not a list",
        "9:1 `frontend` must be a list of tables, not a table",
    ];
    assert_eq!(found(&check_text(&text).unwrap_err()), expected);
    let shown = complaint(&text);
    assert!(
        shown.contains("write [gateway], with single brackets"),
        "{shown}"
    );
    assert!(
        shown.contains("write [[frontend]], with double brackets, once for each"),
        "{shown}"
    );
}

#[test]
fn a_file_that_is_not_toml_says_where() {
    let shown = complaint("[gateway]\nname = \"x\nlog_level = \n[backend\n");
    for (place, why) in [
        ("2:10", "invalid basic string"),
        ("3:13", "string values must be quoted"),
        ("4:9", "unclosed table"),
    ] {
        assert!(
            shown.contains(&format!("/etc/patchbay.toml:{place}\n")) && shown.contains(why),
            "{shown}"
        );
    }
    assert!(
        shown.contains("once the file is valid TOML, the rest of it is checked"),
        "{shown}"
    );
}

#[test]
fn a_key_written_twice_does_not_hide_the_other_mistakes() {
    let expected = [
        "3:1 this key is there twice",
        "4:1 unknown key `nam` in [gateway]",
    ];
    assert_eq!(
        mistakes("name = 'x'\nname = 'y'\nnam = 'z'", "", ""),
        expected
    );
}

#[test]
fn wrong_types_are_named() {
    let wrong = "name = 1\nplugin_path = 'here'\nlog_format = 7\nmax_sessions = 1.5";
    let expected = [
        "2:8 `name` must be a text, not a whole number",
        "3:15 `plugin_path` must be a list of folders, not a text",
        "4:14 `log_format` must be a text, not a whole number",
        "5:16 `max_sessions` must be a whole number, not a decimal number",
    ];
    assert_eq!(mistakes(wrong, "", ""), expected);
}

#[test]
fn texts_must_be_texts_of_one_line() {
    let expected = [
        "2:8 `name` must not be empty",
        "13:12 `max_role` must be one of \"view\", \"user\", \"expert\", \"admin\"",
    ];
    assert_eq!(mistakes("name = ''", "", "max_role = ''"), expected);
    assert_eq!(
        mistakes("name = \"a\\u0007\"", "", ""),
        ["2:8 `name` must be one line of plain text"]
    );
}

#[test]
fn numbers_too_large_for_any_machine_are_out_of_range() {
    assert_eq!(
        mistakes("max_sessions = 99999999999999999999", "", ""),
        ["2:16 `max_sessions` must be from 1 to 100000"]
    );
}

#[test]
fn the_waits_between_restarts_must_not_shrink() {
    let shown = complaint(&sample("restart_backoff_min_ms = 60000", "", ""));
    assert!(
        shown.contains("the wait would have to grow from 60000 to 30000 ms"),
        "{shown}"
    );
}

#[test]
fn ids_are_short_and_plain() {
    for (id, better) in [
        ("Über", "id = \"ber\""),
        ("-x", "id = \"x\""),
        ("a_b", "id = \"a-b\""),
        (&"x".repeat(33), "at most 32"),
    ] {
        let text = sample("", "", "").replace("'ibex'", &format!("'{id}'"));
        only_message(&text, &format!("10:6 `{id}` cannot be an id"), better);
    }
}

#[test]
fn a_backend_and_a_frontend_may_not_share_an_id() {
    let text = sample("", "", "").replace("'ibex'", "'nicos'");
    only_message(
        &text,
        "10:6 the id `nicos` is used twice",
        "it is that of line 4 already",
    );
}

#[test]
fn a_route_to_a_frontend_leads_nowhere() {
    let text = sample("", "", "").replace("backend = 'nicos'", "backend = 'ibex'");
    only_message(
        &text,
        "12:11 there is no [[backend]] with the id `ibex`",
        "the backends are `nicos`",
    );
}

#[test]
fn a_plugin_that_is_not_there_is_complained_about_with_the_files_tried() {
    let text = sample("plugin_path = ['more', '/opt']", "", "")
        .replace("plugin = 'nicos'", "plugin = 'tango'");
    only_message(
        &text,
        "5:10 plugin `tango` cannot be used",
        "/etc/more/tango",
    );
    assert!(complaint(&text).contains("/opt/tango"));
}

#[test]
fn a_plugin_with_a_broken_schema_is_its_authors_fault() {
    let text = sample("", "", "").replace("plugin = 'nicos'", "plugin = 'broken'");
    only_message(
        &text,
        "3:1 the plugin's schema is not valid",
        "tell the plugin's author",
    );
}

#[test]
fn settings_are_held_against_the_plugins_schema() {
    config_mistake(
        "prot = 1",
        "8:1 unknown key `prot` in `config`",
        "did you mean `port`?",
    );
    config_mistake(
        "port = 'x'",
        "8:8 `config.port` must be a whole number from 0 to 65535",
        "this is a text",
    );
    config_mistake(
        "port = -1",
        "8:8 `config.port` must be a whole number from 0 to 65535",
        "too small",
    );
    config_mistake(
        "mode = 'quick'",
        "8:8 `config.mode` must be \"slow\" or \"quickest\"",
        "did you mean \"quickest\"?",
    );
    config_mistake(
        "mode = 1",
        "8:8 `config.mode` must be \"slow\" or \"quickest\"",
        "none of these",
    );
    config_mistake(
        "lanes = 1",
        "8:9 `config.lanes` must be a list, each entry { name = … }",
        "this is a whole number",
    );
    config_mistake(
        "port = nan",
        "8:8 this number does not fit into JSON",
        "cannot be passed to the plugin",
    );
}

#[test]
fn settings_are_checked_at_any_depth() {
    let lane = "[[backend.config.lanes]]\nname = 'a'\n[[backend.config.lanes]]\n";
    config_mistake(
        &format!("{lane}depth = 1"),
        "10:1 `name` is missing in `config.lanes[1]`",
        "add `name`, a text",
    );
    config_mistake(
        &format!("{lane}name = ''"),
        "11:8 `config.lanes[1].name` must not be empty",
        "",
    );
    config_mistake(
        &format!("{lane}name = 'b'\ndeph = 1"),
        "12:1 unknown key `deph` in `config.lanes[1]`",
        "`depth`",
    );
}

#[test]
fn settings_that_are_missing_altogether_are_asked_for() {
    let text = sample("", "", "").replace("[backend.config]\naddress = 'here'\n", "");
    only_message(
        &text,
        "3:1 `address` is missing in `config`",
        "Host and port of the NICOS daemon.",
    );
    let text =
        sample("", "", "").replace("[backend.config]\naddress = 'here'\n", "config = 'here'\n");
    only_message(
        &text,
        "6:10 `config` must be a table, not a text",
        "for example: config = { … }",
    );
}

#[test]
fn alternatives_are_all_named_unless_it_is_plain_which_was_meant() {
    let all = "8:12 `config.password` must be { file = … } or { env = … } or { value = … }";
    config_mistake("password = 'x'", all, "none of these");
    config_mistake("password = { fil = 'x' }", all, "none of these");
    config_mistake(
        "password = { file = 1 }",
        "8:21 `config.password.file` must be a text",
        "this is a whole number",
    );
}

#[test]
fn the_tag_tells_which_alternative_was_meant() {
    config_mistake(
        "way = { kind = 'tls' }",
        "8:7 `ca` is missing in `config.way`",
        "add `ca`, a text",
    );
    config_mistake(
        "way = { kind = 'tsl', ca = 'x' }",
        "8:7 `config.way` must be { kind = \"plain\", host = … } or { kind = \"tls\", ca = … }",
        "none of these",
    );
}

#[test]
fn what_is_wrong_for_two_reasons_is_reported_once() {
    config_mistake(
        "level = 1",
        "8:9 `config.level` must be \"guest\" or \"admin\"",
        "this is a whole number",
    );
}

#[test]
fn logins_are_complete_and_each_can_be_reached() {
    let login = "[[frontend.login]]\nclient_user = 'a'\nuser = 'b'\nsecret.env = 'PATH'\n";
    let incomplete = "[[frontend.login]]\nsecret = {}\n";
    let expected = [
        "17:1 this login of `a` is never reached",
        "21:1 `client_user` is missing in [[frontend.login]]",
        "21:1 `user` is missing in [[frontend.login]]",
        "22:10 a secret comes from exactly one place",
    ];
    assert_eq!(
        mistakes("", "", &format!("{login}{login}{incomplete}")),
        expected
    );
}

#[test]
fn a_frontend_that_nobody_can_use_is_warned_about() {
    let checked = check_text(&sample("", "", "unmapped_logins = 'refuse'")).unwrap();
    assert_eq!(
        found(&checked.warnings),
        ["13:19 nobody can log in at this frontend"]
    );
}

#[test]
fn nobody_elsewhere_may_ask_how_the_gateway_is() {
    for (address, why) in [
        ("0.0.0.0:9310", "other machines could reach this"),
        ("[::]:9310", "other machines could reach this"),
        ("192.168.1.1:9310", "other machines could reach this"),
        ("127.0.0.1", "not an address with a port"),
        ("gateway:9310", "not an address with a port"),
    ] {
        let text = sample(&format!("admin_listen = '{address}'"), "", "");
        let said = complaint(&text);
        assert!(said.contains(why), "{address}: {said}");
        assert!(said.contains("admin_listen = \"127.0.0.1:9310\""), "{said}");
    }
    for address in [
        "127.0.0.1:0",
        "localhost:9310",
        "[::1]:9310",
        "off",
        "/run/admin.sock",
    ] {
        let text = sample(&format!("admin_listen = '{address}'"), "", "");
        assert!(check_text(&text).is_ok(), "{address}");
    }
}
