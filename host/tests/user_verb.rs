//! `patchbay user`, as an operator says it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit status, and what was said.
fn patchbay(args: &[&str], config: &Path, password: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .arg("user")
        .args(args)
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who is refused before does not read it.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn users_are_added_changed_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("patchbay.toml");
    std::fs::write(&config, "[gateway]\n").unwrap();
    let user = |args: &[&str], password| patchbay(args, &config, password);

    let (code, said) = user(&["list"], "");
    assert!(code == Some(0) && said.contains("nobody"), "{said}");
    let (code, said) = user(&["add", "anna", "--role", "user"], "sonnenschein");
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "anna may log in, as user\n")
    );
    let (code, said) = user(&["add", "anna", "--role", "admin"], "regenwetter");
    assert!(code == Some(1) && said.contains("already"), "{said}");
    let file = folder.path().join("state/users");
    let before = std::fs::read_to_string(&file).unwrap();
    assert!(before.contains("anna:user:$argon2id$") && !before.contains("sonnenschein"));

    assert_eq!(user(&["role", "anna", "expert"], "").0, Some(0));
    assert_eq!(user(&["passwd", "anna"], "regenwetter").0, Some(0));
    let after = std::fs::read_to_string(&file).unwrap();
    let hash = |text: &str| text.rsplit(':').next().map(str::to_owned);
    assert!(after.contains("anna:expert:") && hash(&after) != hash(&before));
    let (_, said) = user(&["list"], "");
    assert_eq!(said, "USER  MAY\nanna  expert\n");
    let (_, said) = user(&["list", "--json"], "");
    assert_eq!(said, "[{\"name\":\"anna\",\"role\":\"expert\"}]\n");

    assert_eq!(user(&["remove", "anna"], "").0, Some(0));
    let (code, said) = user(&["remove", "anna"], "");
    assert!(code == Some(1) && said.contains("no user `anna`"), "{said}");
}

#[test]
fn what_is_refused_changes_nothing_and_says_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("patchbay.toml");
    std::fs::write(&config, "[gateway]\nusers_path = 'list'\n").unwrap();
    for (name, password, rule) in [
        ("anna", "", "empty"),
        ("anna", "1234567", "8 is the least"),
        ("an:na", "sonnenschein", "cannot be a user's name"),
    ] {
        let (code, said) = patchbay(&["add", name, "--role", "view"], &config, password);
        assert!(code == Some(1) && said.contains(rule), "{said}");
    }
    let (code, _) = patchbay(&["add", "anna", "--role", "boss"], &config, "sonnenschein");
    assert_eq!(code, Some(2));
    assert!(!folder.path().join("list").exists());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_new_list_and_one_that_others_write_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("patchbay.toml");
    std::fs::write(&config, "[gateway]\nusers_path = 'list'\n").unwrap();
    patchbay(&["add", "anna", "--role", "view"], &config, "sonnenschein");
    let list = folder.path().join("list");
    let mode = std::fs::metadata(&list).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&list, PermissionsExt::from_mode(0o666)).unwrap();
    let (code, said) = patchbay(&["remove", "anna"], &config, "");
    assert!(code == Some(1) && said.contains("chmod go-w"), "{said}");
}
