//! How a password reaches the daemon.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Fault, FaultKind, Secret};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_pickle::SerOptions;
use zeroize::Zeroizing;

use patchbay_sdk::schemars;

use crate::banner::Banner;

/// How to send passwords to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordForm {
    /// Encrypted with the key that the daemon makes for each connection. Passwords of at most 53 bytes. The key is so
    /// short that only a tunnel, or staying on one machine, truly protects the password.
    #[default]
    Rsa,
    /// As it is. For passwords of more than 53 bytes.
    Plain,
}

/// The arguments of `authenticate`.
///
/// # Errors
/// `Unauthorized` if the password cannot be sent in this form, `Protocol` if the daemon's key is no key.
pub fn credentials(
    user: &str,
    secret: &Secret,
    banner: &Banner,
    form: PasswordForm,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let passwd = match form {
        PasswordForm::Rsa if banner.pw_hashing.split(',').any(|way| way == "rsa") => {
            encrypted(secret, banner)?
        }
        _ => plain(secret)?,
    };
    let credentials = Credentials {
        login: user,
        passwd: &passwd,
        display: "",
    };
    let payload = serde_pickle::to_vec(&(credentials,), SerOptions::new().proto_v2());
    let payload = payload
        .map_err(|_| Fault::new(FaultKind::Internal, "the credentials could not be encoded"))?;
    Ok(Zeroizing::new(payload))
}

#[derive(Serialize)]
struct Credentials<'a> {
    login: &'a str,
    passwd: &'a str,
    /// Ignored since NICOS 3.4, demanded before.
    display: &'a str,
}

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
    let bytes = STANDARD.decode(&banner.rsakey.as_ref()?.base64).ok()?;
    let base64: Vec<u8> = bytes
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let pem = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
    RsaPublicKey::from_pkcs1_pem(&pem).ok()
}

fn plain(secret: &Secret) -> Result<Zeroizing<String>, Fault> {
    if secret.expose().starts_with("RSA:") {
        let message = "a password that begins with `RSA:` cannot be sent as it is";
        return Err(Fault::new(FaultKind::Unauthorized, message));
    }
    Ok(Zeroizing::new(secret.expose().to_owned()))
}
