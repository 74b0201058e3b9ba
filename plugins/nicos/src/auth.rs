//! How a password reaches the daemon.
//!
//! Source: `handle` in NICOS's `nicos/services/daemon/handler.py`, and for digests the releases before 3.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Fault, FaultKind, Secret};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Digest;
use zeroize::Zeroizing;

use patchbay_sdk::schemars;

use crate::banner::Banner;

/// How to send passwords to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordForm {
    /// Encrypted with the key that the daemon makes for each connection; as with `plain` if it has none. Passwords of at
    /// most 53 bytes. The key is so short that only a tunnel, or staying on one machine, truly protects the password.
    #[default]
    Rsa,
    /// As it is, or hashed if a daemon before NICOS 3.0 wants that. For passwords of more than 53 bytes.
    Plain,
}

/// The arguments of `authenticate`.
///
/// # Errors
/// `Unauthorized` if the password cannot be sent in this form, `Protocol` if the daemon's key is no key, `Unsupported`
/// if the daemon wants a form that is not known here.
pub fn credentials(
    user: &str,
    secret: &Secret,
    banner: &Banner,
    form: PasswordForm,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let has_key = banner.pw_hashing.split(',').any(|way| way == RSA);
    let passwd = match form {
        // Even if the daemon compares hashes: it makes them itself from what it has decrypted.
        PasswordForm::Rsa if has_key => encrypted(secret, banner)?,
        _ => hashed(secret, banner)?,
    };
    Ok(arguments(user, &passwd))
}

const RSA: &str = "rsa";

/// A tuple of one dict in pickle protocol 2, of which nothing stays in memory: room for all is made at once.
fn arguments(user: &str, passwd: &str) -> Zeroizing<Vec<u8>> {
    // `display` is ignored since NICOS 3.4, and demanded before.
    let texts = ["login", user, "passwd", passwd, "display", ""];
    let room = texts
        .iter()
        .map(|text| text.len() + TEXT_HEADER)
        .sum::<usize>();
    let mut out = Zeroizing::new(Vec::with_capacity(room + FRAME_OF_DICT));
    out.extend(b"\x80\x02}(");
    for text in texts {
        // No password comes near 4 GiB; one that did would be refused by the daemon, not misread.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        out.push(b'X');
        out.extend(length.to_le_bytes());
        out.extend(text.as_bytes());
    }
    out.extend(b"u\x85.");
    out
}

/// Bytes before a text, and around the dict.
const TEXT_HEADER: usize = 5;
const FRAME_OF_DICT: usize = 7;

fn encrypted(secret: &Secret, banner: &Banner) -> Result<Zeroizing<String>, Fault> {
    let key = key(banner).ok_or_else(|| {
        let message = "the daemon's public key cannot be read; set `password = \"plain\"` if the network is safe";
        Fault::new(FaultKind::Protocol, message)
    })?;
    let cipher = key
        .encrypt(&mut OsRng, Pkcs1v15Encrypt, secret.expose().as_bytes())
        .map_err(|_| {
            let message = "the password is longer than the 53 bytes that NICOS's key can encrypt; \
                       use a shorter one, or set `password = \"plain\"` if the network is safe";
            Fault::new(FaultKind::Unauthorized, message)
        })?;
    Ok(Zeroizing::new(format!("RSA:{}", STANDARD.encode(cipher))))
}

/// Older daemons break the base64 into lines, hence the filter.
fn key(banner: &Banner) -> Option<RsaPublicKey> {
    let base64: Vec<u8> = banner
        .rsakey
        .as_ref()?
        .bytes()?
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let pem = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
    RsaPublicKey::from_pkcs1_pem(&pem).ok()
}

/// In the form that the daemon's list of users has it in.
fn hashed(secret: &Secret, banner: &Banner) -> Result<Zeroizing<String>, Fault> {
    let mut ways = banner.pw_hashing.split(',');
    match ways.rfind(|way| *way != RSA) {
        Some("sha1") => Ok(digest::<sha1::Sha1>(secret)),
        Some("md5") => Ok(digest::<md5::Md5>(secret)),
        Some("plain") => plain(secret),
        _ => {
            let ways = banner.pw_hashing.escape_debug();
            let message = format!("NICOS wants passwords as `{ways}`, which is not known here");
            Err(Fault::new(FaultKind::Unsupported, message))
        }
    }
}

/// In lower-case hexadecimal.
fn digest<D: Digest>(secret: &Secret) -> Zeroizing<String> {
    let digest = D::digest(secret.expose().as_bytes());
    let mut hex = Zeroizing::new(String::with_capacity(2 * digest.len()));
    for nibble in digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
        hex.extend(char::from_digit(nibble.into(), 16));
    }
    hex
}

fn plain(secret: &Secret) -> Result<Zeroizing<String>, Fault> {
    if secret.expose().starts_with("RSA:") {
        let message = "a password that begins with `RSA:` cannot be sent as it is";
        return Err(Fault::new(FaultKind::Unauthorized, message));
    }
    Ok(Zeroizing::new(secret.expose().to_owned()))
}
