//! Where the broker is and how we log in.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use patchbay_sdk::{Secret, SecretSource};

use super::error::{EncodeError, LinkError};
use super::limits::Limits;
use super::text::escape_connect;
use super::tls::Tls;

/// The longest header line that ActiveMQ reads, in bytes.
pub const MAX_HEADER_LINE: usize = 10 * 1024;

/// One broker, with everything that a connection to it needs.
#[derive(Clone)]
pub struct Target {
    /// `host:port`.
    pub address: String,
    /// `None` for a broker without users.
    pub login: Option<Login>,
    /// `None`: everything is sent in the clear.
    pub tls: Option<Tls>,
    /// Wished interval of heart-beats in both directions; zero: none.
    pub heart_beat: Duration,
    /// How long TCP connect and CONNECT may take together.
    pub connect_timeout: Duration,
    /// How long the broker may refuse to read before the connection is given up.
    pub write_timeout: Duration,
    /// How much of what may be dropped can wait for a slow broker, in bytes; see [`super::Outgoing::offer`].
    pub bulk_bytes: usize,
    /// Bounds on what the broker may send.
    pub limits: Limits,
}

/// A user name at the broker, and where its passcode is.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// Looked up for each connection, so that a changed one is seen.
    pub passcode: SecretSource,
}

impl Login {
    fn fetch(&self) -> Result<Secret, LinkError> {
        let fetched = self.passcode.resolve();
        fetched.map_err(|fault| LinkError::Passcode(fault.message))
    }
}

impl Target {
    /// The CONNECT frame. tokio-stomp's would escape `:` too and leave no way to keep a login as it is. Blocks.
    ///
    /// # Errors
    /// [`LinkError::Passcode`], or [`LinkError::Frame`] when a login is longer than the broker reads or holds a NUL.
    pub fn connect_frame(&self) -> Result<Zeroizing<Vec<u8>>, LinkError> {
        // With room for all of it, the buffer never moves and leaves no passcode behind.
        let mut frame = Zeroizing::new(Vec::with_capacity(4 * MAX_HEADER_LINE));
        frame.extend_from_slice(b"CONNECT\naccept-version:1.2\n");
        header(&mut frame, "host", self.host())?;
        if let Some(login) = &self.login {
            header(&mut frame, "login", &login.user)?;
            header(&mut frame, "passcode", login.fetch()?.expose())?;
        }
        let beat = self.heart_beat.as_millis();
        frame.extend_from_slice(format!("heart-beat:{beat},{beat}\n\n\0").as_bytes());
        Ok(frame)
    }

    /// Without the port, and without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self
            .address
            .rsplit_once(':')
            .map_or(&*self.address, |(host, _)| host);
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }
}

fn header(frame: &mut Vec<u8>, name: &str, value: &str) -> Result<(), EncodeError> {
    if value.contains('\0') {
        return Err(EncodeError::NulInText);
    }
    let before = frame.len();
    frame.extend_from_slice(name.as_bytes());
    frame.push(b':');
    escape_connect(value, frame);
    let length = frame.len() - before;
    if length > MAX_HEADER_LINE {
        return Err(EncodeError::HeaderTooLong {
            name: name.to_owned(),
            length,
            limit: MAX_HEADER_LINE,
        });
    }
    frame.push(b'\n');
    Ok(())
}

/// Shows the user, never the passcode.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|login| &login.user);
        f.debug_struct("Target")
            .field("address", &self.address)
            .field("user", &user)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(passcode: &str) -> Target {
        Target {
            address: "broker:61613".into(),
            login: Some(Login {
                user: "ibex".into(),
                passcode: SecretSource::Value(passcode.into()),
            }),
            tls: None,
            heart_beat: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(1),
            bulk_bytes: 1_000,
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_backslash_is_doubled_and_a_colon_stays() {
        let frame = target(r"a:\b").connect_frame().unwrap();
        let expected = "CONNECT\naccept-version:1.2\nhost:broker\nlogin:ibex\npasscode:a:\\\\b\nheart-beat:5000,5000\n\n\0";
        assert_eq!(std::str::from_utf8(&frame).unwrap(), expected);
    }

    #[test]
    fn a_passcode_is_never_shown() {
        assert!(!format!("{:?}", target("s3cret")).contains("s3cret"));
        let error = target(&"x".repeat(20_000)).connect_frame().unwrap_err();
        assert!(!error.to_string().contains("xxx"), "{error}");
    }
}
