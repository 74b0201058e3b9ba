//! Secrets: where they come from, and that they are never shown.

use std::path::Path;

use super::fake::{Fake, check_text, found, sample};
use crate::config::{Checked, Mistakes, check};

const SECRET: &str = "hunter2-hunter2";

fn login(secret: &str) -> String {
    sample(
        "",
        "",
        &format!("[[frontend.login]]\nclient_user = 'a'\nuser = 'b'\nsecret = {secret}"),
    )
}

/// Checks a login whose secret is in a file of this content.
fn with_file(content: &[u8]) -> Result<Checked, Mistakes> {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("secret"), content);
    check(
        &login("{ file = 'secret' }"),
        &folder.path().join("patchbay.toml"),
        &Fake,
    )
}

fn write_private(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    set_mode(path, 0o600);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What the one caret points out.
fn label(mistakes: Mistakes) -> String {
    let mut labels = mistakes.iter().map(|mistake| mistake.label.clone());
    labels
        .next()
        .filter(|_| labels.next().is_none())
        .expect("one mistake")
}

#[test]
fn a_file_holds_the_secret_and_perhaps_a_newline() {
    for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        let checked = with_file(content.as_bytes()).unwrap();
        assert_eq!(
            checked.frontends[0].logins[0]
                .secret
                .as_ref()
                .unwrap()
                .expose(),
            "s3cret"
        );
        assert!(checked.warnings.is_empty());
    }
    let spaced = with_file(b" s3cret \n\n").unwrap();
    assert_eq!(
        spaced.frontends[0].logins[0]
            .secret
            .as_ref()
            .unwrap()
            .expose(),
        " s3cret \n"
    );
}

