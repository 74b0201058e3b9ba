//! Where a configuration's password really is.

use patchbay_abi::{Fault, FaultKind, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// No file that a password is read from is larger, in bytes.
const LARGEST: usize = 64 * 1024;

/// A password's place, in a configuration: `{ file = "…" }`, `{ env = "…" }` or, where it does not
/// matter, `{ value = "…" }`.
///
/// ```
/// # use patchbay_sdk::SecretSource;
/// let source: SecretSource = serde_json::from_str(r#"{"file": "/no/such/file"}"#).unwrap();
/// let fault = source.resolve().unwrap_err();
/// assert!(fault.message.contains("/no/such/file"), "says where it was looked for, never what was there");
/// ```
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// An ordinary file of at most 64 KiB; one newline at its end is dropped.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The password itself, in plain sight.
    Value(String),
}

impl SecretSource {
    /// Fetches it; anew each time, so that a changed file is seen.
    ///
    /// # Errors
    /// `Internal`, naming the file or variable and what is wrong with it; never its contents.
    pub fn resolve(&self) -> Result<Secret, Fault> {
        self.fetch()
            .map_err(|why| Fault::new(FaultKind::Internal, format!("no secret in {self:?}: {why}")))
    }

    /// As [`SecretSource::resolve`], with only what is wrong, for those who show the place anyway.
    ///
    /// ```
    /// # use patchbay_sdk::SecretSource;
    /// let source = SecretSource::Env("PATCHBAY_NO_SUCH_VARIABLE".into());
    /// assert_eq!(source.fetch().unwrap_err(), "it is not set");
    /// ```
    ///
    /// # Errors
    /// What is wrong with the file or variable.
    pub fn fetch(&self) -> Result<Secret, String> {
        match self {
            SecretSource::Value(value) => Ok(Secret::new(value.as_str())),
            SecretSource::Env(name) => from_env(name),
            SecretSource::File(path) => from_file(path),
        }
    }
}

fn from_env(name: &str) -> Result<Secret, String> {
    let text = std::env::var_os(name).ok_or("it is not set")?;
    let text = text.into_string().map_err(|_| "it is not UTF-8 text")?;
    not_empty(&Zeroizing::new(text))
}

fn from_file(path: &Path) -> Result<Secret, String> {
    let bytes = read(path).map_err(|error| format!("cannot read it: {error}"))?;
    if bytes.len() > LARGEST {
        return Err("it is larger than 64 KiB; is it the right file?".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    not_empty(text)
}

fn not_empty(text: &str) -> Result<Secret, String> {
    match text.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(Secret::new(text)),
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // A pipe or a device could keep us waiting for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    // With room for all of it, the buffer never moves and leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 64));
    std::fs::File::open(path)?
        .take(LARGEST as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SecretSource::File(path) => write!(f, "file {}", path.display()),
            SecretSource::Env(name) => write!(f, "environment variable {name}"),
            SecretSource::Value(_) => f.write_str("a value in plain text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_debug_never_show_the_password() {
        let shown = format!("{:?}", SecretSource::Value("hunter2".into()));
        assert!(!shown.contains("hunter2"));
        let error = SecretSource::File("/no/such/file".into())
            .resolve()
            .unwrap_err();
        assert!(error.message.contains("/no/such/file"), "{error}");
    }
}
