//! What is right, and what it means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, check_text, sample};
use crate::broker::Snapshots;
use crate::config::registry::SECTIONS;
use crate::config::{
    AdminAddress, Authority, LogFormat, LogLevel, UnmappedLogins, load, reference,
};
use patchbay_sdk::Role;

const IDEAL: &str = include_str!("../../../tests/golden/config/ideal.toml");

#[test]
fn every_key_of_the_ideal_sample_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, IDEAL).unwrap();
    std::fs::write(folder.path().join("viewer.secret"), "s3cret\n").unwrap();
    let checked = load(&file, &Fake).unwrap();

    let gateway = &checked.gateway;
    assert_eq!(gateway.name, "zoom");
    assert_eq!(
        gateway.plugin_path,
        [
            folder.path().join("plugins"),
            PathBuf::from("/opt/patchbay")
        ]
    );
    let trusted = folder.path().join("trusted-plugins");
    assert_eq!(gateway.trusted_plugins, Some(trusted));
    assert_eq!(gateway.control_group.as_deref(), Some("operators"));
    assert_eq!(
        (gateway.log_level, gateway.log_format),
        (LogLevel::Debug, LogFormat::Json)
    );
    let admin = AdminAddress::Tcp(([127, 0, 0, 1], 9310).into());
    assert_eq!(gateway.admin, admin);
    let deadlines = &gateway.deadlines;
    let seconds = [
        deadlines.request,
        deadlines.long,
        deadlines.login,
        deadlines.start,
        deadlines.shutdown,
    ];
    assert_eq!(seconds, [31, 7200, 11, 12, 13].map(Duration::from_secs));
    let limits = &gateway.limits;
    let counts = [
        limits.sessions,
        limits.in_flight,
        limits.in_flight_per_session,
        limits.body_bytes,
    ];
    assert_eq!(counts, [50, 500, 5, 1 << 20]);
    assert_eq!(limits.logins_pending, 6);
    assert_eq!(
        (limits.logins_per_s, limits.logins_per_s_and_client),
        (70, 7)
    );
    assert_eq!(
        (gateway.journal.bytes, gateway.journal.age),
        (1 << 20, Duration::from_secs(60))
    );
    let snapshots = &gateway.snapshots;
    let times = [snapshots.patience, snapshots.interval, snapshots.age];
    assert_eq!(times, [100, 50, 500].map(Duration::from_millis));
    assert_eq!(snapshots.bytes, 65_536);
    let restart = &gateway.restart;
    let waits = [restart.backoff_min, restart.backoff_max, restart.window];
    assert_eq!(waits, [100, 200, 30_000].map(Duration::from_millis));
    assert_eq!(restart.max, 3);

    let [nicos, standby] = checked.backends.as_slice() else {
        panic!("two backends")
    };
    assert_eq!(
        (nicos.instance.id.as_str(), nicos.instance.log_level),
        ("nicos", Some(LogLevel::Trace))
    );
    assert_eq!(nicos.instance.path, Path::new("/plugins/nicos.so"));
    assert_eq!(
        (standby.instance.plugin.as_str(), standby.instance.log_level),
        ("nicos", None)
    );
    assert_eq!(standby.instance.config.as_value()["port"], json!(1302));

    assert_eq!(gateway.users, folder.path().join("users"));
    assert_eq!(gateway.audit.file, folder.path().join("audit.jsonl"));
    assert_eq!((gateway.audit.bytes, gateway.audit.files), (1_000_000, 3));
    let [ibex, local] = checked.frontends.as_slice() else {
        panic!("two frontends")
    };
    assert_eq!(
        (ibex.authority, local.authority),
        (Authority::Backend, Authority::Users)
    );
    assert!(local.logins[0].secret.is_none());
    assert_eq!(
        (ibex.backend.as_str(), ibex.max_role),
        ("nicos", Role::User)
    );
    assert_eq!(ibex.unmapped_logins, UnmappedLogins::Refuse);
    let [first, second] = ibex.logins.as_slice() else {
        panic!("two logins")
    };
    assert_eq!(first.client_secret_sha256.map(|hash| hash[0]), Some(0x2b));
    assert_eq!(
        first.secret.as_ref().unwrap().expose(),
        std::env::var("PATH").unwrap()
    );
    assert_eq!(
        (second.client_user.as_str(), second.user.as_str()),
        ("ibex", "viewer")
    );
    assert_eq!(
        (
            second.client_secret_sha256,
            second.secret.as_ref().unwrap().expose()
        ),
        (None, "s3cret")
    );
}

