//! An instrument with three script servers, NICOS, an RE Manager and plain Python, before which clients cannot tell one
//! from another: one gateway with a broker's queue and a socket, and JMS clients.

use crate::{Client, IBEX_PASSWORD, Lines, gateway, wait_until};
use patchbay_servers::{ActiveMq, Connect, Gateway, Jms, Nicos, QueueServer, free_port, silent};
use patchbay_testkit::build;
use serde_json::json;
use std::process::{Child, Command, Stdio};

/// Everything, as operators and clients use it.
pub struct Trio {
    /// The JMS clients' process.
    pub jms: Jms,
    /// The gateway.
    pub gateway: Gateway,
    /// The broker.
    pub broker: ActiveMq,
    // Kept until the gateway has ended.
    _queueserver: QueueServer,
    _nicos: Nicos,
    address: String,
}

/// The backends by their ids, in the order in which they are shown.
pub const SERVERS: [&str; 3] = ["nicos", "queueserver", "python"];

/// The frontends by their ids.
pub const FRONTENDS: [&str; 2] = ["ibex", "local"];

impl Trio {
    /// Starts everything; when it returns, scripts can run at all three. Both frontends lead to NICOS.
    pub fn start() -> Trio {
        let nicos = Nicos::options().cache(true).start(&silent).unwrap();
        let queueserver = QueueServer::start(&silent).unwrap();
        let broker = ActiveMq::start(&silent).unwrap();
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let config = CONFIG
            .replace("@NICOS@", &nicos.address().to_string())
            .replace("@CONTROL@", &queueserver.control().to_string())
            .replace("@INFO@", &queueserver.info().to_string())
            .replace("@STOMP@", &broker.stomp().to_string())
            .replace("@SOCKET@", &address);
        let plugins = ["nicos", "queueserver", "python", "activemq", "socket"];
        let trio = Trio {
            jms: Jms::start(&silent).unwrap(),
            gateway: gateway(&config, &plugins),
            broker,
            _queueserver: queueserver,
            _nicos: nicos,
            address,
        };
        trio.wait_until_ready();
        trio
    }

    /// An RE Manager takes some seconds to open its environment, and a moment more to be heard; Python one to start.
    fn wait_until_ready(&self) {
        let mut client = self.login();
        for server in ["python", "queueserver", "nicos"] {
            self.route("local", server);
            wait_until(server, || {
                let status = client.ok(json!({"op": "status", "args": {"fresh": true}}));
                let opened = &status["environment"];
                let is_open = opened.is_null() || opened == "idle";
                (status["link"] == "up" && status["run"] == "idle" && is_open).then_some(())
            });
            let eval = json!({"op": "eval", "args": {"code": "6 * 7"}});
            assert_eq!(client.ok(eval), json!({"value": 42}));
        }
    }

    /// A client of the socket that is logged in as NICOS's `admin`.
    pub fn login(&self) -> Lines {
        Lines::login(&self.address)
    }

    /// A JMS client that has logged in as the IBEX client does.
    pub fn login_by_jms(&self, name: &str) -> Client<'_> {
        let connect = Connect::to(self.broker.openwire());
        self.jms.open(name, &connect).unwrap();
        let client = Client::of(&self.jms, name);
        let answer = client.authenticate("ibex", IBEX_PASSWORD);
        assert_eq!(answer["success"], true, "{answer}");
        client
    }

    /// Leads a frontend to a server at once.
    pub fn route(&self, frontend: &str, server: &str) {
        let output = self.operator(&["route", frontend, server]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Leads a frontend to a server as soon as nothing is under way; ends when it has.
    pub fn route_when_idle(&self, frontend: &str, server: &str) -> Child {
        let mut command = self.operator(&["route", frontend, server, "--when-idle"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// What an operator is told by these words.
    pub fn say(&self, words: &[&str]) -> String {
        let output = self.operator(words).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    fn operator(&self, words: &[&str]) -> Command {
        let mut command = Command::new(build::folder().join("patchbay"));
        command.args(words).arg(self.gateway.config_path());
        command
    }
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "@NICOS@"

[[backend]]
id = "queueserver"
plugin = "queueserver"
[backend.config]
control = "@CONTROL@"
info = "@INFO@"
environment = "at-start"

[[backend]]
id = "python"
plugin = "python"
[backend.config]
folder = "@DIR@/python"

# NICOS checks the passwords of both; the other two take the gateway's word.
[[frontend]]
id = "ibex"
plugin = "activemq"
backend = "nicos"
[frontend.config]
broker = "@STOMP@"
[[frontend.login]]
client_user = "ibex"
user = "admin"
secret = { file = "@DIR@/nicos-admin" }

[[frontend]]
id = "local"
plugin = "socket"
backend = "nicos"
[frontend.config]
tcp = "@SOCKET@"
"#;
