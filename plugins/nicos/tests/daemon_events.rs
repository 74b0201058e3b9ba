//! What a real NICOS daemon tells of its own accord, in the model's words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, event_where, plugin};
use patchbay_abi::Kind;
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};

async fn submit(session: &TestSession<'_>, code: &str) {
    session.call("submit", json!({"code": code})).await.unwrap();
}

/// Has the daemon send an event that a virtual instrument has no occasion for.
async fn emit(session: &TestSession<'_>, event: &str, value: &str) {
    let code = format!("__import__('nicos').session.emitfunc('{event}', {value})");
    session.call("exec", json!({"code": code})).await.unwrap();
}

/// The next `data` event of that sort, with its blobs.
async fn data(host: &BackendHost, sort: &str) -> (Value, Vec<Vec<u8>>) {
    loop {
        let message = host.next_of(&[Kind::EVENT]).await;
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        if body["data"] == sort {
            let blobs = message.blobs.iter().map(|blob| blob.to_vec());
            return (body, blobs.collect());
        }
    }
}

#[tokio::test]
async fn a_scan_is_told_as_a_dataset_and_points_with_live_pictures_as_blobs() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(&user, "scan(mot, 0, 1, 3, det, t=0.1)\n").await;

    let (set, _) = data(&host, "dataset").await;
    assert_eq!(
        (&set["x_columns"][0]["name"], &set["x"]),
        (&json!("mot"), &json!([[0.0]]))
    );
    assert_eq!(set["y"].as_array().unwrap().len(), 1);
    let (point, _) = data(&host, "point").await;
    assert_eq!(
        (&point["dataset"], &point["x"]),
        (&set["dataset"], &json!([1.0]))
    );
    assert_eq!(
        point["y"].as_array().unwrap().len(),
        set["y_columns"].as_array().unwrap().len()
    );

    submit(&user, "count(det, 2)\n").await;
    let (live, blobs) = data(&host, "live").await;
    assert_eq!(
        (&live["tag"], &live["detector"]),
        (&json!("live"), &json!("det"))
    );
    let array = &live["arrays"][0];
    assert_eq!(
        (&array["shape"], &array["dtype"]),
        (&json!([16, 16]), &json!("<u4"))
    );
    assert_eq!((&live["blobs"], blobs.len()), (&json!(1), 1));
    assert_eq!(blobs[0].len(), 16 * 16 * 4);
    host.stop().await;
}

#[tokio::test]
async fn what_happens_to_the_environment_is_told() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(&user, "AddSetup('extra')\n").await;
    let change = |wanted: &'static str| move |body: &Value| body["change"] == wanted;
    let (_, setups) = event_where(&host, "environment", change("setups")).await;
    assert!(
        setups["setups"]
            .as_array()
            .unwrap()
            .contains(&json!("extra"))
    );
    let (_, failed) = event_where(&host, "environment", change("devices")).await;
    assert!(failed["failed"]["broken"].is_string(), "{failed}");
    let (_, made) = event_where(&host, "environment", change("devices")).await;
    assert_eq!(made["created"], json!(["mot2"]));
    submit(&user, "NewExperiment('p1234', 'a title')\n").await;
    let (_, experiment) = event_where(&host, "environment", change("experiment")).await;
    assert_eq!(experiment["proposal"], "p1234");
    emit(&user, "mode", "'maintenance'").await;
    let (_, mode) = event_where(&host, "environment", change("mode")).await;
    assert_eq!(mode["mode"], "maintenance");
    emit(&user, "plugplay", "('added', 'cryo', 'a cryostat')").await;
    let (_, plugged) = event_where(&host, "environment", change("hardware")).await;
    assert_eq!(
        (&plugged["event"], &plugged["setup"]),
        (&json!("added"), &json!("cryo"))
    );
    host.stop().await;
}

#[tokio::test]
async fn what_the_model_has_no_word_for_is_told_as_it_is() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({"events_off": []})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    for (event, value, told) in [
        (
            "watchdog",
            "('warning', 1.5, 'too hot', 'id')",
            json!(["warning", 1.5, "too hot", "id"]),
        ),
        (
            "cache",
            "(1.5, 'mot/value', '=', '1.0')",
            json!([1.5, "mot/value", "=", "1.0"]),
        ),
        ("debugging", "False", json!(false)),
    ] {
        emit(&user, event, value).await;
        let (_, body) = event_where(&host, "native", |body| body["event"] == event).await;
        assert_eq!(body["value"], told);
    }
    emit(&user, "datacurve", "('gauss', [1, 2], [3.5, 4.5])").await;
    let (curve, _) = data(&host, "curve").await;
    assert_eq!(
        (&curve["title"], &curve["y"]),
        (&json!("gauss"), &json!([3.5, 4.5]))
    );
    host.stop().await;
}

#[tokio::test]
async fn events_that_are_switched_off_do_not_come() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({"events_off": ["cache", "watchdog"]})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    emit(&user, "watchdog", "('warning', 1.5, 'too hot', 'id')").await;
    emit(&user, "cache", "(1.5, 'mot/value', '=', '1.0')").await;
    emit(&user, "debugging", "True").await;
    let (_, first) = event_where(&host, "native", |_| true).await;
    assert_eq!(first["event"], "debugging");
    host.stop().await;
}

