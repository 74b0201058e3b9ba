//! What a client may do depends on the queue that it may write to: a frontend for each, with a ceiling of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Client, Site, refusal};
use patchbay_servers::{Connect, Message};
use serde_json::json;

const SECOND: &str = r#"
[[frontend]]
id = "look"
plugin = "activemq"
backend = "nicos"
max_role = "view"
[frontend.config]
broker = "@STOMP@"
queue = "ss_look"
"#;

#[test]
fn the_same_person_may_do_more_by_one_queue_than_by_another_whatever_is_forged() {
    let site = Site::start_with(SECOND);
    let full = site.connect("full");
    assert_eq!(full.authenticate("admin", "admin")["success"], true);
    let connect = Connect::to(site.broker.openwire()).queue("ss_look");
    site.jms.open("look", &connect).unwrap();
    let look = Client::of(&site.jms, "look");
    assert_eq!(look.authenticate("admin", "admin")["success"], true);

    look.nicos(&json!({ "command": "getstatus" }));
    let script = json!({ "command": "queue", "name": "no", "code": "print('for' + 'bidden')" });
    let said = look.refused(&script);
    assert!(
        said.contains("needs the role user, you have view"),
        "{said}"
    );

    // What a client writes into a message proves nothing: not where it came from, nor from whom.
    let forged = Message::text(&script.to_string())
        .property("destination", "/queue/ss_admin")
        .property("JMSXUserID", "admin");
    let said = refusal(&look.answer(&look.send_message(forged)));
    assert!(
        said.contains("needs the role user, you have view"),
        "{said}"
    );

    // Somebody else's session is one of another queue's frontend; the owner of the address hears of it.
    let received = full.received(&full.send(r#"{"op":"ping"}"#));
    let address = received
        .destination
        .replace("temp-queue://", "/remote-temp-queue/");
    let forged = Message::text(&script.to_string()).property("reply-to", &address);
    let said = refusal(&full.answer(&look.send_message(forged)));
    assert!(said.contains("reconnect"), "{said}");

    let job = full.queue("yes", "print('al' + 'lowed')");
    full.wait_for_job(&job, &["succeeded"]);
    let messages = full.nicos(&json!({ "command": "getmessages", "n": 100 }));
    let messages = messages.to_string();
    assert!(
        messages.contains("allowed") && !messages.contains("forbidden"),
        "{messages}"
    );
}
