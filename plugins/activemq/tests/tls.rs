//! TLS: who is trusted, and what is said of who is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use std::path::PathBuf;

use patchbay_activemq::stomp::{Tls, open};
use support::broker::Listener;
use support::tls::{Authority, acceptor, target, verdict, write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HERE: &str = "127.0.0.1";

fn trusting(ca: PathBuf) -> Tls {
    Tls {
        ca: Some(ca),
        ..Tls::default()
    }
}

#[tokio::test]
async fn a_broker_that_our_authority_has_signed_is_trusted() {
    let authority = Authority::new();
    let tls = trusting(authority.file("ca.pem"));
    let peer = acceptor(&authority.sign(HERE, 2100), None);
    assert_eq!(verdict(peer, tls.clone()).await.unwrap(), "private");

    let named = Tls {
        server_name: Some("broker.example".into()),
        ..tls
    };
    let peer = acceptor(&authority.sign("broker.example", 2100), None);
    assert_eq!(verdict(peer, named).await.unwrap(), "private");
}

#[tokio::test]
async fn the_certificate_of_the_broker_itself_can_be_trusted() {
    let authority = Authority::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec![HERE.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .pem();
    let own = authority.file("own.pem");
    write(&own, &cert);
    let signed = support::tls::Signed {
        cert,
        key: key.serialize_pem(),
    };
    let opened = verdict(acceptor(&signed, None), trusting(own)).await;
    assert_eq!(opened.unwrap(), "private");
}

#[tokio::test]
async fn a_broker_that_is_not_trusted_is_told_apart() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let system = Tls::default();
    let cases = [
        (
            theirs.sign(HERE, 2100),
            trusting(ours.file("ca.pem")),
            "ca.pem (`tls.ca`) has signed it",
        ),
        (ours.sign(HERE, 2100), system, "is not trusted"),
        (
            ours.sign("elsewhere", 2100),
            trusting(ours.file("ca.pem")),
            "not for the name \"127.0.0.1\"",
        ),
        (
            ours.sign(HERE, 2001),
            trusting(ours.file("ca.pem")),
            "has expired",
        ),
    ];
    for (signed, tls, part) in cases {
        let error = verdict(acceptor(&signed, None), tls).await.unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_gets_ours_and_says_so_without() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let peer = || acceptor(&authority.sign(HERE, 2100), Some(&authority));
    let tls = trusting(authority.file("ca.pem"));
    let with = |identity| Tls {
        identity: Some(identity),
        ..tls.clone()
    };
    let opened = verdict(peer(), with(authority.sign_to_files("gateway"))).await;
    assert_eq!(opened.unwrap(), "private");
    let error = verdict(peer(), tls.clone()).await.unwrap_err().to_string();
    assert!(error.contains("set `tls.cert` and `tls.key`"), "{error}");
    let other = with(stranger.sign_to_files("other"));
    let error = verdict(peer(), other).await.unwrap_err().to_string();
    assert!(
        error.contains("does not accept our certificate") && error.contains("other.pem"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_good_is_named_and_a_key_never_shown() {
    let authority = Authority::new();
    let (cert, key) = authority.sign_to_files("gateway");
    let (_, foreign) = authority.sign_to_files("foreign");
    let empty = authority.file("empty.pem");
    write(&empty, "");
    let secret = authority.file("secret.key");
    write(
        &secret,
        "-----BEGIN PRIVATE KEY-----\nhunter2hunter2!\n-----END PRIVATE KEY-----\n",
    );
    let missing = authority.file("missing.pem");
    let ca = authority.file("ca.pem");
    let case = |ca: &PathBuf, cert: &PathBuf, key: &PathBuf| Tls {
        ca: Some(ca.clone()),
        identity: Some((cert.clone(), key.clone())),
        server_name: None,
    };
    let cases = [
        (
            case(&missing, &cert, &key),
            "missing.pem (`tls.ca`) cannot be read",
        ),
        (
            case(&empty, &cert, &key),
            "empty.pem (`tls.ca`) holds no certificate",
        ),
        (
            case(&ca, &missing, &key),
            "missing.pem (`tls.cert`) cannot be read",
        ),
        (
            case(&ca, &key, &key),
            "gateway.key (`tls.cert`) holds no certificate",
        ),
        (
            case(&ca, &cert, &missing),
            "missing.pem (`tls.key`) cannot be read",
        ),
        (
            case(&ca, &cert, &cert),
            "gateway.pem (`tls.key`) holds no private key",
        ),
        (
            case(&ca, &cert, &secret),
            "secret.key (`tls.key`) holds no private key",
        ),
        (case(&ca, &cert, &foreign), "cannot be used with the key"),
        (
            case(&ca, &cert, &authority.dir.path().to_owned()),
            "is no ordinary file",
        ),
    ];
    for (tls, part) in cases {
        let target = patchbay_activemq::stomp::Target {
            tls: Some(tls),
            ..target("127.0.0.1:1".into())
        };
        let error = open(&target).await.unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn tls_at_only_one_end_is_told() {
    let authority = Authority::new();
    let listener = Listener::bind().await;
    let target = patchbay_activemq::stomp::Target {
        tls: Some(trusting(authority.file("ca.pem"))),
        ..target(listener.address())
    };
    let peer = async {
        let mut peer = listener.accept_raw().await;
        peer.write("ERROR\nmessage:Unknown command\n\nx\0\n").await;
        peer
    };
    let (opened, _peer) = tokio::join!(open(&target), peer);
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("no TLS at this port"), "{error}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = support::tls::target(listener.local_addr().unwrap().to_string());
    let peer = async {
        let mut socket = listener.accept().await.unwrap().0;
        socket.read_exact(&mut [0; 7]).await.unwrap();
        // The alert of a TLS server that was spoken to in the clear, as Java sends it.
        socket
            .write_all(b"\x15\x03\x03\x00\x02\x02\x0a")
            .await
            .unwrap();
        socket.shutdown().await.unwrap();
        socket.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open(&target), peer);
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("wants TLS"), "{error}");
}
