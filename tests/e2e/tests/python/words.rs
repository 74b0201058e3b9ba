//! NICOS's words and shapes, with plain Python behind them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use patchbay_e2e::{PATIENCE, wait_until};
use serde_json::{Value, json};

use crate::lab::Lab;

/// A client that knows NICOS's words, on a connection of its own.
struct NicosClient(BufReader<UnixStream>);

impl NicosClient {
    fn login(lab: &Lab) -> NicosClient {
        let stream = UnixStream::connect(lab.gateway.dir().join("lab.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = NicosClient(BufReader::new(stream));
        client.line();
        let login =
            json!({"command": "authenticate", "login": "anna", "passwd": "any", "display": ""});
        assert_eq!(client.ask(&login), json!({"user_level": 10}));
        client
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The payload of a request that is granted.
    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.0.get_mut(), "{request}").unwrap();
        let answer = self.line();
        assert_eq!(answer["success"], true, "{request}: {answer}");
        answer["payload"].clone()
    }

    fn status(&mut self) -> Value {
        self.ask(&json!({"command": "getstatus"}))
    }

    /// Waits for a status with this code.
    fn wait_for(&mut self, code: i64) -> Value {
        wait_until("the status", || {
            Some(self.status()).filter(|status| status["status"][0] == code)
        })
    }
}

#[test]
fn clients_that_know_nicos_find_its_words_and_shapes() {
    let lab = Lab::start();
    wait_until("Python", || (lab.status()["link"] == "up").then_some(()));
    let mut client = NicosClient::login(&lab);
    let banner = client.ask(&json!({"command": "getbanner"}));
    assert_eq!(
        (&banner["protocol_version"], &banner["serializer"]),
        (&23.into(), &"json".into())
    );
    assert_eq!(client.status()["status"], json!([-1, -1]));
    let code = "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)\n";
    let first = client.ask(&json!({"command": "queue", "name": "ScriptFromGUI", "code": code}));
    let status = client.wait_for(0);
    let fields = (&status["scriptname"], &status["script"]);
    assert_eq!(fields, (&"ScriptFromGUI".into(), &code.into()));
    let next = client.ask(&json!({"command": "queue", "name": "next", "code": "1"}));
    client.ask(&json!({"command": "update", "newcode": "2", "reason": "", "reqid": next}));
    let request = json!({"reqid": next, "name": "next", "script": "2", "user": "anna"});
    assert_eq!(client.status()["requests"], json!([request]));
    client.ask(&json!({"command": "rearrange", "ids": [next]}));
    client.ask(&json!({"command": "break", "level": 2}));
    let line = client.wait_for(1)["status"][1].as_i64().unwrap();
    assert!((3..=4).contains(&line));
    client.ask(&json!({"command": "continue"}));
    client.wait_for(0);
    client.ask(&json!({"command": "unqueue", "reqid": next}));
    client.ask(&json!({"command": "stop", "level": 2}));
    let status = client.wait_for(-2);
    assert_eq!(
        (&status["script"], &status["requests"]),
        (&code.into(), &json!([]))
    );
    let messages = client.ask(&json!({"command": "getmessages", "n": 100}));
    let [logger, time, level, text, traceback, reqid] = &messages[1].as_array().unwrap()[..] else {
        panic!("a message of six: {messages}")
    };
    assert_eq!(
        (logger, level, text, reqid),
        (&"script".into(), &20.into(), &"begun\n".into(), &first)
    );
    assert!(time.is_f64() && traceback.is_null());
    assert_eq!(
        client.ask(&json!({"command": "eval", "expr": "(1, 'a')", "stringify": true})),
        r#"[1,"a"]"#
    );
    assert_eq!(client.ask(&json!({"command": "getscript"})), code);
    client.ask(&json!({"command": "emergency"}));
}
