//! Where an instance's code runs, for those who only want it to run.

use super::Plugin;
use patchbay_abi::Port;

/// Where an instance's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In the gateway's own process.
    Here,
    /// In a process of its own.
    Process(Room),
}

/// How much may cross to a process of an instance's own, and wait to cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of one body, in bytes; `max_body_bytes` of the configuration.
    pub body_bytes: usize,
}

/// An instance that was opened.
pub struct Instance {
    /// Where it takes messages.
    pub port: Port,
    /// The number of its own process, if it has one.
    pub process: Option<u32>,
}

impl Plugin {
    /// Opens an instance; `host` is where it speaks to.
    ///
    /// # Errors
    /// What the plugin says, or why there is no process for it.
    pub fn open_at(&self, home: Home, instance: &str, host: Port) -> Result<Instance, String> {
        match home {
            Home::Here => Ok(Instance {
                port: self.open(instance, host)?,
                process: None,
            }),
            #[cfg(unix)]
            Home::Process(room) => {
                let (port, process) = self.open_isolated(instance, host, room)?;
                let process = Some(process);
                Ok(Instance { port, process })
            }
            #[cfg(not(unix))]
            Home::Process(_) => {
                Err("there are no processes for instances on this system".to_owned())
            }
        }
    }
}
