//! The backend is changed while a script runs at a real NICOS daemon: whoever sent it notices nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Local, wait_until};
use patchbay_testkit::build;
use serde_json::Value;
use std::process::{Command, Stdio};

/// Prints its steps until there is a file.
const SCAN: &str = "import os\nstep = 0\nwhile not os.path.exists('@FILE@'):\n    printinfo('step %d' % step)\n    \
                    step += 1\n    sleep(0.1)\nprintinfo('end')\n";

/// Writes such a script.
fn write_scan(local: &Local) {
    let file = local.home().join("enough");
    local.write("scan.py", &SCAN.replace("@FILE@", file.to_str().unwrap()));
}

/// `patchbay` with these words, of this instrument's gateway.
fn operator(local: &Local, words: &[&str]) -> Command {
    let mut command = Command::new(build::folder().join("patchbay"));
    command.args(words).arg(local.gateway.config_path());
    command
}

/// What it says.
fn say(local: &Local, words: &[&str]) -> String {
    let output = operator(local, words).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{words:?}: {text}");
    text
}

/// Changes the configuration file.
fn edit(local: &Local, from: &str, to: &str) {
    let file = local.gateway.config_path();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

fn run_state(local: &Local) -> Value {
    let status = local.client(&["--json", "status"]);
    status.records()[0]["ok"]["run"].clone()
}

fn wait_for_running(local: &Local) {
    wait_until("a script that runs", || {
        (run_state(local) == "running").then_some(())
    });
}

#[test]
fn restarts_and_other_settings_cost_a_running_script_no_line_and_no_outcome() {
    let local = Local::start();
    write_scan(&local);
    let script = local.call(&["submit", "scan.py"]);
    wait_for_running(&local);
    say(&local, &["restart", "nicos"]);
    edit(
        &local,
        "[backend.config]\n",
        "[backend.config]\nreply_deadline_s = 7\n",
    );
    let said = say(&local, &["reload"]);
    assert!(
        said.contains("backend `nicos`: started anew, its settings differ"),
        "{said}"
    );
    // It is seen to run through the new life, by somebody who was there before and by others.
    assert_eq!(run_state(&local), "running");
    say(&local, &["restart", "nicos"]);
    local.write("enough", "");
    let script = script.end().ended(0);
    let lines = script.out.lines();
    let shown: Vec<_> = lines.filter(|line| line.starts_with("step")).collect();
    let steps: Vec<String> = (0..shown.len())
        .map(|step| format!("step {step}"))
        .collect();
    assert_eq!(shown, steps);
    assert!(
        shown.len() > 3 && script.out.contains("end\n"),
        "{}",
        script.out
    );
}

#[test]
fn a_switch_when_idle_waits_for_the_script_that_runs() {
    let local = Local::start();
    build::plugin("echo");
    edit(
        &local,
        "[[frontend]]",
        "[[backend]]\nid = \"spare\"\nplugin = \"echo\"\n[[frontend]]",
    );
    say(&local, &["reload"]);
    write_scan(&local);
    local.client(&["submit", "--queue", "scan.py"]).ended(0);
    wait_for_running(&local);
    let mut switch = operator(&local, &["route", "local", "spare", "--when-idle"]);
    let switch = switch.stderr(Stdio::piped()).stdout(Stdio::piped());
    let switch = switch.spawn().unwrap();
    wait_until("the switch is seen to wait for the script", || {
        let shown = say(&local, &["status"]);
        let waits = shown.contains("→ spare when idle");
        (waits && shown.contains("`nicos` says `running`")).then_some(())
    });
    local.write("enough", "");
    let output = switch.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("local leads to spare now\n"), "{said}");
    assert!(said.contains("`nicos` says `running`"), "{said}");
    // Nothing of it was cut off.
    say(&local, &["route", "local", "nicos"]);
    let log = local.client(&["log", "-n", "20"]).ended(0);
    assert!(log.out.contains("end\n"), "{}", log.out);
}
