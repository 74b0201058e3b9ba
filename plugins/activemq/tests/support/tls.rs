//! Certificates made for a test, and a peer that shakes hands with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patchbay_activemq::stomp::{Limits, LinkError, Target, Tls, open};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SerialNumber,
    date_time_ymd,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use super::LIMIT;

/// An authority, and what it has signed, as PEM files.
pub struct Authority {
    pub dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate's PEM and that of its key.
pub struct Signed {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { dir, issuer }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A certificate for that name, which ended in the given year.
    pub fn sign(&self, name: &str, until: i32) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        params.serial_number = Some(SerialNumber::from(7));
        Signed {
            cert: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// The same in two files of that name, `.pem` and `.key`.
    pub fn sign_to_files(&self, name: &str) -> (PathBuf, PathBuf) {
        let signed = self.sign(name, 2100);
        let (cert, key) = (
            self.file(&format!("{name}.pem")),
            self.file(&format!("{name}.key")),
        );
        write(&cert, &signed.cert);
        write(&key, &signed.key);
        (cert, key)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// What a peer with that certificate does: shakes hands and answers CONNECT. `clients` signs those of its clients.
pub fn acceptor(signed: &Signed, clients: Option<&Authority>) -> TlsAcceptor {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider)
                .build()
                .unwrap(),
        ),
    };
    let certs = vec![CertificateDer::from_pem_slice(signed.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(certs, key).unwrap()))
}

/// What [`open`] says of that peer.
pub async fn verdict(acceptor: TlsAcceptor, tls: Tls) -> Result<String, LinkError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target {
        tls: Some(tls),
        ..target(listener.local_addr().unwrap().to_string())
    };
    let peer = async {
        let socket = listener.accept().await.unwrap().0;
        let Ok(mut socket) = acceptor.accept(socket).await else {
            return;
        };
        let mut connect = [0; 7];
        if socket.read_exact(&mut connect).await.is_ok() {
            assert_eq!(&connect, b"CONNECT");
            let connected = b"CONNECTED\nversion:1.2\nserver:private\n\n\0";
            socket.write_all(connected).await.unwrap();
            socket.flush().await.unwrap();
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    };
    let opened = async {
        let (incoming, _outgoing) = open(&target).await?;
        Ok(incoming.server().to_owned())
    };
    tokio::join!(opened, peer).0
}

/// A target without login and TLS.
pub fn target(address: String) -> Target {
    Target {
        address,
        login: None,
        tls: None,
        heart_beat: std::time::Duration::ZERO,
        connect_timeout: LIMIT,
        write_timeout: LIMIT,
        bulk_bytes: 1 << 20,
        limits: Limits::default(),
    }
}
