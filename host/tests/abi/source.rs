//! Sources of other boundaries: copies of this one with changes, and releases. Each is a workspace of its own with the SDK, the
//! echo plugin and a host that is no more than this host's loader (`host.rs`). All are built into one folder, so that what they
//! share is built once.

use patchbay_testkit::build;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// One at a time: they are built into the same folder.
static TURN: Mutex<()> = Mutex::new(());

const PARTS: [&str; 4] = ["Cargo.toml", "Cargo.lock", "sdk", "plugins/echo"];

/// A source that can be built.
pub struct Source {
    name: String,
    folder: PathBuf,
}

/// A change of a file: a text in it, and what takes its place.
type Edit<'a> = (&'a str, &'a str, &'a str);

/// As one may be in some years: more fields in every head, a kind of message, a kind of error, a function, a member of the manifest
/// that nobody has heard of today.
pub fn newer() -> Source {
    copied(
        "newer",
        &[
            (
                "Cargo.toml",
                "version = \"0.1.0\"\nedition",
                "version = \"0.9.0\"\nedition",
            ),
            (
                "sdk/abi/Cargo.toml",
                "version = \"1.0.0\"",
                "version = \"1.9.0\"",
            ),
            (
                "sdk/abi/src/message.rs",
                "serde_json::to_vec(head).unwrap_or_default()",
                "{
                    let mut head = serde_json::to_value(head).unwrap_or_default();
                    if let Some(members) = head.as_object_mut() {
                        members.insert(\"later\".into(), serde_json::json!([{\"x\": null}]));
                    }
                    serde_json::to_vec(&head).unwrap_or_default()
                }",
            ),
            (
                "sdk/abi/src/module.rs",
                "#[cfg(feature = \"more-functions\")]",
                "",
            ),
            (
                "sdk/abi/src/manifest.rs",
                "\"\\\"}\\0\",",
                "\"\\\",\\\"later\\\":[1]}\\0\",",
            ),
            (
                "sdk/src/glue/backend.rs",
                "drop(shared.host.deliver(Message::bare(Kind::READY, 0)))",
                "{
                    shared.host.deliver(Message::bare(Kind(900), 7));
                    _ = shared.host.deliver(Message::bare(Kind::READY, 0))
                }",
            ),
            (
                "plugins/echo/src/lib.rs",
                "command: Command) -> Result<Reply, Fault> {",
                "command: Command) -> Result<Reply, Fault> {
                    if command.op == \"eval\" {
                        let kind = patchbay_sdk::FaultKind::Other(\"out-of-beam\".into());
                        return Err(Fault::new(kind, \"no beam\"));
                    }",
            ),
        ],
    )
}

/// As one may have been some years ago: what a head need not have, it neither says nor reads.
pub fn older() -> Source {
    let forget = "{
        let optional: &[&str] = match self_kind.0 {
            7 => &[\"vouched\", \"client\"],
            9 => &[\"asker\", \"key\", \"reference\", \"deadline_ms\"],
            11 => &[\"request\"],
            12 => &[\"job\", \"session\"],
            13 => &[\"since\"],
            15 => &[\"at\", \"fields\", \"target\"],
            16 => &[\"seconds\", \"set\"],
            17 => &[\"reason\"],
            _ => &[],
        };
        if let Some(members) = head.as_object_mut() {
            optional.iter().for_each(|key| drop(members.remove(*key)));
        }
    }";
    let written = format!(
        "{{
            let self_kind = kind;
            let mut head = serde_json::to_value(head).unwrap_or_default();
            {forget}
            serde_json::to_vec(&head).unwrap_or_default()
        }}"
    );
    let read = format!(
        "let self_kind = self.kind;
        let mut head: serde_json::Value = serde_json::from_slice(&self.head)?;
        {forget}
        serde_json::from_value(head)"
    );
    copied(
        "older",
        &[
            (
                "Cargo.toml",
                "version = \"0.1.0\"\nedition",
                "version = \"0.0.1\"\nedition",
            ),
            (
                "sdk/abi/src/message.rs",
                "serde_json::to_vec(head).unwrap_or_default()",
                &written,
            ),
            (
                "sdk/abi/src/message.rs",
                "serde_json::from_slice(&self.head)\n    }",
                &format!("{read}\n    }}"),
            ),
        ],
    )
}

/// With another version of the ABI.
pub fn other_major() -> Source {
    copied(
        "other-major",
        &[
            (
                "sdk/abi/Cargo.toml",
                "version = \"1.0.0\"",
                "version = \"2.0.0\"",
            ),
            (
                "sdk/abi/src/manifest.rs",
                "ABI_VERSION: u32 = 1",
                "ABI_VERSION: u32 = 2",
            ),
            (
                "sdk/abi/src/manifest.rs",
                "\\\"abi\\\":1,",
                "\\\"abi\\\":2,",
            ),
        ],
    )
}

/// The tags of the releases there have been.
pub fn releases() -> Vec<String> {
    let tags = git(&["tag", "--list", "v*"]);
    tags.lines().map(str::to_owned).collect()
}

/// As it was at that revision.
pub fn at(revision: &str) -> Source {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = place(revision);
    let archive = folder.with_extension("tar");
    let to = format!("--output={}", archive.display());
    std::fs::create_dir_all(&folder).unwrap();
    git(&[&["archive", &to, revision][..], &PARTS].concat());
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .status()
        .unwrap();
    assert!(unpacked.success());
    finish(revision, folder)
}

impl Source {
    /// Its echo plugin, built.
    pub fn plugin(&self) -> PathBuf {
        let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", library(&self.name));
        self.built("patchbay-echo", &file)
    }

    /// Its host, built.
    pub fn host(&self) -> PathBuf {
        self.built("other-host", "other-host")
    }

    fn built(&self, package: &str, file: &str) -> PathBuf {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let target = build::folder().join("other-abi");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline", "--package", package])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(&self.folder)
            .status()
            .unwrap();
        assert!(built.success(), "{} does not build", self.name);
        let built = target.join("debug").join(file);
        if package == "patchbay-echo" {
            return built;
        }
        // The next host is built into the same place.
        let kept = target.join(format!("{}-{file}", self.name));
        let beside = kept.with_extension(std::process::id().to_string());
        std::fs::copy(built, &beside).unwrap();
        std::fs::rename(&beside, &kept).unwrap();
        kept
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn place(name: &str) -> PathBuf {
    build::folder().join("other-abi").join("source").join(name)
}

fn git(words: &[&str]) -> String {
    let output = Command::new("git")
        .args(words)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {words:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn copied(name: &str, edits: &[Edit<'_>]) -> Source {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = place(name);
    for part in PARTS {
        copy(&root().join(part), Path::new(part), &folder, edits);
    }
    for (file, text, _) in edits {
        let original = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(original.contains(text), "{file} has no {text} any more");
    }
    finish(name, folder)
}

fn copy(from: &Path, name: &Path, to: &Path, edits: &[Edit<'_>]) {
    if from.is_dir() {
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy(&entry.path(), &name.join(entry.file_name()), to, edits);
        }
        return;
    }
    let Ok(mut text) = std::fs::read_to_string(from) else {
        // What is no text takes no part in a build.
        return;
    };
    for (_, was, is) in edits.iter().filter(|(file, ..)| Path::new(file) == name) {
        text = text.replace(was, is);
    }
    if name == Path::new("Cargo.toml") {
        text = narrowed(&text);
    }
    put(&to.join(name), &text);
}

/// With its host, and as a workspace of these parts only.
fn finish(name: &str, folder: PathBuf) -> Source {
    let manifest = folder.join("Cargo.toml");
    put(
        &manifest,
        &narrowed(&std::fs::read_to_string(&manifest).unwrap()),
    );
    // Cargo tells libraries of one name apart by nothing.
    let echo = folder.join("plugins/echo/Cargo.toml");
    let text = std::fs::read_to_string(&echo).unwrap();
    if !text.contains(&library(name)) {
        let (before, after) = text.split_once("[lib]\n").unwrap();
        let named = format!("{before}[lib]\nname = \"{}\"\n{after}", library(name));
        put(&echo, &named);
    }
    let host = folder.join("other-host");
    put(&host.join("Cargo.toml"), HOST);
    put(&host.join("src/main.rs"), include_str!("host.rs"));
    let inspect = std::fs::read_to_string(root().join("host/src/plugin/inspect.rs")).unwrap();
    put(&host.join("src/inspect.rs"), &inspect);
    Source {
        name: name.replace('/', "-"),
        folder,
    }
}

const HOST: &str = r#"
[package]
name = "other-host"
version.workspace = true
edition.workspace = true
[dependencies]
object.workspace = true
patchbay-abi = { workspace = true, features = ["load"] }
rustix = { version = "1.1", features = ["fs"] }
serde_json.workspace = true
"#;

/// What its echo's library is called.
fn library(name: &str) -> String {
    format!(
        "echo_{}",
        name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    )
}

fn narrowed(manifest: &str) -> String {
    let (before, rest) = manifest.split_once("members = [").unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    format!(r#"{before}members = ["sdk", "sdk/abi", "plugins/echo", "other-host"]{after}"#)
}

/// Only what differs is written, so that only that is built anew.
fn put(file: &Path, text: &str) {
    if std::fs::read_to_string(file).is_ok_and(|there| there == text) {
        return;
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}
