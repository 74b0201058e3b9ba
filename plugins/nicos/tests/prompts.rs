//! What becomes of a script's questions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_nicos::prompts::{Asked, Prompts};
use patchbay_nicos::shape::code;
use patchbay_sdk::model::Prompt;

fn asked(json: &str) -> Asked {
    serde_json::from_str(json).unwrap()
}

fn ask(prompts: &mut Prompts, json: &str) -> Option<Prompt> {
    prompts.asked(asked(json), Some("job".into()))
}

#[test]
fn a_prompt_is_told_once_however_often_nicos_repeats_it() {
    let mut prompts = Prompts::default();
    let first = ask(&mut prompts, r#"["go on?","u1"]"#).unwrap();
    assert_eq!(
        (first.prompt.as_str(), first.text.as_str()),
        ("u1", "go on?")
    );
    assert!(!first.input);
    assert!(ask(&mut prompts, r#"["go on?","u1"]"#).is_none());
    assert_eq!(prompts.settled("u1").as_deref(), Some("u1"));
    assert_eq!(prompts.settled("u1"), None);
}

#[test]
fn a_prompt_is_settled_when_the_script_goes_on_or_ends() {
    let mut prompts = Prompts::default();
    ask(&mut prompts, r#"["a","u1"]"#);
    assert_eq!(prompts.status(code::RUNNING), None, "it does not wait yet");
    assert_eq!(prompts.status(code::PAUSED), None);
    assert_eq!(prompts.status(code::RUNNING).as_deref(), Some("u1"));
    ask(&mut prompts, r#"["a","u2"]"#);
    assert_eq!(prompts.close().as_deref(), Some("u2"));
    assert!(prompts.open().is_none());
}

#[test]
fn a_prompt_that_nicos_forgot_to_settle_does_not_come_back() {
    let mut prompts = Prompts::default();
    ask(&mut prompts, r#"["a","u1"]"#);
    prompts.close();
    assert!(ask(&mut prompts, r#"["a","u1"]"#).is_none());
    assert!(ask(&mut prompts, r#"["a","u2"]"#).is_some());
}

/// A look is ahead of the events that wait to be read: they tell how the script came to where the look has seen it.
#[test]
fn a_prompt_that_a_look_has_shown_survives_the_events_of_before_the_look() {
    let mut prompts = Prompts::default();
    assert!(ask(&mut prompts, r#"["a","u1"]"#).is_some(), "by the look");
    prompts.status(code::PAUSED);
    prompts.status(code::RUNNING);
    ask(&mut prompts, r#"["a","u1"]"#);
    prompts.status(code::PAUSED);
    assert_eq!(prompts.open().unwrap().prompt, "u1");
    assert_eq!(prompts.settled("u1").as_deref(), Some("u1"));
    assert!(ask(&mut prompts, r#"["a","u1"]"#).is_none());
}

#[test]
fn a_prompt_that_was_stopped_does_not_come_back_after_its_scripts_end() {
    let mut prompts = Prompts::default();
    ask(&mut prompts, r#"["a","u1"]"#);
    prompts.status(code::PAUSED);
    assert_eq!(prompts.status(code::STOPPING).as_deref(), Some("u1"));
    assert_eq!(prompts.close(), None, "it is told once");
    assert!(ask(&mut prompts, r#"["a","u1"]"#).is_none());
}

#[test]
fn prompts_of_older_daemons_get_ids_and_the_same_text_is_the_same_prompt_while_it_waits() {
    let mut prompts = Prompts::default();
    assert_eq!(ask(&mut prompts, r#"["a"]"#).unwrap().prompt, "prompt-1");
    assert!(ask(&mut prompts, r#"["a"]"#).is_none());
    prompts.close();
    assert_eq!(ask(&mut prompts, r#"["a"]"#).unwrap().prompt, "prompt-2");
}

#[test]
fn what_is_wanted_is_told_with_the_prompt() {
    let mut prompts = Prompts::default();
    let one_of = r#"["which?","u1",{"$class":"nicos.core.params.oneof","vals":["a","b"]},"a"]"#;
    let prompt = ask(&mut prompts, one_of).unwrap();
    assert!(prompt.input);
    assert_eq!(prompt.choices.unwrap().get(), r#"["a","b"]"#);
    assert_eq!(prompt.default.unwrap().get(), r#""a""#);
    let by_name = r#"["which?","u3",{"$class":"nicos.core.params.oneofdict","vals":{"$dict":[[1,"one"],[2,"two"]]}}]"#;
    let prompt = ask(&mut prompts, by_name).unwrap();
    assert_eq!(prompt.choices.unwrap().get(), r#"["one","two"]"#);
    let by_text =
        r#"["which?","u4",{"$class":"nicos.core.params.oneofdict","vals":{"a":1,"b":2}}]"#;
    let prompt = ask(&mut prompts, by_text).unwrap();
    assert_eq!(prompt.choices.unwrap().get(), "[1,2]");
    let any = r#"["what?","u2",{"$global":"builtins.str"},{"$global":"builtins.Ellipsis"}]"#;
    let prompt = ask(&mut prompts, any).unwrap();
    assert!(prompt.input && prompt.choices.is_none() && prompt.default.is_none());
}

#[test]
fn what_is_no_prompt_is_refused() {
    for wrong in ["[]", "[1]", r#"{"text":"a"}"#, r#"["a",7]"#] {
        assert!(serde_json::from_str::<Asked>(wrong).is_err(), "{wrong}");
    }
}
