//! `patchbay plugin new`, as an author has it: both kinds are written into a fresh folder, tested and built there, loaded by a
//! gateway, and used by a client.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;

use patchbay_testkit::build;
use serde_json::json;
use site::{Client, Gateway, PATIENCE};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An author's crate.
struct Crate {
    folder: tempfile::TempDir,
    name: &'static str,
}

fn patchbay(program: &Path, folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(words);
    command.env_remove("PATCHBAY_SDK").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Crate {
    fn new(kind: &str, name: &'static str) -> Crate {
        let folder = tempfile::tempdir().unwrap();
        // Beside the program there are Patchbay's own, which the crate's `gateway.toml` names then.
        build::plugin("socket");
        let program = Path::new(env!("CARGO_BIN_EXE_patchbay"));
        let written = patchbay(program, folder.path(), &["plugin", "new", kind, name]);
        assert!(written.status.success(), "{}", text(&written.stderr));
        assert!(text(&written.stdout).contains("cargo test"));
        // The versions that are there already, so that nothing has to be fetched.
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        std::fs::copy(lock, folder.path().join(name).join("Cargo.lock")).unwrap();
        Crate { folder, name }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// What all such crates need is built once, into one folder.
    fn target() -> PathBuf {
        build::folder().join("outside")
    }

    fn cargo(&self, words: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg(words[0]).arg("--offline").args(&words[1..]);
        cargo.current_dir(self.path());
        cargo.env("CARGO_TARGET_DIR", Crate::target());
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
        cargo.env("CARGO_INCREMENTAL", "0");
        cargo.output().unwrap()
    }

    fn cargo_succeeds(&self, words: &[&str]) {
        let done = self.cargo(words);
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(done.status.success(), "{words:?}: {said}");
    }

    /// Tests it and builds it: its file.
    fn tested_and_built(&self) -> PathBuf {
        self.cargo_succeeds(&["test"]);
        self.cargo_succeeds(&["build"]);
        self.file()
    }

    fn file(&self) -> PathBuf {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        let name = self.name.replace('-', "_");
        let built = format!("debug/{DLL_PREFIX}{name}{DLL_SUFFIX}");
        Crate::target().join(built)
    }

    /// Its `gateway.toml`, with one thing in it replaced by another.
    fn gateway(&self, from: &str, to: &str) -> String {
        let config = self.read("gateway.toml");
        assert!(config.contains(from), "{config}");
        // The test's gateway has its file beside the plugin.
        config.replace(from, to).replace("target/debug\",", ".\",")
    }
}

impl Drop for Crate {
    /// What is its own goes from the shared folder, which would grow with each run otherwise.
    fn drop(&mut self) {
        self.cargo(&["clean", "--quiet", "--package", self.name]);
    }
}

#[test]
fn a_new_backend_passes_its_tests_is_loaded_and_serves_a_client() {
    let author = Crate::new("backend", "my-server");
    let file = author.tested_and_built();
    let config = author.gateway("tcp = \"127.0.0.1:1310\"", "unix = \"@SOCKET@\"");
    let config = config.replace("line_ms = 500", "line_ms = 1");
    let gateway = Gateway::start_with(&[file], &config);
    let mut client = Client::login(&gateway.socket());
    client.ask(&json!({"op": "subscribe", "args": {"kinds": ["log"]}}));
    let code = "one\ntwo";
    client.send(&json!({"op": "submit", "args": {"code": code}, "key": "k", "id": 1}));
    let (mut job, mut said) = (None, vec![]);
    while job.is_none() || said.len() < 2 {
        let line = client.line();
        match line.get("event") {
            Some(event) => said.push(event["body"]["text"].as_str().unwrap().to_owned()),
            None if line["id"] == 1 => job = Some(line["ok"]["job"].clone()),
            None => {}
        }
    }
    assert_eq!(said, ["one", "two"]);
    gateway.wait("the script succeeds", |_| {
        let mut other = Client::login(&gateway.socket());
        let record = other.ask(&json!({"op": "job", "args": {"job": job}}));
        (record["ok"]["state"] == "succeeded").then_some(())
    });
}

/// A client of the new frontend.
struct Lines(BufReader<TcpStream>);

impl Lines {
    fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        answer
    }
}

#[test]
fn a_new_frontend_passes_its_tests_is_loaded_and_its_client_gets_an_answer_from_echo() {
    let author = Crate::new("frontend", "my-door");
    let file = author.tested_and_built();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let config = author.gateway("127.0.0.1:7010", &address);
    let gateway = Gateway::start_with(&[file, build::plugin("echo")], &config);
    let stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut client = Lines(BufReader::new(stream));
    assert_eq!(client.ask("1 login anna secret\n"), "1 ok \"admin\"\n");
    let answer = client.ask("2 devices {\"hello\": \"there\"}\n");
    assert_eq!(answer, "2 ok {\"hello\": \"there\"}\n");
    drop(gateway);
}

#[test]
fn what_would_end_the_gateway_does_not_compile_and_what_exports_nothing_is_told_so() {
    let author = Crate::new("frontend", "my-trial");
    let aborts = author.cargo(&["rustc", "--lib", "--", "-C", "panic=abort"]);
    let said = text(&aborts.stderr);
    assert!(!aborts.status.success());
    assert!(
        said.contains("must be built with panic = \"unwind\""),
        "{said}"
    );
    let code = author.read("src/lib.rs");
    let without = code.replace("patchbay_sdk::export!(frontend = Lines);", "");
    assert_ne!(code, without);
    std::fs::write(author.path().join("src/lib.rs"), without).unwrap();
    author.cargo_succeeds(&["build"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(author.file().file_name().unwrap());
    std::fs::copy(author.file(), file).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_patchbay"));
    let listed = patchbay(program, folder.path(), &["plugin", "list", "--path", "."]);
    let said = text(&listed.stdout);
    assert!(
        said.contains("does not say `patchbay_sdk::export!"),
        "{said}"
    );
}

#[test]
fn nothing_is_written_over_and_what_cannot_be_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_patchbay"));
    let new = |program: &Path, words: &[&str]| {
        let words = [&["plugin", "new", "backend"], words].concat();
        let done = patchbay(program, folder.path(), &words);
        (done.status.code().unwrap(), text(&done.stderr))
    };
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("notes"), "of years").unwrap();
    let (status, said) = new(program, &["mine"]);
    assert!(status == 1 && said.contains("is not empty"), "{said}");
    let (status, said) = new(program, &["match"]);
    assert!(status == 2 && said.contains("`match-plugin`"), "{said}");
    let (status, said) = new(program, &["other", "--sdk", "https://example.org/x.git"]);
    assert!(status == 2 && said.contains("URL@REV"), "{said}");
    // A program that was installed does not know where an SDK is.
    let installed = tempfile::tempdir().unwrap();
    let installed = installed.path().join("patchbay");
    std::fs::copy(program, &installed).unwrap();
    let (status, said) = new(&installed, &["other"]);
    assert!(status == 1 && said.contains("--sdk FOLDER"), "{said}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only what was there before");
    // With a revision nothing is looked up, so that a crate can be written where there is no network.
    let (status, said) = new(
        &installed,
        &["other", "--sdk", "https://example.org/x.git@v1"],
    );
    assert_eq!((status, said.as_str()), (0, ""));
    let manifest = std::fs::read_to_string(folder.path().join("other/Cargo.toml")).unwrap();
    let sdk = "patchbay-sdk = { git = \"https://example.org/x.git\", rev = \"v1\" }";
    assert!(manifest.contains(sdk), "{manifest}");
}
