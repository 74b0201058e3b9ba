//! What can go wrong with TLS, in the words of whoever has to mend it.

use std::io;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::{self, AlertDescription, CertificateError};

use super::tls::Tls;

/// Why TLS to the broker failed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of ours.
    #[error("the file {path} (`{field}`) {what}")]
    File {
        /// The field of the configuration that names it.
        field: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it; the end of a sentence.
        what: String,
    },
    /// Each file is good, but not with the other.
    #[error(
        "the certificate {cert} (`tls.cert`) cannot be used with the key {key} (`tls.key`): {source}"
    )]
    Identity {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// rustls's words.
        source: rustls::Error,
    },
    /// There is no `tls.ca`, and the system has nothing in its place.
    #[error("this system has no list of trusted authorities; name one in `tls.ca`")]
    NoSystemRoots,
    /// Neither a DNS name nor an address.
    #[error("{0:?} is no name that a certificate could be for; set `tls.server_name`")]
    NoName(String),
    /// The broker's certificate is not signed by whom we trust.
    #[error("the broker's certificate is not trusted: nobody in {0} has signed it")]
    Untrusted(String),
    /// The broker's certificate is for another name.
    #[error(
        "the broker's certificate is not for the name {name:?}{others}; is that the broker, or is `tls.server_name` to be set?"
    )]
    Name {
        /// What we wanted.
        name: String,
        /// What it is for, if it says so.
        others: String,
    },
    /// The broker's certificate is too old or too new.
    #[error("the broker's certificate {0}; what is the date at the broker and here?")]
    Date(&'static str),
    /// The broker's certificate is bad in another way.
    #[error("the broker's certificate is not trusted: {0}")]
    Certificate(CertificateError),
    /// The broker wants a certificate from us.
    #[error(
        "the broker wants a certificate from its clients; set `tls.cert` and `tls.key` (it says {0:?})"
    )]
    WantsCertificate(AlertDescription),
    /// The broker does not like the certificate that it got from us.
    #[error("the broker does not accept our certificate {cert} (`tls.cert`): it says {alert:?}")]
    Refused {
        /// The certificate's file.
        cert: PathBuf,
        /// What the broker says.
        alert: AlertDescription,
    },
    /// What answers speaks no TLS.
    #[error("there is no TLS at this port; is it the one of `stomp+ssl`?")]
    NoTls,
    /// Anything else, in rustls's words.
    #[error("TLS with the broker failed: {0}")]
    Other(rustls::Error),
}

impl TlsError {
    pub(super) fn file(field: &'static str, path: &Path, what: impl Into<String>) -> Self {
        Self::File {
            field,
            path: path.to_owned(),
            what: what.into(),
        }
    }

    /// What TLS has to say in `error`, if anything; `name` is that of the broker.
    pub(super) fn find(error: &io::Error, tls: &Tls, name: &str) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(match error {
            rustls::Error::InvalidCertificate(why) => Self::of_certificate(why, tls, name),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert, tls),
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            other => Self::Other(other.clone()),
        })
    }

    fn of_certificate(why: &CertificateError, tls: &Tls, name: &str) -> Self {
        use CertificateError as Why;
        let name = name.to_owned();
        match why {
            // A bad signature: another authority has the same name as one of ours.
            Why::UnknownIssuer | Why::BadSignature => Self::Untrusted(tls.ca.as_ref().map_or_else(
                || "the system's list of authorities".to_owned(),
                |ca| format!("{} (`tls.ca`)", ca.display()),
            )),
            Why::NotValidForNameContext { presented, .. } if !presented.is_empty() => Self::Name {
                others: format!(" but for {}", presented.join(", ")),
                name,
            },
            Why::NotValidForName | Why::NotValidForNameContext { .. } => Self::Name {
                name,
                others: String::new(),
            },
            Why::Expired | Why::ExpiredContext { .. } => Self::Date("has expired"),
            Why::NotValidYet | Why::NotValidYetContext { .. } => Self::Date("is not valid yet"),
            other => Self::Certificate(other.clone()),
        }
    }

    fn of_alert(alert: AlertDescription, tls: &Tls) -> Self {
        use AlertDescription as Alert;
        let of_certificates = matches!(
            alert,
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateUnknown
                | Alert::CertificateExpired
                | Alert::CertificateRevoked
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied
                | Alert::DecryptError
        );
        match &tls.identity {
            _ if !of_certificates => Self::Other(rustls::Error::AlertReceived(alert)),
            None => Self::WantsCertificate(alert),
            Some((cert, _)) => Self::Refused {
                cert: cert.clone(),
                alert,
            },
        }
    }
}
