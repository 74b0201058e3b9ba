//! The servers and the gateway.

use std::path::PathBuf;

use anyhow::{Context, Result};
use patchbay_servers::{ActiveMq, Gateway, Nicos};
use patchbay_testkit::build;

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]

[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "@NICOS@"
observer = { login = "admin", secret = { file = "@DIR@/nicos-admin" } }

[[frontend]]
id = "ibex"
plugin = "activemq"
backend = "nicos"
[frontend.config]
broker = "@STOMP@"
default_login = { user = "ibex", secret = { file = "@DIR@/nicos-admin" } }
[[frontend.login]]
client_user = "ibex"
user = "admin"
secret = { file = "@DIR@/nicos-admin" }
"#;

/// An instrument.
pub struct Site {
    pub gateway: Gateway,
    pub broker: ActiveMq,
    pub nicos: Nicos,
    /// Where each script that runs writes its line.
    pub runs: PathBuf,
}

impl Site {
    /// Starts everything.
    pub fn start() -> Result<Self> {
        let say = |what: &str| println!("  {what}");
        let nicos = Nicos::start(&say)?;
        let broker = ActiveMq::options().persistent(true).start(&say)?;
        for plugin in ["nicos", "activemq"] {
            build::plugin(plugin);
        }
        build::package("patchbay");
        let config = CONFIG
            .replace("@NICOS@", &nicos.address().to_string())
            .replace("@STOMP@", &broker.stomp().to_string());
        // Where cargo has put this program, it puts the gateway and its plugins.
        let own = std::env::current_exe()?;
        let folder = own.parent().context("this program lies nowhere")?;
        let gateway = Gateway::options(&folder.join("patchbay"), folder, &config)
            .secret("nicos-admin", "admin")
            .start(&say)?;
        let runs = std::env::temp_dir().join(format!("patchbay-soak-{}", std::process::id()));
        std::fs::write(&runs, "").context("making the file that scripts write to")?;
        Ok(Self {
            gateway,
            broker,
            nicos,
            runs,
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.runs);
    }
}
