//! Passwords: what is asked of a new one, how it is kept, how one is checked.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use patchbay_abi::Secret;

/// No new password is shorter, in characters.
pub const LEAST_CHARACTERS: usize = 8;

/// No password is longer, in bytes.
pub const MOST_BYTES: usize = 1024;

/// What checking one password may take, whatever the file says: memory in KiB, passes, lanes.
const MOST: (u32, u32, u32) = (256 * 1024, 16, 16);

/// Whether that may be the password of that user.
///
/// # Errors
/// The rule that it breaks.
pub fn check_new(user: &str, password: &str) -> Result<(), String> {
    match password.chars().count() {
        0 => Err("an empty password lets everybody in".to_owned()),
        short if short < LEAST_CHARACTERS => Err(format!(
            "the password has {short} characters; {LEAST_CHARACTERS} is the least"
        )),
        _ if password.len() > MOST_BYTES => {
            Err(format!("the password has more than {MOST_BYTES} bytes"))
        }
        _ if password.eq_ignore_ascii_case(user) => {
            Err("the password is the user's own name".to_owned())
        }
        _ if password.contains(char::is_control) => {
            Err("the password has control characters in it, which clients cannot send".to_owned())
        }
        _ => Ok(()),
    }
}

/// What is kept of a password: argon2id with a salt of its own.
///
/// # Errors
/// If the system gives no memory or no random numbers.
pub fn hash(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| format!("the password cannot be hashed: {error}"))
}

/// Whether a hash is one that can be checked here, at a price that somebody may have meant.
pub(super) fn check_hash(hash: &str) -> Result<(), String> {
    let hash = PasswordHash::new(hash).map_err(|error| format!("no hash ({error})"))?;
    if hash.algorithm != argon2::ARGON2ID_IDENT {
        return Err(format!("a hash by {}, not argon2id", hash.algorithm));
    }
    let params = Params::try_from(&hash).map_err(|error| format!("no hash ({error})"))?;
    let (memory, passes, lanes) = MOST;
    match params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes {
        true => Ok(()),
        false => Err(format!(
            "a hash that is too dear to check (more than m={memory},t={passes},p={lanes})"
        )),
    }
}

/// Whether that is the password. Takes tens of milliseconds.
pub(super) fn fits(hash: &str, password: &Secret) -> bool {
    let sent = password.expose().as_bytes();
    sent.len() <= MOST_BYTES
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(sent, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_said() {
        let broken = |password: &str| check_new("anna", password).unwrap_err();
        assert_eq!(broken(""), "an empty password lets everybody in");
        assert_eq!(
            broken("1234567"),
            "the password has 7 characters; 8 is the least"
        );
        assert!(broken(&"x".repeat(1025)).contains("1024 bytes"));
        assert!(broken("with\ttab in it").contains("control"));
        assert!(check_new("sonnenschein", "Sonnenschein").is_err());
        assert_eq!(check_new("anna", "längliche"), Ok(()));
    }

    #[test]
    fn a_hash_fits_its_password_only_and_no_two_are_alike() {
        let kept = hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(fits(&kept, &Secret::new("correct horse")));
        assert!(!fits(&kept, &Secret::new("correct horsf")));
        assert_ne!(kept, hash("correct horse").unwrap());
    }

    #[test]
    fn hashes_that_are_none_or_too_dear_are_refused() {
        let dear = "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(check_hash(dear).unwrap_err().contains("too dear"));
        let other = dear.replace("argon2id", "argon2i");
        assert!(check_hash(&other).unwrap_err().contains("not argon2id"));
        assert!(check_hash("geheim").is_err());
    }
}
