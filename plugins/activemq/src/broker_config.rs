//! The part of the configuration that says where the brokers are and how they are reached.

use std::net::IpAddr;
use std::path::PathBuf;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, wrong_field};
use serde::{Deserialize, Serialize};

use crate::stomp::Tls;

/// More brokers than this are a mistake.
const MAX_BROKERS: usize = 16;

/// Addresses of brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`host:port` or a list of them")]
pub enum BrokerList {
    /// `host:port`.
    One(String),
    /// Of the same, in the order in which they are tried.
    Many(Vec<String>),
}

/// TLS to the broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// A PEM file with the authorities that may have signed the broker's certificate, or with that certificate itself;
    /// absent: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// A PEM file with the gateway's own certificate, for brokers that want one (`needClientAuth=true`).
    pub cert: Option<PathBuf>,
    /// A PEM file with the key of `cert`, not encrypted.
    pub key: Option<PathBuf>,
    /// The name that the broker's certificate has to be for; absent: the host of its address.
    pub server_name: Option<String>,
}

impl BrokerList {
    /// The addresses, each of which can be one.
    ///
    /// # Errors
    /// `Invalid` naming the field and what it must be.
    pub(crate) fn check(&self) -> Result<&[String], Fault> {
        let addresses = match self {
            Self::One(address) => std::slice::from_ref(address),
            Self::Many(addresses) => addresses,
        };
        if addresses.is_empty() || addresses.len() > MAX_BROKERS {
            let text = format!("one address or a list of 1 to {MAX_BROKERS}");
            return Err(wrong_field("broker", &text));
        }
        for (number, address) in addresses.iter().enumerate() {
            check_address(address)?;
            if addresses[..number].contains(address) {
                return Err(wrong_field(
                    "broker",
                    &format!("a list with {address} in it once"),
                ));
            }
        }
        Ok(addresses)
    }
}

impl TlsConfig {
    /// The same for a connection.
    ///
    /// # Errors
    /// `Invalid` naming the field and what it must be.
    pub(crate) fn check(&self) -> Result<Tls, Fault> {
        let identity = match (&self.cert, &self.key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (Some(_), None) => {
                return Err(wrong_field("tls.key", "given where there is a `tls.cert`"));
            }
            (None, Some(_)) => {
                return Err(wrong_field("tls.cert", "given where there is a `tls.key`"));
            }
        };
        Ok(Tls {
            ca: self.ca.clone(),
            identity,
            server_name: self.server_name.clone(),
        })
    }
}

/// Whether what is sent to that host stays on this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

fn check_address(address: &str) -> Result<(), Fault> {
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(1..)) => Ok(()),
        _ => Err(wrong_field(
            "broker",
            "the STOMP address as `host:port`, such as \"127.0.0.1:61613\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_here() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "LocalHost"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["broker", "192.168.0.1", "localhost.evil.example", "::2", ""] {
            assert!(!is_here(host), "{host}");
        }
    }
}
