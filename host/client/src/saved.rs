//! What is remembered between two calls: where the gateway is, who we are, and the password if that was wished.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::complaint::{Complaint, Result};
use crate::unix;

/// No such file is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// The file `client.json`, which only its owner can read. Not to be printed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connect: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<Zeroizing<String>>,
}

impl Saved {
    /// What was saved, if anything.
    ///
    /// # Errors
    /// When the file is there but cannot be used.
    pub(crate) fn load() -> Result<Self> {
        let Some(path) = file() else {
            return Ok(Self::default());
        };
        Self::load_from(&path).map_err(|error| {
            Complaint::local(format!("{} cannot be used: {error}", path.display()))
                .advice("`patchbay client logout` removes it")
        })
    }

    fn load_from(path: &Path) -> io::Result<Self> {
        let file = match std::fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            file => file?,
        };
        if !unix::is_private(&file)? {
            return Err(io::Error::other("others than its owner can read it"));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST).read_to_string(&mut text)?;
        serde_json::from_str(&text).map_err(|_| io::Error::other("it is damaged"))
    }

    /// Saves it; where.
    ///
    /// # Errors
    /// When there is no place for it.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let path = file().ok_or_else(|| {
            Complaint::local("there is no place to remember a login: HOME is not set")
        })?;
        match self.save_to(&path) {
            Ok(()) => Ok(path),
            Err(error) => {
                let path = path.display();
                Err(Complaint::local(format!(
                    "{path} cannot be written: {error}"
                )))
            }
        }
    }

    fn save_to(&self, path: &Path) -> io::Result<()> {
        let text = Zeroizing::new(serde_json::to_string(self)?);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("new");
        unix::create_private(&new)?.write_all(text.as_bytes())?;
        std::fs::rename(&new, path)
    }
}

/// Forgets everything; whether there was something.
pub(crate) fn forget() -> Result<bool> {
    let Some(path) = file() else {
        return Ok(false);
    };
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let path = path.display();
            Err(Complaint::local(format!(
                "{path} cannot be removed: {error}"
            )))
        }
    }
}

fn file() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("client.json"))
}

/// Where the lines that were typed at the prompt are kept.
pub(crate) fn history() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state").map(|folder| folder.join("client-history"))
}

fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let base = named.filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(std::env::home_dir()?.join(below_home)));
    base.map(|base| base.join("patchbay"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_private_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/client.json");
        assert!(Saved::load_from(&path).unwrap().user.is_none());
        let saved = Saved {
            user: Some("anna".into()),
            password: Some("geheim".to_owned().into()),
            ..Saved::default()
        };
        saved.save_to(&path).unwrap();
        saved.save_to(&path).unwrap();
        assert!(unix::is_private(&std::fs::File::open(&path).unwrap()).unwrap());
        let loaded = Saved::load_from(&path).unwrap();
        assert_eq!(loaded.user.as_deref(), Some("anna"));
        assert_eq!(loaded.password.unwrap().as_str(), "geheim");
    }

    #[test]
    fn a_damaged_file_is_said_to_be_so_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.json");
        let mut file = unix::create_private(&path).unwrap();
        file.write_all(br#"{"password": geheim"#).unwrap();
        let error = Saved::load_from(&path).err().unwrap().to_string();
        assert_eq!(error, "it is damaged");
    }
}
