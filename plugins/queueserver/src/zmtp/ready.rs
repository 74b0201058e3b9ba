//! The command with which each side says what kind of socket it is.

use super::{Kind, ZmtpError};

/// Ours, as a command's body.
#[must_use]
pub fn ready(kind: Kind) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    property(&mut body, b"Socket-Type", kind.name().as_bytes());
    property(&mut body, b"Identity", b"");
    body
}

/// Checks the peer's.
///
/// # Errors
/// If it is another command, or a socket that ours cannot speak with.
pub fn read_ready(kind: Kind, body: &[u8]) -> Result<(), ZmtpError> {
    let (name, mut rest) = short(body).ok_or(ZmtpError::Garbage("a command without a name"))?;
    if name == b"ERROR" {
        let why = short(rest).map_or(&b""[..], |(why, _)| why);
        return Err(ZmtpError::Refused(
            String::from_utf8_lossy(why).into_owned(),
        ));
    }
    if name != b"READY" {
        return Err(ZmtpError::Garbage("another command than READY"));
    }
    while let Some((name, value, after)) = next_property(rest) {
        rest = after;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            let peer = String::from_utf8_lossy(value).into_owned();
            return match kind.suits(&peer) {
                true => Ok(()),
                false => Err(ZmtpError::Socket(peer)),
            };
        }
    }
    Err(ZmtpError::Garbage("READY without a socket type"))
}

fn property(body: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    body.push(name.len() as u8);
    body.extend_from_slice(name);
    body.extend_from_slice(&(value.len() as u32).to_be_bytes());
    body.extend_from_slice(value);
}

fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

fn next_property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = short(bytes)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((name, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(socket: &str) -> Vec<u8> {
        let mut body = b"\x05READY".to_vec();
        property(&mut body, b"Identity", b"x");
        property(&mut body, b"socket-type", socket.as_bytes());
        body
    }

    #[test]
    fn a_socket_that_suits_is_accepted() {
        assert_eq!(read_ready(Kind::Req, &peer("REP")), Ok(()));
        assert_eq!(read_ready(Kind::Sub, &peer("PUB")), Ok(()));
        let mixed = ZmtpError::Socket("PUB".into());
        assert_eq!(read_ready(Kind::Req, &peer("PUB")), Err(mixed));
    }

    #[test]
    fn nonsense_is_refused_and_not_believed() {
        for body in [
            &b""[..],
            b"\x09READY",
            b"\x04PING",
            b"\x05READY\xff",
            b"\x05READY\x01a\xff\xff\xff\xff",
        ] {
            assert!(read_ready(Kind::Req, body).is_err());
        }
        let refused = ZmtpError::Refused("no".into());
        assert_eq!(read_ready(Kind::Req, b"\x05ERROR\x02no"), Err(refused));
    }
}