#[tokio::test]
async fn an_event_that_is_not_what_it_should_be_is_left_out_and_the_next_one_is_told() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    for (event, value) in [
        ("mode", "17"),
        ("device", "('painted', [])"),
        ("setup", "None"),
        ("livedata", "5"),
        ("eta", "('x', 'y')"),
        ("rearranged", "5"),
        ("prompt", "()"),
    ] {
        emit(&user, event, value).await;
    }
    emit(&user, "mode", "'master'").await;
    let (_, told) = event_where(&host, "environment", |_| true).await;
    assert_eq!(told["mode"], "master");
    host.stop().await;
}

#[tokio::test]
async fn a_scripts_questions_are_told_once_answered_and_checked() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let code = "from nicos.core import oneof\nfrom nicos import session\npause('ready?')\n\
                colour = session.userinput('which?', oneof('red', 'blue'), 'red')\n\
                number = session.userinput('how many?', int)\nprintinfo(colour, number)\n";
    submit(&user, code).await;
    let (job, ready) = event_where(&host, "prompt", |_| true).await;
    assert_eq!(
        (&ready["text"], &ready["input"]),
        (&json!("ready?"), &json!(false))
    );
    assert!(job.is_some());
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["prompt"], &status["run"]),
        (&ready, &json!("paused"))
    );
    let answer = async |prompt: &Value, value: Option<Value>| {
        let mut args = json!({"prompt": prompt["prompt"]});
        if let Some(value) = value {
            args["value"] = value;
        }
        user.call("answer", args).await
    };
    let too_much = answer(&ready, Some(json!(1))).await.unwrap_err();
    assert!(too_much.message.contains("leave out `value`"), "{too_much}");
    answer(&ready, None).await.unwrap();
    let (_, done) = event_where(&host, "prompt-done", |_| true).await;
    assert_eq!(done["prompt"], ready["prompt"]);
    let late = answer(&ready, None).await.unwrap_err();
    assert!(late.message.contains("answered already"), "{late}");

    let (_, which) = event_where(&host, "prompt", |_| true).await;
    assert_eq!(
        (&which["choices"], &which["default"]),
        (&json!(["red", "blue"]), &json!("red"))
    );
    let wrong = answer(&which, Some(json!("green"))).await.unwrap_err();
    assert!(wrong.message.contains("does not accept"), "{wrong}");
    answer(&which, Some(json!("blue"))).await.unwrap();

    let (_, many) = event_where(&host, "prompt", |_| true).await;
    let none = answer(&many, None).await.unwrap_err();
    assert!(none.message.contains("give `value`"), "{none}");
    let code = answer(&many, Some(json!("__import__('os').getpid()"))).await;
    assert!(code.unwrap_err().message.contains("does not accept"));
    answer(&many, Some(json!("42"))).await.unwrap();
    event_where(&host, "log", |line| line["text"] == "blue 42").await;
    host.stop().await;
}

#[tokio::test]
async fn a_prompt_of_a_script_that_is_stopped_is_settled() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(&user, "pause('ready?')\nx = 1\n").await;
    let (_, ready) = event_where(&host, "prompt", |_| true).await;
    event_where(&host, "state", |body| body["run"] == "paused").await;
    user.call("stop", json!({})).await.unwrap();
    let (_, done) = event_where(&host, "prompt-done", |_| true).await;
    assert_eq!(done["prompt"], ready["prompt"]);
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(status["prompt"], Value::Null);
    host.stop().await;
}

#[tokio::test]
async fn who_comes_while_a_script_waits_for_an_answer_is_told_the_question() {
    let nicos = daemon().await;
    let first = plugin(&nicos, json!({})).await;
    let user = first.login("user", "user").await.unwrap();
    event_where(&first, "link", |body| body["link"] == "up").await;
    submit(&user, "pause('ready?')\nx = 1\n").await;
    let (_, ready) = event_where(&first, "prompt", |_| true).await;
    event_where(&first, "state", |body| body["run"] == "paused").await;
    drop(user);
    first.stop().await;

    let second = plugin(&nicos, json!({})).await;
    let user = second.login("user", "user").await.unwrap();
    let (job, again) = event_where(&second, "prompt", |_| true).await;
    assert_eq!(
        (&again["prompt"], &again["job"]),
        (&ready["prompt"], &json!(job))
    );
    user.call("answer", json!({"prompt": ready["prompt"]}))
        .await
        .unwrap();
    event_where(&second, "job", |body| body["outcome"] == "succeeded").await;
    second.stop().await;
}

#[tokio::test]
async fn who_logs_in_first_hears_of_a_script_from_its_beginning() {
    let nicos = daemon().await;
    for _ in 0..3 {
        let host = plugin(&nicos, json!({})).await;
        let user = host.login("user", "user").await.unwrap();
        submit(&user, "printinfo('the first word')\n").await;
        event_where(&host, "log", |line| line["text"] == "the first word").await;
        event_where(&host, "job", |body| body["outcome"] == "succeeded").await;
        host.stop().await;
    }
}
