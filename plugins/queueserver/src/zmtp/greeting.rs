//! The first 64 bytes, which each side sends.

use super::ZmtpError;

/// How long a greeting is.
pub const GREETING: usize = 64;
const MECHANISM: std::ops::Range<usize> = 12..32;

/// Ours: version 3.0, no security, a client.
#[must_use]
pub fn greeting() -> [u8; GREETING] {
    let mut bytes = [0; GREETING];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[12..16].copy_from_slice(b"NULL");
    bytes
}

/// Checks the peer's.
///
/// # Errors
/// What keeps us from speaking with it.
pub fn read_greeting(bytes: &[u8; GREETING]) -> Result<(), ZmtpError> {
    if bytes[0] != 0xff || bytes[9] & 1 == 0 {
        return Err(ZmtpError::NotZmtp);
    }
    if bytes[10] < 3 {
        return Err(ZmtpError::Version(bytes[10]));
    }
    let mechanism = &bytes[MECHANISM];
    let end = mechanism
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(mechanism.len());
    match &mechanism[..end] {
        b"NULL" => Ok(()),
        other => Err(ZmtpError::Mechanism(
            String::from_utf8_lossy(other).into_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_accepted_and_others_are_named() {
        assert_eq!(read_greeting(&greeting()), Ok(()));
        let mut curve = greeting();
        curve[12..17].copy_from_slice(b"CURVE");
        let mechanism = ZmtpError::Mechanism("CURVE".into());
        assert_eq!(read_greeting(&curve), Err(mechanism));
        let mut old = greeting();
        old[10] = 1;
        assert_eq!(read_greeting(&old), Err(ZmtpError::Version(1)));
        assert_eq!(
            read_greeting(&[b'H'; GREETING]),
            Err(ZmtpError::NotZmtp),
            "an HTTP server"
        );
    }
}
