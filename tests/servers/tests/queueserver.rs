//! The RE Manager as tests get it: ready when they get it, and gone when they drop it.
// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use common::is_running;
use patchbay_servers::{QueueServer, to_stderr};

/// Any 0MQ server begins with this.
fn greets(server: &QueueServer) {
    for address in [server.control(), server.info()] {
        let mut stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        let mut greeting = [0; 10];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!((greeting[0], greeting[9]), (0xff, 0x7f));
    }
}

#[test]
fn both_releases_start_and_leave_nothing_behind() {
    for version in ["0.0.25", "0.0.22"] {
        let server = QueueServer::options().version(version);
        let server = server.start(&to_stderr).unwrap();
        greets(&server);
        assert!(
            server
                .log_tail(30)
                .iter()
                .all(|line| !line.contains("Traceback"))
        );
        let pids = [server.pid(), server.manager_pid().unwrap()];
        assert!(pids.into_iter().all(is_running) && server.worker_pid().is_none());
        let log = server.log_path().to_owned();
        drop(server);
        assert!(!pids.into_iter().any(is_running) && !log.exists());
    }
}

#[test]
fn it_comes_back_on_its_ports_after_a_crash() {
    let mut server = QueueServer::start(&to_stderr).unwrap();
    let ports = (server.control(), server.info());
    server.kill9();
    server.kill_redis();
    server.restart_redis().unwrap();
    server.restart().unwrap();
    assert_eq!((server.control(), server.info()), ports);
    greets(&server);
}
