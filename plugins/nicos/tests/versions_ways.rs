//! What only some protocols have: ways to send a password, Python 2's text, pictures in two events, prompts without ids.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/old_daemon.rs"]
mod old_daemon;
#[path = "common/proxy.rs"]
mod proxy;

use old_daemon::{OldDaemon, PASSWORD};
use patchbay_abi::Kind;
use patchbay_sdk::{Fault, FaultKind};
use patchbay_testkit::BackendHost;
use serde_json::{Value, json};

const SHA1: &str = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4";
const MD5: &str = "5ebe2294ecd0e0f08eab7690d2a6ee69";

/// How the password was sent, or why it was not.
async fn sent(protocol: u16, pw_hashing: &str, form: &str) -> Result<String, Fault> {
    let daemon = OldDaemon::wanting(protocol, pw_hashing);
    let host = daemon.plugin(json!({"password": form})).await;
    let me = host.login("me", PASSWORD).await?;
    let last = json!({"code": "session.logins[-1]"});
    let sent = me.call("eval", last).await.unwrap()["value"].clone();
    let wrong = host.login("me", "wrong").await.err().unwrap();
    assert_eq!(wrong.kind, FaultKind::Unauthorized, "{wrong}");
    host.stop().await;
    Ok(sent.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_password_is_encrypted_wherever_the_daemon_has_a_key() {
    for (protocol, pw_hashing) in [
        (17, "rsa,sha1"),
        (17, "rsa,md5"),
        (17, "rsa,plain"),
        (19, "rsa,plain"),
        (23, "rsa,plain"),
    ] {
        let sent = sent(protocol, pw_hashing, "rsa").await.unwrap();
        assert!(sent.starts_with("RSA:"), "{protocol} {pw_hashing}: {sent}");
    }
}

#[tokio::test]
async fn a_password_that_is_not_encrypted_is_hashed_as_the_daemon_wants_it() {
    for (pw_hashing, form, expected) in [
        ("sha1", "rsa", SHA1),
        ("md5", "rsa", MD5),
        ("plain", "rsa", PASSWORD),
        ("rsa,sha1", "plain", SHA1),
        ("rsa,md5", "plain", MD5),
        ("rsa,plain", "plain", PASSWORD),
    ] {
        let sent = sent(17, pw_hashing, form).await.unwrap();
        assert_eq!(sent, expected, "{pw_hashing} {form}");
    }
}

#[tokio::test]
async fn a_password_is_not_sent_in_a_way_that_is_not_known() {
    for pw_hashing in ["sha512", "rsa", ""] {
        let form = if pw_hashing == "rsa" { "plain" } else { "rsa" };
        let fault = sent(17, pw_hashing, form).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
        assert!(
            fault.message.contains(&format!("`{pw_hashing}`")),
            "{fault}"
        );
        assert!(!fault.message.contains(PASSWORD), "{fault}");
    }
}

async fn event_where(host: &BackendHost, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let (_, body) = host.next_event(kind).await;
        if wanted(&body) {
            return body;
        }
    }
}

#[tokio::test]
async fn text_of_python_2_is_read_whatever_its_length_and_letters() {
    for protocol in [17, 19] {
        let daemon = OldDaemon::start(protocol);
        let host = daemon.plugin(json!({})).await;
        let me = host.login("mé", PASSWORD).await.unwrap();
        event_where(&host, "link", |body| body["link"] == "up").await;
        for text in ["plain".to_owned(), "ä→".repeat(200)] {
            let code = json!({"name": "Prüfung", "code": format!("say {text}\n")});
            me.call("submit", code).await.unwrap();
            event_where(&host, "log", |body| body["text"] == text.as_str()).await;
        }
        let status = me.call("status", json!({})).await.unwrap();
        let last = &status["last"];
        assert!(last.is_null() || last["user"] == "mé", "{last}");
        host.stop().await;
    }
}

/// The next picture and its bytes.
async fn picture(host: &BackendHost) -> (Value, Vec<u8>) {
    loop {
        let message = host.next_of(&[Kind::EVENT]).await;
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        if body["data"] == "live" {
            let blobs: Vec<_> = message.blobs.iter().collect();
            assert_eq!((&body["blobs"], blobs.len()), (&json!(1), 1));
            return (body, blobs[0].to_vec());
        }
    }
}

#[tokio::test]
async fn a_picture_is_one_event_also_where_the_daemon_sends_two() {
    for protocol in [17, 19, 20, 23] {
        let daemon = OldDaemon::start(protocol);
        let host = daemon.plugin(json!({})).await;
        let me = host.login("me", PASSWORD).await.unwrap();
        event_where(&host, "link", |body| body["link"] == "up").await;
        let code = "show 12345678\nshow abcdefgh\n";
        me.call("submit", json!({ "code": code })).await.unwrap();
        for pixels in [b"12345678", b"abcdefgh"] {
            let (live, bytes) = picture(&host).await;
            assert_eq!(bytes, pixels);
            assert_eq!(
                (&live["tag"], &live["detector"]),
                (&json!("live"), &json!("det"))
            );
            assert_eq!(live["dataset"].as_str().unwrap().len(), 36, "{live}");
            let dtype = match protocol {
                ..20 => &live["dtype"],
                _ => &live["arrays"][0]["dtype"],
            };
            assert_eq!(dtype, "<u4", "{live}");
        }
        host.stop().await;
    }
}

#[tokio::test]
async fn a_prompt_without_an_id_can_be_answered_too() {
    for protocol in [17, 23] {
        let daemon = OldDaemon::start(protocol);
        let host = daemon.plugin(json!({})).await;
        let me = host.login("me", PASSWORD).await.unwrap();
        event_where(&host, "link", |body| body["link"] == "up").await;
        me.call("submit", json!({"code": "ask really?\nsay yes\n"}))
            .await
            .unwrap();
        let prompt = event_where(&host, "prompt", |_| true).await;
        assert_eq!(
            (&prompt["text"], &prompt["input"]),
            (&json!("really?"), &json!(false))
        );
        event_where(&host, "job", |body| body["state"] == "paused").await;
        let answer = json!({"prompt": prompt["prompt"]});
        me.call("answer", answer).await.unwrap();
        let done = event_where(&host, "prompt-done", |_| true).await;
        assert_eq!(done["prompt"], prompt["prompt"]);
        event_where(&host, "log", |body| body["text"] == "yes").await;
        host.stop().await;
    }
}

#[tokio::test]
async fn a_command_that_an_old_daemon_does_not_know_is_not_sent_to_it() {
    let daemon = OldDaemon::start(20);
    let host = daemon.plugin(json!({})).await;
    let me = host.login("me", PASSWORD).await.unwrap();
    let keepalive = json!({"method": "keepalive"});
    let fault = me.call("native", keepalive.clone()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
    let unknown = me.call("eval", json!({"code": "session.unknown"})).await;
    assert_eq!(unknown.unwrap()["value"], json!([]));
    host.stop().await;

    let daemon = OldDaemon::start(21);
    let host = daemon.plugin(json!({})).await;
    let me = host.login("me", PASSWORD).await.unwrap();
    me.call("native", keepalive).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn of_a_protocol_to_come_one_warning_is_written_however_often_the_link_is_lost() {
    let daemon = OldDaemon::start(25);
    let proxy = proxy::proxy(daemon.address.parse().unwrap()).await;
    let host = daemon
        .plugin(json!({"address": proxy.address.to_string()}))
        .await;
    let me = host.login("me", PASSWORD).await.unwrap();
    let (mut warnings, mut ups) = (Vec::new(), 0);
    while ups < 3 {
        // Waits no longer than the testkit's patience.
        let message = host.next_of(&[Kind::EVENT, Kind::LOG]).await;
        let head = String::from_utf8_lossy(&message.head).into_owned();
        if message.kind == Kind::LOG && head.contains("newer protocol") {
            assert!(head.contains("warn") && head.contains("25"), "{head}");
            warnings.push(head);
        } else if head.contains("\"kind\":\"link\"") {
            let body: Value = serde_json::from_slice(&message.body).unwrap();
            if body["link"] == "up" {
                ups += 1;
                proxy.cut();
            } else {
                proxy.mend();
            }
        }
    }
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    proxy.mend();
    drop(me);
    host.stop().await;
}
