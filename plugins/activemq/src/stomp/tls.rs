//! TLS to the broker, by rustls.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};

use super::error::LinkError;
use super::quickack::QuickAck;
use super::tls_error::TlsError;
use super::tls_files::read;

/// What TLS needs. The files are read for each connection, so that renewed ones are seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that may have signed the broker's certificate, in PEM; `None`: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Our certificate (with those between it and an authority) and its key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name in the broker's certificate; `None`: the host of its address.
    pub server_name: Option<String>,
}

impl Tls {
    /// Reads the files. Blocks.
    pub(super) fn load(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Other)?
            .with_root_certificates(self.roots()?);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => builder
                .with_client_auth_cert(certificates("tls.cert", cert)?, private_key(key)?)
                .map_err(|source| TlsError::Identity {
                    cert: cert.clone(),
                    key: key.clone(),
                    source,
                })?,
        };
        Ok(Arc::new(config))
    }

    /// Shakes hands over `socket`, which is connected to `host`.
    pub(super) async fn wrap(
        &self,
        config: Arc<ClientConfig>,
        host: &str,
        socket: QuickAck,
    ) -> Result<TlsStream<QuickAck>, LinkError> {
        let name = self.server_name.as_deref().unwrap_or(host);
        let server =
            ServerName::try_from(name.to_owned()).map_err(|_| TlsError::NoName(name.to_owned()))?;
        let connected = TlsConnector::from(config).connect(server, socket).await;
        connected.map_err(|error| self.explain(error, host))
    }

    /// What an I/O error is, if TLS is its cause.
    pub(super) fn explain(&self, error: io::Error, host: &str) -> LinkError {
        let name = self.server_name.as_deref().unwrap_or(host);
        TlsError::find(&error, self, name).map_or(LinkError::Io(error), LinkError::Tls)
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca else {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
            if roots.is_empty() {
                return Err(TlsError::NoSystemRoots);
            }
            return Ok(roots);
        };
        for certificate in certificates("tls.ca", path)? {
            roots
                .add(certificate)
                .map_err(|error| TlsError::file("tls.ca", path, unusable(&error)))?;
        }
        Ok(roots)
    }
}

fn certificates(
    field: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(field, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| {
        TlsError::file(field, path, format!("is no certificate in PEM: {error}"))
    })?;
    if certificates.is_empty() {
        return Err(TlsError::file(
            field,
            path,
            "holds no certificate (it has to be in PEM)",
        ));
    }
    Ok(certificates)
}

/// Errors of the parser may quote what they have read, so they are not told.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read("tls.key", path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let what = "holds no private key (it has to be in PEM and not encrypted)";
        TlsError::file("tls.key", path, what)
    })
}

fn unusable(error: &rustls::Error) -> String {
    format!("holds a certificate that cannot be used: {error}")
}
