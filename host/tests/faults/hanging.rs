//! An instance whose thread is blocked answers nothing: it is noticed, given up and counted.

use crate::client::Client;
use crate::gateway::Gateway;
use serde_json::{Value, json};

const QUICK: &str = "hang_s = 3\nmax_abandoned = 2";

fn lives_again(failures: u64) -> impl Fn(&Value) -> bool {
    move |rogue| rogue["phase"] == "running" && rogue["failures"] == failures
}

#[test]
fn who_blocks_the_thread_is_given_up_and_threads_do_not_pile_up() {
    let (gateway, crowd) = Gateway::crowded(QUICK, "");
    let (mut victim, mut bystander) = (gateway.victim(), gateway.victim());
    victim.send(&json!({"op": "eval", "args": {"code": "block 3600000"}}));
    crowd.goes_on();
    // What changes something may have been done; what only looks can be asked again.
    let answer = victim.line();
    assert_eq!(answer["error"]["kind"], "unknown-outcome", "{answer}");
    let rogue = gateway.wait_for("rogue", lives_again(1));
    assert_eq!(rogue["threads_abandoned"], 1);
    assert_eq!(
        bystander.ask("status", json!({ "fresh": true }))["ok"],
        json!({})
    );
    assert!(
        gateway
            .log()
            .contains("it hangs: its thread has been blocked for 3 s (hang_s)")
    );

    victim.eval("block 3600000");
    let rogue = gateway.wait_for("rogue", |rogue| rogue["phase"] == "quarantined");
    assert_eq!(rogue["threads_abandoned"], 2);
    assert_eq!(
        bystander.ask("status", json!({ "fresh": true }))["error"]["kind"],
        "unavailable"
    );
    crowd.goes_on();
    crowd.disperse();
    gateway
        .end()
        .was(4, &["rogue.threads_abandoned", "rogue.failures"]);
}

#[test]
fn a_thread_that_comes_to_its_end_after_all_is_not_counted_any_more() {
    let (gateway, crowd) = Gateway::crowded(QUICK, "");
    gateway.victim().eval("block 20000");
    gateway.wait_for("rogue", |rogue| rogue["threads_abandoned"] == 1);
    let rogue = gateway.wait_for("rogue", |rogue| rogue["threads_abandoned"] == 0);
    assert!(lives_again(1)(&rogue), "{rogue}");
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(0, &["rogue.threads_abandoned"]);
}

#[test]
fn a_login_that_blocks_the_thread_is_answered_too() {
    let (gateway, crowd) = Gateway::crowded(QUICK, "login = \"block\"");
    let answer = Client::connect(&gateway.bad()).try_login("admin");
    assert_eq!(answer["error"]["kind"], "unavailable", "{answer}");
    gateway.wait_for("rogue", lives_again(1));
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(4, &["rogue.threads_abandoned"]);
}

#[test]
fn who_works_is_not_taken_for_hanging_and_nobody_is_where_that_is_not_wanted() {
    let (gateway, crowd) = Gateway::crowded(QUICK, "");
    assert_eq!(gateway.victim().eval("sleep 7000")["ok"], Value::Null);
    assert!(lives_again(0)(&gateway.instance("rogue").unwrap()));
    crowd.disperse();
    gateway.end().was(0, &[]);

    let (gateway, crowd) = Gateway::crowded("hang_s = 0", "");
    assert_eq!(gateway.victim().eval("block 4000")["ok"], Value::Null);
    assert!(lives_again(0)(&gateway.instance("rogue").unwrap()));
    crowd.disperse();
    gateway.end().was(0, &[]);
}
