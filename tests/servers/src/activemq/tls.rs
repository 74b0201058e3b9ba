//! Key stores for a broker with a `stomp+ssl` connector, made by the JDK's keytool.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::progress::silent;
use crate::{spawner, step};

/// Guards nothing but a test's keys.
const PASSWORD: &str = "changeit";
const KEYS: &str = "broker.p12";
const CLIENTS: &str = "clients.p12";
const CERTIFICATE: &str = "broker.pem";

/// How a broker's STOMP port is kept private.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {
    /// The certificate, in PEM, that clients have to show; `None`: they need none.
    pub client: Option<PathBuf>,
}

impl Tls {
    /// Makes a key for 127.0.0.1 with a certificate of its own signature, and the list of clients.
    pub fn make_stores(&self, dir: &Path) -> Result<()> {
        let [keys, clients, certificate] = [KEYS, CLIENTS, CERTIFICATE].map(|name| dir.join(name));
        let key = "-genkeypair -alias broker -keyalg EC -dname CN=broker -ext san=ip:127.0.0.1";
        keytool(key, &[("-keystore", &keys)])?;
        let export = "-exportcert -rfc -alias broker";
        keytool(export, &[("-keystore", &keys), ("-file", &certificate)])?;
        if let Some(client) = &self.client {
            let import = "-importcert -noprompt -alias client";
            keytool(import, &[("-keystore", &clients), ("-file", client)])?;
        }
        Ok(())
    }

    /// What stands in `broker.xml`.
    pub fn context(&self, dir: &Path) -> String {
        let store = |which: &str, name: &str| {
            let path = dir.join(name);
            let path = path.display();
            format!(
                r#"{which}Store="file:{path}" {which}StorePassword="{PASSWORD}" {which}StoreType="PKCS12""#
            )
        };
        let clients = self.client.as_ref().map(|_| store("trust", CLIENTS));
        format!(
            "<sslContext><sslContext {} {}/></sslContext>",
            store("key", KEYS),
            clients.unwrap_or_default()
        )
    }
}

/// Where the broker's certificate is, in PEM.
pub(super) fn certificate(dir: &Path) -> PathBuf {
    dir.join(CERTIFICATE)
}

fn keytool(words: &str, files: &[(&str, &Path)]) -> Result<()> {
    let mut keytool = spawner::guarded("keytool");
    keytool.args(["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]);
    keytool.args(words.split(' '));
    keytool.args(["-storetype", "PKCS12", "-storepass", PASSWORD]);
    for (option, path) in files {
        keytool.arg(option).arg(path);
    }
    step::run("making the broker's keys", keytool, &silent)
}
