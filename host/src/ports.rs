//! Whether a port of this machine can be listened on, and if not, who is in the way.

use crate::config::Ports;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// Looks by listening for a moment.
#[derive(Debug)]
pub struct Machine {
    /// The gateway that is going to listen there runs already, as this process: it may.
    pub own: Option<u32>,
}

impl Ports for Machine {
    fn taken(&self, address: &str) -> Option<String> {
        // What is no address, or no name, the plugin says better.
        let found = address.to_socket_addrs().ok()?;
        found
            .into_iter()
            .find_map(|address| self.in_the_way(address))
    }
}

impl Machine {
    fn in_the_way(&self, address: SocketAddr) -> Option<String> {
        let (host, port) = (address.ip(), address.port());
        let error = TcpListener::bind(address).err()?;
        match error.kind() {
            ErrorKind::AddrNotAvailable => Some(format!("{host} is no address of this machine")),
            ErrorKind::AddrInUse => match (holder::of(port), self.own) {
                (Some(holder), Some(own)) if holder.process == own => None,
                (Some(holder), _) => Some(format!(
                    "port {port} of {host} is in use (by {}, process {})",
                    holder.name, holder.process
                )),
                // It cannot be seen who it is; most likely the gateway that runs.
                (None, Some(_)) => None,
                (None, None) => Some(format!(
                    "port {port} of {host} is in use (by a process of another user)"
                )),
            },
            // The gateway may be another user, with other rights.
            _ => None,
        }
    }
}

/// A process that listens.
struct Holder {
    process: u32,
    name: String,
}

#[cfg(target_os = "linux")]
mod holder {
    //! Who listens, as Linux tells it in `/proc`; only root sees the processes of others.

    use super::Holder;
    use std::fs;
    use std::path::Path;

    pub(super) fn of(port: u16) -> Option<Holder> {
        let sockets = ["/proc/net/tcp", "/proc/net/tcp6"];
        let node = sockets.iter().find_map(|table| listening(table, port))?;
        let wanted = format!("socket:[{node}]");
        let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        processes
            .filter(|process| holds(&process.path(), &wanted))
            .find_map(|process| {
                let name = fs::read_to_string(process.path().join("comm")).ok()?;
                Some(Holder {
                    process: process.file_name().to_str()?.parse().ok()?,
                    name: name.trim().replace(char::is_control, " "),
                })
            })
    }

    /// The inode of the socket that listens on a port. Columns: number, local address, remote address, state, …
    fn listening(table: &str, port: u16) -> Option<u64> {
        const LISTEN: &str = "0A";
        let ending = format!(":{port:04X}");
        let table = fs::read_to_string(table).ok()?;
        table.lines().find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let is_it = columns.get(1)?.ends_with(&ending) && *columns.get(3)? == LISTEN;
            columns.get(9).filter(|_| is_it)?.parse().ok()
        })
    }

    fn holds(process: &Path, wanted: &str) -> bool {
        let Ok(files) = fs::read_dir(process.join("fd")) else {
            return false;
        };
        files
            .filter_map(Result::ok)
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|target| target.as_os_str() == wanted)
    }
}

#[cfg(not(target_os = "linux"))]
mod holder {
    //! Not known on this system.

    pub(super) fn of(_port: u16) -> Option<super::Holder> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_while_somebody_listens_there_unless_it_is_ourselves() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let why = Machine { own: None }.taken(&address).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(
            why.contains(&format!("port {port} of 127.0.0.1 is in use")),
            "{why}"
        );
        let own = std::process::id();
        if cfg!(target_os = "linux") {
            assert!(why.contains(&format!("process {own}")), "{why}");
        }
        assert_eq!(Machine { own: Some(own) }.taken(&address), None);
        drop(listener);
        assert_eq!(Machine { own: None }.taken(&address), None);
        assert_eq!(Machine { own: None }.taken("no address"), None);
        let why = Machine { own: None }.taken("192.0.2.1:9").unwrap();
        assert!(why.contains("no address of this machine"), "{why}");
    }
}
