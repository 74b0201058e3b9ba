//! The gateway's own list of users before a real NICOS: it checks the passwords, and NICOS never sees one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::tap::Tap;
use patchbay_servers::{Gateway, Nicos, free_port, silent};
use patchbay_testkit::build;
use std::io::Write;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"
users_path = "@DIR@/users"

[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "@NICOS@"
password = "plain"
observer = { login = "guest", secret = { value = "x" } }
@SERVICE@

[[frontend]]
id = "listed"
plugin = "socket"
backend = "nicos"
authority = "users"
[frontend.config]
tcp = "@LISTED@"

[[frontend]]
id = "direct"
plugin = "socket"
backend = "nicos"
[frontend.config]
tcp = "@DIRECT@"
"#;

const SERVICE: &str = r#"service = { login = "admin", secret = { file = "@DIR@/nicos-admin" } }"#;

/// A password, and what NICOS's clients make of it for daemons that keep hashes: by SHA-1, by MD5.
const PASSWORD: [&str; 3] = [
    "sonnenschein",
    "f8bb0c28e6b69e3b10ce7c9896f70d0aa3040004",
    "a2b0ef405bae8278b51270241c4084c5",
];

struct Site {
    gateway: Gateway,
    tap: Tap,
    listed: String,
    direct: String,
    nicos: Nicos,
}

impl Site {
    fn start(service: &str) -> Site {
        let nicos = Nicos::start(&silent).unwrap();
        let tap = Tap::new(nicos.address());
        let address = || format!("127.0.0.1:{}", free_port().unwrap());
        let (listed, direct) = (address(), address());
        let config = CONFIG
            .replace("@SERVICE@", service)
            .replace("@NICOS@", &tap.address.to_string())
            .replace("@LISTED@", &listed)
            .replace("@DIRECT@", &direct);
        let gateway = patchbay_e2e::gateway(&config, &["nicos", "socket"]);
        let site = Site {
            gateway,
            tap,
            listed,
            direct,
            nicos,
        };
        let config = site.gateway.dir().join("patchbay.toml");
        for (name, role, password) in [
            ("anna", "user", PASSWORD[0]),
            ("otto", "view", "regenwetter"),
        ] {
            let words = [
                "user",
                "add",
                name,
                "--role",
                role,
                config.to_str().unwrap(),
            ];
            let added = patchbay(&words, password);
            assert!(added.status.success(), "{}", said(&added));
        }
        site
    }

    /// What the client says at that address, as that user.
    fn client(&self, at: &str, user: &str, password: &str, words: &[&str]) -> Output {
        let file = self.gateway.dir().join("password-of-somebody");
        std::fs::write(&file, password).unwrap();
        let file = file.to_str().unwrap();
        let mut all = vec![
            "client",
            "--connect",
            at,
            "--user",
            user,
            "--password-file",
            file,
        ];
        all.extend(words);
        patchbay(&all, "")
    }

    fn knows_the_password(&self) -> bool {
        PASSWORD.iter().any(|form| self.tap.heard(form))
    }
}

fn patchbay(words: &[&str], input: &str) -> Output {
    let mut child = Command::new(build::folder().join("patchbay"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = writeln!(child.stdin.take().unwrap(), "{input}");
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[test]
fn the_list_lets_people_in_and_nicos_never_sees_what_they_know() {
    let site = Site::start(SERVICE);
    let listed = site.listed.as_str();
    let refused = site.client(listed, "anna", "regenwetter", &["status"]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("wrong user name or password"),
        "{}",
        said(&refused)
    );
    let run = site.client(
        listed,
        "anna",
        PASSWORD[0],
        &["exec", "print('by one ' + 'of the list')"],
    );
    assert!(run.status.success(), "{}", said(&run));
    let log = site.client(listed, "otto", "regenwetter", &["log"]);
    assert!(said(&log).contains("by one of the list"), "{}", said(&log));
    let forbidden = site.client(listed, "otto", "regenwetter", &["exec", "print('by otto')"]);
    assert!(
        said(&forbidden).contains("needs the role user, you have view"),
        "{}",
        said(&forbidden)
    );
    let native = r#"{"method": "getversion"}"#;
    let native = site.client(listed, "anna", PASSWORD[0], &["call", "native", native]);
    assert!(
        said(&native).contains("needs the role admin, you have user"),
        "NICOS would let the service do it: {}",
        said(&native)
    );
    assert!(!site.knows_the_password() && !site.tap.heard("anna"));
    // What is looked for can be found: where NICOS is the authority, it gets to know both.
    let direct = site.client(&site.direct, "anna", PASSWORD[0], &["status"]);
    assert!(!direct.status.success(), "{}", said(&direct));
    assert!(site.knows_the_password() && site.tap.heard("anna"));
    drop(site.nicos);
}

#[test]
fn without_a_service_login_they_are_refused_with_what_to_set() {
    let site = Site::start("");
    let refused = site.client(&site.listed, "anna", PASSWORD[0], &["status"]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("set `service = "),
        "{}",
        said(&refused)
    );
    let direct = site.client(&site.direct, "user", "user", &["status"]);
    assert!(direct.status.success(), "{}", said(&direct));
}
