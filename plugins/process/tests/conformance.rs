//! The backend keeps to what is demanded of any, with the example behind it, and with a program that answers as it is told.

mod support;

use patchbay_process::Process;
use patchbay_testkit::conformance;
use serde_json::json;
use support::{config, file};

#[tokio::test]
async fn the_example_conforms() {
    let command = json!(["python3", file("examples/scripts.py")]);
    let config = json!({"program": {"command": command}, "anyone": "admin"});
    conformance::backend::<Process>(config)
        .script("print('done')")
        .failing_script("1 / 0")
        .long_script("import time\nwhile True: time.sleep(0.01)")
        .run()
        .await
        .assert_all_but(&["A15", "A16", "B2", "B9", "B10", "B11", "B12", "B13", "B21"]);
}

#[tokio::test]
async fn a_program_that_checks_passwords_conforms() {
    let login = "reply(session={'session': head['session'], 'role': 'user'}) if message.get('secret') == 'sonnenschein' \
                 else reply(fault={'kind': 'unauthorized', 'message': 'the name or the password is wrong'})";
    let mut config = config(json!({}), json!({ "login": login }));
    config.as_object_mut().unwrap().remove("anyone");
    config["passwords"] = json!(true);
    conformance::backend::<Process>(config)
        .login("anna", "sonnenschein")
        .wrong_login("anna", "regenwetter")
        .slow_request("eval", json!({"code": "pass"}))
        .says(|text| ("status".into(), json!({ "text": text })))
        .run()
        .await
        .assert_all_but(&["A15", "A16", "B8", "B16", "B17", "B18", "B19", "B20", "B21"]);
}
