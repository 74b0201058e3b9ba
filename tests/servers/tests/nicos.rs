//! The NICOS daemon as tests get it: ready when they get it, and gone when they drop it.
// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use common::is_running;
use patchbay_servers::{Nicos, to_stderr};

const PATIENCE: Duration = Duration::from_secs(30);

/// Says hello as a client does and returns the daemon's banner, which is a pickle (protocol 2) of a dictionary.
fn banner(address: SocketAddr) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&fastrand::u128(..).to_be_bytes()).unwrap();
    let mut header = [0; 5];
    stream.read_exact(&mut header).unwrap();
    let [stx, length @ ..] = header;
    assert_eq!(stx, 3, "a reply with a value");
    let mut payload = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut payload).unwrap();
    payload
}

fn greets(address: SocketAddr) {
    let banner = banner(address);
    assert!(banner.starts_with(b"\x80\x02"), "not a pickle");
    let text = String::from_utf8_lossy(&banner);
    assert!(
        text.contains("daemon_version") && text.contains("3.12.2"),
        "{text}"
    );
}

#[test]
fn a_started_daemon_greets_its_clients() {
    let mut nicos = Nicos::start(&to_stderr).unwrap();
    greets(nicos.address());
    assert!(nicos.is_alive());
    assert!(
        nicos
            .log_tail(100)
            .iter()
            .any(|line| line.contains("creating device 'det'"))
    );
}

#[test]
fn a_killed_daemon_comes_back_on_its_port() {
    let mut nicos = Nicos::start(&to_stderr).unwrap();
    let (address, killed) = (nicos.address(), nicos.pid());
    // An open connection keeps the port busy after the crash.
    let open = TcpStream::connect(address).unwrap();
    (&open)
        .write_all(&fastrand::u128(..).to_be_bytes())
        .unwrap();
    (&open).read_exact(&mut [0; 5]).unwrap();
    nicos.kill9();
    assert!(!nicos.is_alive() && !is_running(killed));
    nicos.restart().unwrap();
    assert_ne!(nicos.pid(), killed);
    assert_eq!(nicos.address(), address);
    greets(address);
}

#[test]
fn two_daemons_do_not_meet() {
    let first = Nicos::start(&to_stderr).unwrap();
    let second = Nicos::start(&to_stderr).unwrap();
    assert_ne!(first.address(), second.address());
    greets(first.address());
    greets(second.address());
}

#[test]
fn a_daemon_may_have_a_cache() {
    let nicos = Nicos::options().cache(true).start(&to_stderr).unwrap();
    let cache = nicos.cache_pid().unwrap();
    assert!(is_running(cache));
    assert!(
        !nicos
            .log_tail(100)
            .iter()
            .any(|line| line.contains("no cache present"))
    );
    drop(nicos);
    assert!(!is_running(cache));
}

#[test]
fn dropping_leaves_neither_process_nor_files() {
    let nicos = Nicos::start(&to_stderr).unwrap();
    let (daemon, log) = (nicos.pid(), nicos.log_path().to_owned());
    assert!(is_running(daemon) && log.exists());
    drop(nicos);
    assert!(!is_running(daemon));
    assert!(!log.exists());
}

#[test]
fn its_interpreter_knows_nicos() {
    let mut python = Nicos::python(&to_stderr).unwrap();
    let said = python
        .args(["-c", "import nicos.core, zmq; print(nicos.__version__)"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "3.12.2");
}
