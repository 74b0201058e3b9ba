//! Where the broker is and how we log in.

use std::fmt;
use std::time::Duration;

use patchbay_sdk::Secret;

use super::error::EncodeError;
use super::limits::Limits;
use super::text::escape_connect;

/// The longest header line that ActiveMQ reads, in bytes.
pub const MAX_HEADER_LINE: usize = 10 * 1024;

/// One broker, with everything that a connection to it needs.
#[derive(Clone)]
pub struct Target {
    /// `host:port`.
    pub address: String,
    /// User name and passcode; `None` for a broker without users.
    pub login: Option<(String, Secret)>,
    /// Wished interval of heart-beats in both directions; zero: none.
    pub heart_beat: Duration,
    /// How long TCP connect and CONNECT may take together.
    pub connect_timeout: Duration,
    /// How long the broker may refuse to read before the connection is given up.
    pub write_timeout: Duration,
    /// Bounds on what the broker may send.
    pub limits: Limits,
}

impl Target {
    /// The CONNECT frame. tokio-stomp's would escape `:` too and leave no way to keep a login as it is.
    ///
    /// # Errors
    /// [`EncodeError`] when a login is longer than the broker reads or holds a NUL.
    pub fn connect_frame(&self) -> Result<Vec<u8>, EncodeError> {
        let mut frame = b"CONNECT\naccept-version:1.2\n".to_vec();
        header(&mut frame, "host", self.host())?;
        if let Some((user, passcode)) = &self.login {
            header(&mut frame, "login", user)?;
            header(&mut frame, "passcode", passcode.expose())?;
        }
        let beat = self.heart_beat.as_millis();
        frame.extend_from_slice(format!("heart-beat:{beat},{beat}\n\n\0").as_bytes());
        Ok(frame)
    }

    fn host(&self) -> &str {
        self.address
            .rsplit_once(':')
            .map_or(&*self.address, |(host, _)| host)
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
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("Target")
            .field("address", &self.address)
            .field("user", &user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(passcode: &str) -> Target {
        Target {
            address: "broker:61613".into(),
            login: Some(("ibex".into(), Secret::new(passcode))),
            heart_beat: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(1),
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_backslash_is_doubled_and_a_colon_stays() {
        let frame = target(r"a:\b").connect_frame().unwrap();
        let expected = "CONNECT\naccept-version:1.2\nhost:broker\nlogin:ibex\npasscode:a:\\\\b\nheart-beat:5000,5000\n\n\0";
        assert_eq!(String::from_utf8(frame).unwrap(), expected);
    }

    #[test]
    fn a_passcode_is_never_shown() {
        assert!(!format!("{:?}", target("s3cret")).contains("s3cret"));
        let error = target(&"x".repeat(20_000)).connect_frame().unwrap_err();
        assert!(!error.to_string().contains("xxx"), "{error}");
    }
}
