//! `admin_listen`: where machines may ask how the gateway is.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::mistake::{Findings, Note};
use super::raw::Fields;
use super::registry as keys;

/// Where machines may ask how the gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminAddress {
    /// Nowhere.
    Off,
    /// At a port of this machine that no other machine reaches.
    Tcp(SocketAddr),
    /// At a socket's file, which only the gateway's own user reaches.
    Unix(PathBuf),
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminAddress::Off => out.write_str("off"),
            AdminAddress::Tcp(address) => address.fmt(out),
            AdminAddress::Unix(path) => path.display().fmt(out),
        }
    }
}

pub(super) fn address(fields: &Fields<'_>, findings: &Findings) -> AdminAddress {
    let Some(found) = fields.text(&keys::ADMIN_LISTEN) else {
        return AdminAddress::Off;
    };
    let wrong = |label: &str| {
        let note = Note::error(
            "`admin_listen` must be an address of this machine that others do not reach",
        );
        findings.note(note.at(found.at.clone(), label).help(
            "for example: admin_listen = \"127.0.0.1:9310\", or the absolute path of a Unix socket, or \"off\"; whoever \
             shall ask from elsewhere needs a proxy that checks who they are",
        ));
        AdminAddress::Off
    };
    let text = found.text;
    if text == "off" {
        return AdminAddress::Off;
    }
    if text.starts_with('/') {
        return match cfg!(unix) {
            true => AdminAddress::Unix(PathBuf::from(text)),
            false => wrong("there are no such sockets on this system"),
        };
    }
    let numeric = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    match numeric.as_deref().unwrap_or(text).parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => AdminAddress::Tcp(address),
        Ok(_) => wrong("other machines could reach this"),
        Err(_) => wrong("not an address with a port"),
    }
}
