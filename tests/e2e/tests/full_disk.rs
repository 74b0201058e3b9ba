//! The folder for notes of submits has no room left: nothing is sent that could not be noted, and everything else works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Client, IBEX_PASSWORD, Site, wait_until};
use patchbay_servers::{Connect, Gateway, silent};
use patchbay_testkit::build;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Starts the gateway with a small file system of its own over its state directory.
const SMALL: &str = r#"#!/bin/sh
exec unshare --user --map-root-user --mount sh -c '
    mkdir -p state && mount -t tmpfs -o size=4m,mode=700 none state && exec "@GATEWAY@" "$@"' sh "$@"
"#;

/// The gateway's state directory, as it sees it itself.
fn state(gateway: &Gateway) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", gateway.pid()));
    root.join(gateway.dir().strip_prefix("/").unwrap())
        .join("state")
}

/// Puts as much into the folder as goes in.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = fs::File::create(&path).unwrap();
    for size in [64 << 10, 4 << 10, 1 << 10] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    path
}

fn submit(client: &Client<'_>, number: usize) -> serde_json::Value {
    let code = format!("print('number {number}')");
    client.ask(&json!({ "op": "submit", "args": { "code": code } }))
}

#[test]
fn a_full_disk_refuses_submits_with_the_reason_and_nothing_else() {
    let mut site = Site::start();
    site.gateway.stop();
    let wrapper = tempfile::tempdir().unwrap();
    let binary = wrapper.path().join("gateway");
    let real = build::folder().join("patchbay");
    fs::write(&binary, SMALL.replace("@GATEWAY@", &real.to_string_lossy())).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let config = fs::read_to_string(site.gateway.config_path()).unwrap();
    let options = Gateway::options(&binary, &build::folder(), &config);
    let gateway = options.start(&silent).unwrap();
    let connect = Connect::to(site.broker.openwire());
    site.jms.open("client", &connect).unwrap();
    let client = Client::of(&site.jms, "client");
    assert_eq!(client.authenticate("ibex", IBEX_PASSWORD)["success"], true);
    assert!(submit(&client, 0)["ok"].is_object());

    let filler = fill(&state(&gateway));
    // What lies in the store's own file still has some room.
    let refused = (1..500)
        .map(|number| submit(&client, number))
        .find(|answer| answer.get("error").is_some())
        .expect("the disk is full");
    let error = &refused["error"];
    let said = error["message"].as_str().unwrap();
    assert_eq!(error["kind"], "unavailable", "{refused}");
    assert!(
        said.contains("nothing was done") && said.contains("No space left"),
        "{said}"
    );
    assert_eq!(client.ask(&json!({ "op": "status" }))["ok"]["link"], "up");
    assert!(
        client
            .ask(&json!({ "op": "emergency" }))
            .get("ok")
            .is_some()
    );
    let evaluated = client.ask(&json!({ "op": "eval", "args": { "code": "6 * 7" } }));
    assert!(evaluated["ok"].is_object(), "{evaluated}");

    fs::remove_file(filler).unwrap();
    let answer = wait_until("a submit after there is room", || {
        let answer = submit(&client, 500);
        answer["ok"].is_object().then_some(answer)
    });
    client.wait_for_job(answer["ok"]["job"].as_str().unwrap(), &["succeeded"]);
}
