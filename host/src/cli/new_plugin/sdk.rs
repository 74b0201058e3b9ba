//! Where a new crate gets the SDK from, as long as it is in no registry.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the SDK is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sdk {
    /// In the `sdk` of a checkout.
    Folder(PathBuf),
    /// In a repository, at a revision or a tag.
    Git { url: String, revision: String },
}

/// Within the SDK's folder: its crates that a plugin names.
const CRATES: [(&str, &str); 2] = [("patchbay-sdk", ""), ("patchbay-testkit", "testkit")];

impl Sdk {
    /// The checkout in which this program lies, below its `target`.
    pub(super) fn around_this_program() -> Option<Sdk> {
        let program = std::env::current_exe().ok()?.canonicalize().ok()?;
        program.ancestors().skip(1).find_map(in_checkout)
    }

    /// What `Cargo.toml` says of that crate of the SDK.
    pub(super) fn dependency(&self, name: &str) -> String {
        let within = CRATES.iter().find(|(of, _)| *of == name);
        let (_, within) = within.copied().unwrap_or_default();
        match self {
            Sdk::Folder(folder) => {
                let path = folder.join(within);
                let path = path.display().to_string();
                format!(
                    "{name} = {{ path = {} }}",
                    quoted(path.trim_end_matches('/'))
                )
            }
            Sdk::Git { url, revision } => {
                format!(
                    "{name} = {{ git = {}, rev = {} }}",
                    quoted(url),
                    quoted(revision)
                )
            }
        }
    }
}

/// Text as TOML has it. What JSON escapes, TOML reads the same way.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl FromStr for Sdk {
    type Err = String;

    fn from_str(said: &str) -> Result<Self, String> {
        if said.chars().any(char::is_control) {
            return Err("it has a control character in it".to_owned());
        }
        if Path::new(said).is_dir() {
            let folder = Path::new(said).canonicalize();
            let folder = folder.map_err(|error| format!("it cannot be looked into: {error}"))?;
            return in_checkout(&folder).ok_or_else(|| {
                "there is no SDK in that folder; name a checkout of Patchbay, or the folder `sdk` of one".to_owned()
            });
        }
        match said.rsplit_once('@') {
            Some((url, revision)) if is_url(url) && is_revision(revision) => Ok(Sdk::Git {
                url: url.to_owned(),
                revision: revision.to_owned(),
            }),
            _ if is_url(said) => Err(
                "a revision is missing, so that the crate would change when the repository does: say URL@REV".to_owned(),
            ),
            _ => Err("there is no such folder, and it is no URL@REV".to_owned()),
        }
    }
}

fn is_url(said: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && c != '"' && c != '\\';
    said.contains("://") && said.chars().all(plain)
}

/// A revision or a tag, as far as one is needed to say.
fn is_revision(said: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    !said.is_empty() && said.chars().all(fits)
}

/// The SDK of a checkout whose folder, or whose `sdk`, this is.
fn in_checkout(folder: &Path) -> Option<Sdk> {
    let has_sdk = |folder: &PathBuf| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|text| text.contains("name = \"patchbay-sdk\""))
            && folder.join("testkit/Cargo.toml").is_file()
    };
    let candidates = [folder.join("sdk"), folder.to_owned()];
    candidates.into_iter().find(has_sdk).map(Sdk::Folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_needs_a_revision_and_a_user_in_its_url_is_none() {
        let read = |said: &str| said.parse::<Sdk>();
        let git = read("ssh://git@example.org/patchbay.git@v1.0").unwrap();
        assert_eq!(
            git.dependency("patchbay-testkit"),
            r#"patchbay-testkit = { git = "ssh://git@example.org/patchbay.git", rev = "v1.0" }"#
        );
        let without = read("ssh://git@example.org/patchbay.git").unwrap_err();
        assert!(without.contains("a revision is missing"), "{without}");
        assert!(read("https://example.org/a\"b@v1").is_err());
        assert!(read("nowhere").unwrap_err().contains("no such folder"));
    }

    #[test]
    fn a_folder_is_a_checkout_or_its_sdk_and_nothing_else() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let sdk = checkout.to_str().unwrap().parse::<Sdk>().unwrap();
        assert_eq!(
            checkout.join("sdk").to_str().unwrap().parse(),
            Ok(sdk.clone())
        );
        let found = checkout.join("sdk/testkit");
        assert_eq!(
            sdk.dependency("patchbay-testkit"),
            format!("patchbay-testkit = {{ path = \"{}\" }}", found.display())
        );
        let elsewhere = tempfile::tempdir().unwrap();
        let why = elsewhere
            .path()
            .to_str()
            .unwrap()
            .parse::<Sdk>()
            .unwrap_err();
        assert!(why.contains("no SDK in that folder"), "{why}");
    }
}