#[test]
fn the_ideal_sample_uses_every_key_there_is() {
    for section in SECTIONS
        .iter()
        .filter(|section| !section.title.starts_with("secret"))
    {
        for key in section.keys {
            assert!(
                IDEAL.contains(key.name()),
                "{} is not in ideal.toml",
                key.name()
            );
        }
    }
}

#[test]
fn what_is_left_out_has_its_documented_default() {
    let text = sample("", "", "").replace("[gateway]", "");
    let checked = check_text(&text).unwrap();
    let gateway = &checked.gateway;
    assert_eq!(gateway.name, "patchbay");
    assert_eq!(
        gateway.plugin_path,
        [Path::new("/usr/lib/patchbay/plugins")]
    );
    assert_eq!(
        (gateway.log_level, gateway.log_format),
        (LogLevel::Info, LogFormat::Auto)
    );
    assert_eq!(gateway.admin, AdminAddress::Off);
    assert_eq!(gateway.deadlines.request, Duration::from_secs(30));
    assert_eq!(gateway.deadlines.long, Duration::from_secs(3600));
    assert_eq!(
        (gateway.limits.sessions, gateway.limits.body_bytes),
        (1000, 16_777_216)
    );
    assert_eq!(
        (gateway.journal.bytes, gateway.journal.age),
        (16_777_216, Duration::from_secs(3600))
    );
    assert_eq!(gateway.snapshots, Snapshots::default());
    assert_eq!(gateway.restart.backoff_max, Duration::from_millis(30_000));
    let frontend = &checked.frontends[0];
    assert_eq!(
        (frontend.max_role, frontend.unmapped_logins),
        (Role::Admin, UnmappedLogins::Forward)
    );
    assert!(frontend.logins.is_empty() && checked.warnings.is_empty());
}

#[test]
fn every_documented_default_is_accepted_when_written_out() {
    for key in crate::config::registry::GATEWAY.keys {
        let default = key.default_text();
        // Words in place of a default say what the key's absence means.
        if !default.starts_with('`') {
            continue;
        }
        let line = format!("{} = {}", key.name(), default.trim_matches('`'));
        assert!(check_text(&sample(&line, "", "")).is_ok(), "{line}");
    }
}

#[test]
fn the_first_and_last_number_of_a_range_are_accepted_and_those_beyond_are_not() {
    for key in crate::config::registry::GATEWAY.keys {
        let takes = key.takes();
        let Some(range) = takes.strip_prefix("whole number, ") else {
            continue;
        };
        let bounds: Vec<i64> = range
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let [min, max] = bounds[..] else {
            panic!("{range}")
        };
        let accepted = |number: i64| {
            let result = check_text(&sample(&format!("{} = {number}", key.name()), "", ""));
            !result
                .err()
                .is_some_and(|mistakes| mistakes.to_string().contains("must be from"))
        };
        assert!(accepted(min) && accepted(max), "{}", key.name());
        assert!(!accepted(min - 1) && !accepted(max + 1), "{}", key.name());
    }
}

#[test]
fn the_reference_page_explains_every_key() {
    let page = reference();
    for key in SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(
            page.contains(&format!("| `{}` | {} |", key.name(), key.takes())),
            "{}",
            key.name()
        );
        assert!(
            key.doc().ends_with('.') && !key.default_text().is_empty(),
            "{}",
            key.name()
        );
    }
    assert!(page.contains(
        "| `request_deadline_s` | whole number, 1 to 86400 s | `30` | Time a backend has to answer an ordinary request. |"
    ));
    assert!(page.contains("| `log_format` | `\"auto\"`, `\"pretty\"`, `\"json\"` | `\"auto\"` |"));
}

#[test]
fn settings_of_a_plugin_keep_their_types() {
    let text = sample(
        "",
        "port = 0x10\nlanes = [{ name = 'a', depth = -1 }, { name = 'b' }]",
        "",
    );
    let checked = check_text(&text).unwrap();
    let expected = json!({"address": "here", "port": 16, "lanes": [{"name": "a", "depth": -1}, {"name": "b"}]});
    assert_eq!(checked.backends[0].instance.config.as_value(), &expected);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = format!(
        "\u{feff}{}",
        sample("name = 'x'", "", "").replace('\n', "\r\n")
    );
    assert_eq!(check_text(&text).unwrap().gateway.name, "x");
}
