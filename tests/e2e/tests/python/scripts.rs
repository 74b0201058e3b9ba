//! Scripts from the command line.

use patchbay_e2e::wait_until;

use crate::lab::{Lab, ended};

#[test]
fn submit_shows_what_a_script_prints_and_its_status_says_how_it_ended() {
    let lab = Lab::start();
    lab.write("good.py", "for i in range(3):\n    print('step', i)\n");
    lab.write("bad.py", "print('before')\ndef f():\n    nope\nf()\n");
    let good = lab.client(&["submit", "good.py"]).ended(0);
    assert_eq!(good.out, "step 0\nstep 1\nstep 2\n");
    assert!(good.err.contains("good.py succeeded after"), "{}", good.err);
    let bad = lab.client(&["submit", "bad.py"]).ended(1);
    for text in ["before\n", "error: NameError", "line 3, in f", "    nope"] {
        assert!(bad.out.contains(text), "{text} in {}", bad.out);
    }
    assert!(!bad.out.contains("worker.py"), "{}", bad.out);
    let status = lab.client(&["status"]).ended(0);
    assert!(status.out.contains("last: bad.py failed"), "{}", status.out);
    assert_eq!(lab.json(&["eval", "6 * 7"])["ok"]["value"], 42);
}

#[test]
fn a_script_is_paused_asked_answered_and_stopped_from_elsewhere() {
    let lab = Lab::start();
    let code =
        "import time\nx = input('Angle?')\nprint('got', x)\nwhile True:\n    time.sleep(0.01)\n";
    lab.write("scan.py", code);
    let script = lab.call(&["submit", "scan.py"]);
    wait_until("the question", || {
        lab.client(&["status"])
            .out
            .contains("asks: Angle?")
            .then_some(())
    });
    lab.client(&["answer", "3.5"]).ended(0);
    wait_until("the loop", || {
        (lab.status()["job"]["line"].as_u64() >= Some(4)).then_some(())
    });
    lab.client(&["pause"]).ended(0);
    wait_until("a pause", || {
        (lab.status()["run"] == "paused").then_some(())
    });
    lab.client(&["resume"]).ended(0);
    wait_until("more of it", || {
        (lab.status()["run"] == "running").then_some(())
    });
    lab.client(&["stop"]).ended(0);
    let script = ended(script).ended(4);
    assert!(script.out.contains("got 3.5"), "{}", script.out);
    assert!(script.err.contains("scan.py was stopped"), "{}", script.err);
}
