//! What is on disk when the gateway is killed, and when the disk is full.

use std::io::Write;

use patchbay_e2e::wait_until;

use crate::lab::{Lab, ended, is_alive};

/// The script ends with the gateway, so that two never run at once; it is not run again, and what waits is held.
#[test]
fn a_gateway_that_is_killed_loses_the_script_that_runs_and_keeps_those_that_wait() {
    let mut lab = Lab::start();
    let code = "\
import os, subprocess, time
with open('../runs', 'a') as runs: runs.write('run\\n')
child = subprocess.Popen(['sleep', '600'])
with open('../pids', 'w') as pids: pids.write(f'{os.getpid()} {child.pid} ')
while True: time.sleep(0.01)
";
    lab.write("long.py", code);
    lab.write(
        "next.py",
        "print('next')\nopen('../next', 'a').write('x')\n",
    );
    let script = lab.call(&["submit", "long.py"]);
    let pids = wait_until("the script", || {
        Some(lab.read("pids")).filter(|pids| pids.ends_with(' '))
    });
    let job = lab.status()["job"]["id"].as_str().unwrap().to_owned();
    let next = lab.queue("next.py");
    lab.gateway.kill9();
    wait_until("the end of the script and its child", || {
        (!pids.split_whitespace().any(is_alive)).then_some(())
    });
    lab.gateway.restart().unwrap();
    let script = ended(script).ended(5);
    assert!(script.err.contains("long.py was lost"), "{}", script.err);
    assert_eq!(
        (lab.state(&job).as_str(), lab.state(&next).as_str()),
        ("lost", "queued")
    );
    assert_eq!(lab.status()["held"], "the gateway was restarted");
    lab.client(&["resume"]).ended(0);
    lab.wait_for_state(&next, "succeeded");
    assert_eq!(
        (lab.read("runs").as_str(), lab.read("next").as_str()),
        ("run\n", "x")
    );
}

/// Wherever the gateway is killed, a script that its client sends again with the same key begins once at the most, and
/// once exactly if it is said to have succeeded.
#[test]
fn scripts_that_are_sent_while_the_gateway_is_killed_begin_once_at_the_most() {
    let mut lab = Lab::start();
    for round in 0..6 {
        let name = format!("once{round}.py");
        lab.write(&name, &format!("open('../ran{round}', 'a').write('x')\n"));
        let script = lab.call(&["submit", "--patience", "30", &name]);
        // Somewhere between nothing and all of it.
        std::thread::sleep(std::time::Duration::from_millis(40 * round));
        lab.gateway.kill9();
        lab.gateway.restart().unwrap();
        // It may wait; then it is held.
        let mut script = script;
        wait_until("its end", || {
            if lab.status()["held"].is_string() {
                lab.client(&["resume"]);
            }
            script.try_wait().unwrap().map(drop)
        });
        let script = ended(script);
        let ran = lab.read(&format!("ran{round}")).len();
        match script.status {
            Some(0) => assert_eq!(ran, 1, "{script:?}"),
            _ => assert!(ran <= 1, "{ran} times: {script:?}"),
        }
    }
    lab.client(&["submit", "once0.py"]).ended(0);
}

/// What was on disk goes on; what is not does not begin. And when there is room again, all is well.
#[test]
fn a_full_disk_refuses_submits_and_lets_nothing_begin_that_it_could_not_note() {
    let lab = Lab::start_small();
    let wait = "import time\nwhile 'go' not in globals(): time.sleep(0.01)\nprint('gone on')\n";
    lab.write("wait.py", wait);
    lab.write("next.py", "print('next')\n");
    let running = lab.queue("wait.py");
    let next = lab.queue("next.py");
    wait_until("a script that runs", || {
        (lab.status()["run"] == "running").then_some(())
    });
    let filler = lab.folder().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [64 << 10, 4 << 10, 1 << 10] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    // What lies in the database's own files still has some room.
    lab.write("long.py", &"#".repeat(100_000));
    let refused = (0..50).map(|_| lab.client(&["submit", "--queue", "long.py"]));
    let refused = refused.into_iter().find(|called| called.status != Some(0));
    let said = refused.expect("the disk is full").err;
    assert!(
        said.contains("disk is full") && said.contains("nothing was changed"),
        "{said}"
    );
    lab.client(&["exec", "go = 1"]).ended(0);
    let held = wait_until("a held queue", || {
        lab.status()["held"].as_str().map(String::from)
    });
    assert!(held.contains("disk is full"), "{held}");
    assert_eq!(
        (lab.state(&running).as_str(), lab.state(&next).as_str()),
        ("succeeded", "queued")
    );
    assert_eq!(lab.json(&["eval", "6 * 7"])["ok"]["value"], 42);

    drop(file);
    std::fs::remove_file(filler).unwrap();
    lab.client(&["resume"]).ended(0);
    lab.wait_for_state(&next, "succeeded");
}
