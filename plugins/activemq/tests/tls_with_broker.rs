//! TLS with a real ActiveMQ, its keys made by Java's keytool as an operator would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use patchbay_servers::{ActiveMq, Connect, Jms, silent};
use serde_json::{Value, json};
use support::tls::{Authority, write};
use support::world::{LOGIN, value};
use support::{LIMIT, start};

/// What the frontend first says of its health with this `tls`.
async fn health(broker: &ActiveMq, tls: Value) -> head::Health {
    let mut config = json!({"broker": broker.stomp().to_string()});
    if !tls.is_null() {
        config["tls"] = tls;
    }
    let host = start(config).await;
    let health = host.next_of(&[Kind::HEALTH]).await.read_head().unwrap();
    host.stop().await.unwrap();
    health
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_pass_when_the_broker_is_trusted_and_nothing_does_otherwise() {
    let broker = ActiveMq::options().tls(None).start(&silent).unwrap();
    let jms = Jms::start(&silent).unwrap();
    let tls = json!({"ca": broker.certificate()});
    let host = start(json!({"broker": broker.stomp().to_string(), "tls": tls})).await;
    let ask = |id: &str, text: &str| {
        jms.send("gui", id, text).unwrap();
        value(&jms.await_reply("gui", id, LIMIT).unwrap())
    };
    jms.open("gui", &Connect::to(broker.openwire())).unwrap();
    assert_eq!(ask("login", LOGIN)["success"], true);
    let long = "x".repeat(1_000_000);
    let eval = json!({"op": "eval", "args": {"code": long}}).to_string();
    assert_eq!(ask("long", &eval)["ok"]["value"], long);
    host.stop().await.unwrap();

    let stranger = Authority::new();
    let ca = broker.certificate();
    let cases = [
        (json!({"ca": stranger.file("ca.pem")}), "is not trusted"),
        (json!({}), "is not trusted"),
        (
            json!({"ca": ca, "server_name": "elsewhere"}),
            "\"elsewhere\"",
        ),
        (Value::Null, "wants TLS at this port"),
    ];
    for (tls, part) in cases {
        let health = health(&broker, tls).await;
        assert_eq!(health.state, "down");
        assert!(health.reason.contains(part), "{part}: {}", health.reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_a_certificate_lets_in_who_has_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let own_certificate = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let files = [dir.path().join("own.pem"), dir.path().join("own.key")];
        let files = files.map(|file| {
            file.with_file_name(format!("{name}-{}", file.file_name().unwrap().display()))
        });
        write(&files[0], &params.self_signed(&key).unwrap().pem());
        write(&files[1], &key.serialize_pem());
        files
    };
    let [cert, key] = own_certificate("gateway");
    let [other_cert, other_key] = own_certificate("other");
    let broker = ActiveMq::options().tls(Some(&cert)).start(&silent).unwrap();
    let ca = broker.certificate();
    let right = json!({"ca": ca, "cert": cert, "key": key});
    assert_eq!(health(&broker, right).await.state, "up");
    let cases = [
        (json!({"ca": ca}), "set `tls.cert` and `tls.key`"),
        (
            json!({"ca": ca, "cert": other_cert, "key": other_key}),
            "does not accept our certificate",
        ),
    ];
    for (tls, part) in cases {
        let health = health(&broker, tls).await;
        assert_eq!(health.state, "down");
        assert!(health.reason.contains(part), "{part}: {}", health.reason);
    }
}
