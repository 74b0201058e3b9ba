//! The promise of ABI.md, kept by binaries: plugins that were built from another boundary than this host's, and a host that
//! was built from another one than the plugin's. The boundaries are synthetic, made of this one (`source`), and those of all
//! releases there have been.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "../../../plugins/socket/tests/support/lines.rs"]
mod lines;
#[path = "../site/mod.rs"]
mod site;
mod source;

use lines::Lines;
use patchbay::plugin::{Home, Plugin, Room, Trust, inspect, isolated};
use patchbay_testkit::{build, conformance};
use serde_json::{Value, json};
use site::{Client, Gateway};
use source::Source;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const ROOM: Room = Room {
    body_bytes: 16 << 20,
};

/// What this host's loader opens of a file, in that home.
fn opened(file: &Path, home: Home) -> patchbay_testkit::Plugin {
    isolated::run_by(PathBuf::from(env!("CARGO_BIN_EXE_patchbay")));
    let loaded = match home {
        Home::Here => Plugin::load(file, &Trust::Any),
        Home::Process(_) => Plugin::load_isolated(file, &Trust::Any),
    };
    let loaded = Arc::new(loaded.unwrap());
    let opens = move |instance: &str, host| {
        let opened = loaded.open_at(home, instance, host)?;
        Ok(opened.port)
    };
    patchbay_testkit::Plugin::new(opens)
}

/// Whether the backend in a file keeps to what is demanded of any, driven by this host's loader.
async fn conforms(file: &Path, home: Home) {
    let name = file.display().to_string();
    conformance::backend_of(&name, opened(file, home), json!({}))
        .says(|text| ("status".into(), json!({ "text": text })))
        .run()
        .await
        .assert();
}

#[tokio::test]
async fn a_plugin_of_today_conforms_in_the_host_and_in_a_process_of_its_own() {
    let file = build::plugin("echo");
    conforms(&file, Home::Here).await;
    conforms(&file, Home::Process(ROOM)).await;
}

#[tokio::test]
async fn so_does_a_frontend() {
    let file = build::plugin("socket");
    for home in [Home::Here, Home::Process(ROOM)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let config = json!({ "unix": path });
        let suite = conformance::frontend_of("socket", opened(&file, home), config, Lines(path));
        suite.run().await.assert();
    }
}

#[tokio::test]
async fn a_plugin_of_a_newer_boundary_that_only_adds_is_loaded_and_conforms() {
    let file = source::newer().plugin();
    let manifest = inspect::manifest(&file).unwrap();
    assert_eq!(manifest.sdk, "0.9.0");
    conforms(&file, Home::Here).await;
}

#[tokio::test]
async fn a_plugin_of_an_older_boundary_that_knows_less_is_loaded_and_conforms() {
    let file = source::older().plugin();
    assert_eq!(inspect::manifest(&file).unwrap().sdk, "0.0.1");
    conforms(&file, Home::Here).await;
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["."]
[[backend]]
id = "echo"
plugin = "echo"
config = { role = "user" }
[[frontend]]
id = "local"
plugin = "socket"
backend = "echo"
config = { unix = "@SOCKET@" }
"#;

#[test]
fn a_gateway_that_runs_takes_plugins_of_other_boundaries_and_its_clients_stay() {
    let gateway = Gateway::start(&["echo", "socket"], CONFIG);
    let mut client = Client::login(&gateway.socket());
    let mut ask = |op: &str| client.ask(&json!({"op": op, "args": {"n": 1, "fresh": true}}));
    let install = |file: &Path| {
        let beside = gateway.folder.path().join("new");
        std::fs::copy(file, &beside).unwrap();
        let place = gateway.folder.path().join(build::file_name("echo"));
        std::fs::rename(&beside, place).unwrap();
        gateway.say(&["plugin", "reload", "echo"])
    };
    install(&source::older().plugin()).unwrap();
    assert_eq!(ask("status"), json!({"ok": {"n": 1}}));
    install(&source::newer().plugin()).unwrap();
    assert_eq!(ask("status"), json!({"ok": {"n": 1}}));
    // A kind of error that this host has never heard of reaches the client by its name.
    assert_eq!(ask("eval")["error"]["kind"], "out-of-beam");

    let why = install(&source::other_major().plugin()).unwrap_err();
    let parts = [
        "version 2 of the plugin ABI",
        "this host has version 1",
        "cargo build --release",
    ];
    for part in parts {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert_eq!(ask("status"), json!({"ok": {"n": 1}}));
}

/// What a host that was built from that source says of a plugin of today: whether it served, and what was said.
fn said_by_host(of: &Source) -> (bool, String) {
    let output = Command::new(of.host())
        .arg(build::plugin("echo"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_plugin_of_today_serves_in_an_older_host() {
    let (served, said) = said_by_host(&source::older());
    assert!(served, "{said}");
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer, json!({"n": 1}));
}

#[test]
fn a_plugin_of_today_is_refused_by_a_host_of_another_version_of_the_abi_in_one_message() {
    let (served, said) = said_by_host(&source::other_major());
    assert!(!served, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in [
        "version 1 of the plugin ABI",
        "this host has version 2",
        "Rebuild it",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn plugins_of_all_releases_are_loaded_and_conform_or_are_refused_in_one_message() {
    let releases = source::releases();
    println!("{} releases", releases.len());
    // As long as there is none, the last commit stands for one, so that this is known to work.
    let revisions = match releases.is_empty() {
        true => vec!["HEAD".to_owned()],
        false => releases,
    };
    for revision in revisions {
        let file = source::at(&revision).plugin();
        let manifest = inspect::manifest(&file).unwrap();
        if manifest.abi == patchbay_abi::ABI_VERSION {
            conforms(&file, Home::Here).await;
            continue;
        }
        let why = Plugin::load(&file, &Trust::Any).unwrap_err();
        assert!(why.contains("of the plugin ABI"), "{revision}: {why}");
    }
}