#[test]
fn a_file_without_a_secret_is_refused() {
    assert_eq!(label(with_file(b"\n").unwrap_err()), "it is empty");
    assert_eq!(
        label(with_file(b"\xff").unwrap_err()),
        "it is not UTF-8 text"
    );
    assert_eq!(
        label(with_file(&[b'x'; 65537]).unwrap_err()),
        "it is larger than 64 KiB; is it the right file?"
    );
    assert!(with_file(&[b'x'; 65536]).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_named_in_full() {
    let mistakes = check_text(&login("{ file = 'gone/secret' }")).unwrap_err();
    assert_eq!(
        found(&mistakes),
        ["16:19 no secret in file /etc/gone/secret"]
    );
    let mistakes = check_text(&login("{ file = '/' }")).unwrap_err();
    assert_eq!(label(mistakes), "cannot read it: it is not a regular file");
}

#[test]
fn a_variable_that_is_not_there_is_named() {
    for name in ["PATCHBAY_NO_SUCH_VARIABLE", "a=b"] {
        let mistakes = check_text(&login(&format!("{{ env = '{name}' }}"))).unwrap_err();
        assert_eq!(
            found(&mistakes),
            [format!("16:18 no secret in environment variable `{name}`")]
        );
    }
}

#[test]
fn a_secret_comes_from_exactly_one_place() {
    let mistakes = check_text(&login("{ env = 'PATH', file = 'x' }")).unwrap_err();
    assert_eq!(
        found(&mistakes),
        ["16:10 a secret comes from exactly one place"]
    );
    let mistakes = check_text(&login(&format!("'{SECRET}'"))).unwrap_err();
    assert_eq!(
        found(&mistakes),
        ["16:10 `secret` must be a table, not a text"]
    );
    assert!(!mistakes.to_string().contains(SECRET));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    write_private(&secret, b"s3cret");
    let text = login("{ file = 'secret' }").replace(
        "address = 'here'",
        "address = 'here'\npassword.file = 'secret'",
    );
    let file = folder.path().join("patchbay.toml");
    assert!(check(&text, &file, &Fake).unwrap().warnings.is_empty());

    set_mode(&secret, 0o644);
    let warnings = check(&text, &file, &Fake).unwrap().warnings;
    let warning = "the file of a secret can be read by every user of this machine";
    assert_eq!(
        found(&warnings),
        [format!("8:17 {warning}"), format!("17:19 {warning}")]
    );
    assert!(
        warnings
            .to_string()
            .contains(&format!("run: chmod o-rwx {}", secret.display()))
    );
}

#[test]
fn plain_text_is_accepted_with_a_warning_that_does_not_show_it() {
    let text = login(&format!("{{ value = '{SECRET}' }}"));
    let text = text.replace(
        "address = 'here'",
        &format!("address = 'here'\npassword.value = '{SECRET}'"),
    );
    let checked = check_text(&text).unwrap();
    assert_eq!(
        checked.frontends[0].logins[0]
            .secret
            .as_ref()
            .unwrap()
            .expose(),
        SECRET
    );
    let warning = "a secret stands in the configuration in plain text";
    assert_eq!(
        found(&checked.warnings),
        [format!("8:18 {warning}"), format!("17:20 {warning}")]
    );
    assert!(
        !checked.warnings.to_string().contains(SECRET),
        "{}",
        checked.warnings
    );
}

#[test]
fn debug_output_shows_no_secret() {
    let text = login(&format!("{{ value = '{SECRET}' }}"));
    let text = text.replace(
        "address = 'here'",
        &format!("address = 'here'\npassword = {{ value = '{SECRET}' }}"),
    );
    let shown = format!("{:?}", check_text(&text).unwrap());
    assert!(
        !shown.contains(SECRET) && shown.contains(r#"PluginConfig(["address", "password"])"#),
        "{shown}"
    );
}

#[test]
fn files_of_secrets_in_a_plugins_settings_count_from_the_configurations_folder() {
    let config = |file: &str| {
        let checked = check_text(&sample("", &format!("password.file = '{file}'"), "")).unwrap();
        checked.backends[0].instance.config.as_value()["password"]["file"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(config("nicos.secret").as_deref(), Some("/etc/nicos.secret"));
    assert_eq!(
        config("/run/nicos.secret").as_deref(),
        Some("/run/nicos.secret")
    );
}

#[test]
fn no_mistake_anywhere_shows_a_secret() {
    for lines in [
        format!("password = '{SECRET}'"),
        format!("pasword = '{SECRET}'"),
        format!("api_key = '{SECRET}'"),
        format!("auth = {{ token = ['{SECRET}'], nam = 1 }}"),
        format!("password = {{ value = '{SECRET}', vale = '{SECRET}' }}"),
        format!("port = 'amqp://user:{SECRET}@host'"),
        format!("password = \"\"\"\n{SECRET}\n\"\"\""),
        format!("password = '{SECRET}"),
        format!("password = {SECRET}"),
        format!("password = \"\"\"\n{SECRET}"),
        format!("other = '{SECRET}' password = '{SECRET}'"),
        format!("login = [{{ secret = '{SECRET}' }}, 1"),
    ] {
        let shown = check_text(&sample("", &lines, ""))
            .expect_err(&lines)
            .render(false);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn what_is_not_secret_is_shown() {
    let shown = check_text(&sample("", "passwordd.file = 'nicos.secret'", ""))
        .unwrap_err()
        .render(false);
    assert!(shown.contains("passwordd.file = 'nicos.secret'"), "{shown}");
}

#[test]
fn a_login_has_a_secret_where_a_backend_checks_it_and_none_where_the_list_knows_the_user() {
    let rule = "[[frontend.login]]\nclient_user = 'a'\nuser = 'b'\n";
    let bare = check_text(&sample("", "", rule)).unwrap_err();
    assert_eq!(found(&bare), ["13:1 this login has no `secret`"]);
    let needless = format!("authority = 'users'\n{rule}secret = {{ env = 'PATH' }}\n");
    let mistakes = check_text(&sample("", "", &needless)).unwrap_err();
    let said = found(&mistakes);
    assert!(
        said.iter()
            .any(|said| said == "17:10 this login has a `secret` that nobody asks for"),
        "{said:?}"
    );
}
