//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::{Error, Result};

/// Below the range from which Linux takes the ports of outgoing connections: a client that keeps reconnecting to a
/// killed server's port could otherwise be given that very port and connect to itself, and the server could not
/// come back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 200;

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub fn free() -> Result<u16> {
    (0..TRIES)
        .map(|_| fastrand::u16(RANGE))
        .find(|&port| is_free(port))
        .ok_or_else(|| {
            Error::Install(format!(
                "no free port on 127.0.0.1 between {} and {}",
                RANGE.start, RANGE.end
            ))
        })
}

/// `N` different free ports.
pub fn free_set<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    for at in 0..N {
        ports[at] = free()?;
        while ports[..at].contains(&ports[at]) {
            ports[at] = free()?;
        }
    }
    Ok(ports)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free().unwrap();
        assert!(RANGE.contains(&port));
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    #[test]
    fn a_taken_port_is_not_free() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(taken.local_addr().unwrap().port()));
    }

    #[test]
    fn a_set_has_no_port_twice() {
        let [first, second, third] = free_set::<3>().unwrap();
        assert!(first != second && second != third && first != third);
    }
}
