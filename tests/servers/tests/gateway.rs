//! Starting a gateway, with a shell in its place.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use common::is_running;
use patchbay_servers::{Gateway, GatewayOptions, silent};

const GOOD: &str = "echo configured by $1; echo 'INFO run: ready'; exec sleep 60";
const BAD: &str = "echo 'no such plugin: nicos' >&2; exit 2";

/// `sh run CONFIG` in the gateway's directory executes the file `run` there.
fn stand_in(script: &str, config: &str) -> GatewayOptions {
    let options = Gateway::options(Path::new("/bin/sh"), Path::new("/plugins"), config);
    options.secret("run", script).secret("password", "hush")
}

#[test]
fn it_runs_with_its_configuration_and_secrets() {
    let gateway = stand_in(GOOD, "a = '@PLUGINS@'\nb = '@DIR@'")
        .start(&silent)
        .unwrap();
    let config = gateway.config_path();
    assert_eq!(
        gateway.log_tail(2)[0],
        format!("configured by {}", config.display())
    );
    let place = gateway.dir().display().to_string();
    assert_eq!(
        fs::read_to_string(&config).unwrap(),
        format!("a = '/plugins'\nb = '{place}'")
    );
    let secret = gateway.dir().join("password");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hush");
    assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o777, 0o600);
    drop(gateway);
    assert!(!config.exists());
}

#[test]
fn one_that_ends_at_once_is_quoted() {
    let error = stand_in(BAD, "").start(&silent).unwrap_err().to_string();
    assert!(
        error.starts_with("the gateway ended (exit status: 2) before it was ready"),
        "{error}"
    );
    assert!(error.ends_with("| no such plugin: nicos"), "{error}");
}

#[test]
fn it_can_be_killed_and_started_again() {
    let mut gateway = stand_in(GOOD, "").start(&silent).unwrap();
    let killed = gateway.pid();
    gateway.kill9();
    assert!(!gateway.is_alive() && !is_running(killed));
    gateway.write_config("new = true").unwrap();
    gateway.restart().unwrap();
    assert!(gateway.is_alive() && gateway.pid() != killed);
}
