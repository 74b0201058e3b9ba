//! `patchbay client` in a real terminal, used as somebody would who has never seen it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Local, PATIENCE};
use patchbay_servers::Terminal;
use std::time::Instant;

/// Waits until this is on the screen.
fn wait_for(terminal: &Terminal, text: &str) {
    wait_for_times(terminal, text, 1);
}

/// Waits until this is on the screen so many times.
fn wait_for_times(terminal: &Terminal, text: &str, times: usize) {
    let begun = Instant::now();
    while terminal.screen().unwrap().matches(text).count() < times {
        let screen = terminal.screen().unwrap();
        assert!(begun.elapsed() < PATIENCE, "`{text}` never came:\n{screen}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Asks the shell for the exit status of what ended last.
fn assert_status(terminal: &Terminal, status: i32) {
    terminal.type_line("echo status=$?").unwrap();
    wait_for(terminal, &format!("status={status}\n"));
}

/// Logs in, and lets the client remember all.
fn login(local: &Local, variables: &[(&str, &str)]) -> Terminal {
    let terminal = local.terminal(variables);
    terminal
        .type_line("patchbay client login --save-password")
        .unwrap();
    wait_for(&terminal, "User at");
    terminal.type_line("user").unwrap();
    wait_for(&terminal, "Password of user");
    terminal.type_line("user").unwrap();
    wait_for(&terminal, "are remembered in");
    terminal
}

#[test]
fn a_password_is_asked_for_and_is_never_on_the_screen() {
    let local = Local::start();
    let terminal = local.terminal(&[]);
    terminal.type_line("patchbay client login").unwrap();
    wait_for(&terminal, "User at");
    terminal.type_line("user").unwrap();
    wait_for(&terminal, "Password of user");
    terminal.type_line("Geheim-77").unwrap();
    wait_for(&terminal, "user is not let in");
    assert_status(&terminal, 3);
    assert!(!terminal.everything().unwrap().contains("Geheim"));

    // Ctrl-C leaves a terminal that shows what is typed.
    terminal
        .type_line("clear; patchbay client --user anna status")
        .unwrap();
    wait_for(&terminal, "Password of anna");
    terminal.key("C-c").unwrap();
    wait_for(&terminal, "not logged in");
    assert_status(&terminal, 130);
}

#[test]
fn a_script_shows_its_progress_and_ctrl_c_asks_what_is_meant() {
    let local = Local::start();
    let code = "printinfo('begin')\nfor i in range(600):\n    sleep(0.1)\n    k = i\n";
    local.write("loop.py", code);
    let terminal = login(&local, &[]);
    terminal
        .type_line("clear; patchbay client submit loop.py")
        .unwrap();
    wait_for(&terminal, "begin");
    wait_for(&terminal, "line 3/4  sleep(0.1)");
    wait_for(&terminal, "running [=");

    terminal.key("C-c").unwrap();
    wait_for(
        &terminal,
        "Stop the script [s], only stop watching [w], or go on [Enter]?",
    );
    terminal.key("Enter").unwrap();
    // The bar as it was stays above the question.
    wait_for_times(&terminal, "running [=", 2);
    terminal.key("C-c").unwrap();
    wait_for_times(&terminal, "go on [Enter]?", 2);
    terminal.key("C-c").unwrap();
    wait_for(
        &terminal,
        "Nobody watches loop.py here any more; it goes on.",
    );
    assert_status(&terminal, 130);

    terminal.type_line("clear; patchbay client status").unwrap();
    wait_for(&terminal, "loop.py by user");
    let id = local.client(&["--json", "status"]).records()[0]["ok"]["job"]["id"].clone();
    let watch = format!("clear; patchbay client watch {}", id.as_str().unwrap());
    terminal.type_line(&watch).unwrap();
    wait_for(&terminal, "running [=");
    terminal.key("C-c").unwrap();
    wait_for(&terminal, "Stop the script [s]");
    terminal.type_line("s").unwrap();
    wait_for(&terminal, "loop.py was stopped after");
    assert_status(&terminal, 4);
}

#[test]
fn a_script_asks_the_person_in_front_of_it() {
    let local = Local::start();
    let code = "pause('Sample in?')\nx = userinput('Angle?')\nprintinfo('got %s' % x)\n";
    local.write("ask.py", code);
    let terminal = login(&local, &[]);
    terminal
        .type_line("clear; patchbay client submit ask.py")
        .unwrap();
    wait_for(&terminal, "The script asks: Sample in? [Enter goes on]");
    terminal.key("Enter").unwrap();
    wait_for(&terminal, "The script asks: Angle?");
    terminal.type_line("3.5").unwrap();
    wait_for(&terminal, "got 3.5");
    wait_for(&terminal, "ask.py succeeded after");
    assert_status(&terminal, 0);
}

#[test]
fn the_prompt_has_help_completion_and_a_history_that_stays() {
    let local = Local::start();
    let terminal = login(&local, &[]);
    terminal.type_line("clear; patchbay client").unwrap();
    wait_for(&terminal, "Ctrl-D leaves");
    terminal.type_line("6 * 7").unwrap();
    wait_for(&terminal, "\n42\n");
    terminal
        .type_line("exec printinfo('hi ' + 'there')")
        .unwrap();
    wait_for(&terminal, "\nhi there\n");
    terminal.type_line("stauts").unwrap();
    wait_for(&terminal, "perhaps `status`?");
    terminal.key("Tab").unwrap();
    terminal.type_line("help").unwrap();
    wait_for(&terminal, "Anything else is evaluated");
    terminal.key("C-d").unwrap();
    assert_status(&terminal, 0);

    terminal.type_line("clear; patchbay client").unwrap();
    wait_for(&terminal, "Ctrl-D leaves");
    for _ in 0..4 {
        terminal.key("Up").unwrap();
    }
    wait_for(&terminal, "patchbay> 6 * 7");
    terminal.key("Enter").unwrap();
    wait_for(&terminal, "\n42\n");
    // What others do is shown above the line that is being typed.
    local
        .client(&["exec", "printinfo('from elsewhere')"])
        .ended(0);
    wait_for(&terminal, "from elsewhere\n");
    terminal.key("C-d").unwrap();
    assert_status(&terminal, 0);
}

#[test]
fn colours_are_for_terminals_and_only_where_they_are_wanted() {
    let local = Local::start();
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")], false)] {
        let terminal = login(&local, variables);
        terminal.type_line("patchbay client status").unwrap();
        wait_for(&terminal, "nothing waits");
        let screen = terminal.everything().unwrap();
        assert_eq!(screen.contains('\u{1b}'), coloured, "{screen:?}");
    }
}
