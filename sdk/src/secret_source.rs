//! Where a configuration's password really is.

use patchbay_abi::{Fault, FaultKind, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use std::io::Read;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// No password is longer than this, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A password's place, in a configuration: `{ file = "…" }`, `{ env = "…" }` or, where it does not
/// matter, `{ value = "…" }`.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// The first line of a file.
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
    /// `Internal`, naming the file or variable that cannot be read; never its contents.
    pub fn resolve(&self) -> Result<Secret, Fault> {
        let fault = |why: String| Fault::new(FaultKind::Internal, why);
        match self {
            SecretSource::Value(value) => Ok(Secret::new(value.as_str())),
            SecretSource::Env(name) => std::env::var(name)
                .map(Secret::new)
                .map_err(|_| fault(format!("the environment variable {name} is not set"))),
            SecretSource::File(path) => read_first_line(path)
                .map_err(|error| fault(format!("the secret file {}: {error}", path.display()))),
        }
    }
}

fn read_first_line(path: &std::path::Path) -> std::io::Result<Secret> {
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
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
        let error = SecretSource::File("/no/such/file".into()).resolve().unwrap_err();
        assert!(error.message.contains("/no/such/file"), "{error}");
    }
}
