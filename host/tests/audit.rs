//! Who has done what, or was refused, stands in the audit log, and nothing that is nobody's business.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, broker, end, seats};
use patchbay::audit::{Audit, Keeping, Line, Reader, files};
use patchbay::broker::Broker;
use patchbay::metrics::Metrics;
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A broker whose audit log is in a folder of its own.
struct Site {
    _broker: Arc<Broker>,
    back: End,
    front: End,
    audit: Audit,
    metrics: Arc<Metrics>,
    folder: TempDir,
}

impl Site {
    fn open() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Arc::new(Metrics::default());
        let audit = Audit::start(keeping(folder.path()), metrics.clone()).unwrap();
        let broker = broker(seats());
        broker.audit_by(audit.clone());
        Site {
            back: end(&broker, ends::BACKEND, 1),
            front: end(&broker, ends::FRONTEND, 1),
            _broker: broker,
            audit,
            metrics,
            folder,
        }
    }

    fn client(&self, role: &str) -> u64 {
        self.front.login(1);
        let session = self.back.grant(role);
        self.front.inbox.next();
        session
    }

    fn ask(&self, session: u64, op: &str, key: Option<&str>, args: &str) {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
            key: key.map(str::to_owned),
            asker: None,
            reference: None,
        };
        let message = Message::new(Kind::CALL, 7, &head).body(args.to_owned());
        self.front.host.deliver(message);
    }

    /// What the backend is asked next; it answers this, and the frontend hears of it.
    fn answer(&self, answer: Result<&str, FaultKind>) -> u64 {
        let asked = self.back.inbox.wait();
        let fault = answer.as_ref().err().cloned();
        let head = head::Reply {
            fault: fault.map(|kind| Fault::new(kind, "in line 3: password = 'geheim'")),
            session: None,
            request: 0,
        };
        let reply = Message::new(Kind::REPLY, asked.id, &head);
        self.back
            .host
            .deliver(reply.body(answer.unwrap_or_default().to_owned()));
        self.front.inbox.wait();
        asked.id
    }

    fn text(&self) -> String {
        self.audit.flush(PATIENCE);
        std::fs::read_to_string(keeping(self.folder.path()).file).unwrap()
    }

    fn lines(&self) -> Vec<Line> {
        let text = self.text();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn keeping(folder: &Path) -> Keeping {
    Keeping {
        file: folder.join("audit.jsonl"),
        bytes: 64 * 1024,
        files: 3,
    }
}

/// Operation and outcome of each.
fn shown(lines: &[Line]) -> Vec<String> {
    let show = |line: &Line| format!("{} {}", line.op, line.outcome);
    lines.iter().map(show).collect()
}

#[test]
fn what_changes_something_and_what_is_refused_is_noted_and_looking_is_not() {
    let site = Site::open();
    let user = site.client("user");
    site.ask(user, "devices", None, "{}");
    site.answer(Ok("{}"));
    site.ask(user, "pause", None, "{}");
    let request = site.answer(Ok("null"));
    site.ask(user, "stop", None, "{}");
    site.answer(Err(FaultKind::Conflict));
    site.ask(user, "devices", None, "{}");
    site.answer(Err(FaultKind::Unavailable));
    site.ask(user, "native", None, r#"{"method":"geheim"}"#);
    site.ask(user, "take_control", None, "{}");
    site.ask(user, "geheim", None, "{}");
    site.ask(99, "devices", None, "{}");
    let lines = site.lines();
    let right = [
        "login done",
        "pause done",
        "stop conflict",
        "native forbidden",
        "take_control done",
        "unknown unsupported",
        "devices unauthorized",
    ];
    assert_eq!(shown(&lines), right);
    let pause = &lines[1];
    assert!(pause.time > 1e9);
    let said = [
        &pause.user,
        &pause.role,
        &pause.client,
        &pause.frontend,
        &pause.backend,
    ];
    let said = said.map(|part| part.as_deref().unwrap());
    assert_eq!(said, ["u", "user", "c", "front", "back"]);
    assert_eq!((pause.session, pause.request), (Some(user), Some(request)));
    assert_eq!(lines[3].user.as_deref(), Some("u"));
    assert_eq!((lines[6].session, &lines[6].user), (Some(99), &None));
    assert!(
        !site.text().contains("geheim"),
        "no bodies, no words of others"
    );
}

#[test]
fn a_submit_names_its_job_and_its_key_and_says_when_it_was_only_recalled() {
    let site = Site::open();
    let user = site.client("user");
    let submit = || site.ask(user, "submit", Some("the key"), r#"{"code":"geheim()"}"#);
    submit();
    site.answer(Ok(r#"{"job":"0f6c"}"#));
    submit();
    site.front.inbox.wait();
    let lines = site.lines();
    assert_eq!(
        shown(&lines),
        ["login done", "submit done", "submit recalled"]
    );
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.job.as_deref() == Some("0f6c"))
    );
    assert!(lines[1].key.is_some() && lines[1].key == lines[2].key);
    let text = site.text();
    assert!(!text.contains("geheim") && !text.contains("the key"));
}

#[test]
fn refused_logins_are_noted_without_what_was_tried() {
    let site = Site::open();
    site.front.login(1);
    let asked = site.back.inbox.next();
    let head = head::Reply {
        fault: Some(Fault::new(FaultKind::Unauthorized, "no")),
        session: None,
        request: 0,
    };
    site.back.say(Kind::REPLY, asked.id, &head);
    let lines = site.lines();
    assert_eq!(shown(&lines), ["login unauthorized"]);
    let (user, client) = (lines[0].user.as_deref(), lines[0].client.as_deref());
    assert_eq!((user, client), (Some("u"), Some("c")));
}

#[test]
fn who_is_gone_when_the_answer_comes_is_named_all_the_same() {
    let site = Site::open();
    let session = site.client("user");
    site.ask(session, "exec", None, "{}");
    site.front.say(Kind::LOGOUT, 0, &head::Logout { session });
    site.answer(Ok("null"));
    let lines = site.lines();
    assert_eq!(shown(&lines), ["login done", "exec done"]);
    assert_eq!(lines[1].user.as_deref(), Some("u"));
}

/// Somebody who is refused without end must not drive out of the log what was done before.
#[test]
fn the_same_refusal_again_and_again_is_counted() {
    let site = Site::open();
    let viewer = site.client("view");
    for _ in 0..5000 {
        site.ask(viewer, "stop", None, "{}");
    }
    let lines = site.lines();
    let refused = lines.iter().filter(|line| line.op == "stop");
    let times: u64 = refused.map(|line| line.times.unwrap_or(1)).sum();
    let lost = site.metrics.summary();
    assert!(lines.len() < 10, "{} lines", lines.len());
    assert!(
        times == 5000 || lost.contains("audit_lines_lost"),
        "{times} {lost}"
    );
}

#[test]
fn files_are_put_aside_and_the_oldest_is_dropped_and_no_line_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let keeping = keeping(folder.path());
    let audit = Audit::start(keeping.clone(), Arc::default()).unwrap();
    let mut last = 0;
    for number in 0..3000 {
        audit.note(Line {
            request: Some(number),
            user: Some("x".repeat(50)),
            ..Line::new("stop", "done")
        });
        last = number;
        if number % 500 == 0 {
            audit.flush(PATIENCE);
        }
    }
    audit.flush(PATIENCE);
    let found = files(&keeping.file);
    assert_eq!(found.len(), 3, "{found:?}");
    let mut seen = Vec::new();
    for file in &found {
        assert!(std::fs::metadata(file).unwrap().len() <= keeping.bytes);
        let mut reader = Reader::open(file).unwrap();
        while let Some((_, line)) = reader.next_line().unwrap() {
            seen.push(line.request.unwrap());
        }
    }
    assert!(seen.is_sorted() && seen.last() == Some(&last));
    let whole: usize = found.iter().map(lines_in).sum();
    assert_eq!(whole, seen.len(), "every line is one");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&keeping.file)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o027, 0, "{mode:o}");
    }
}

fn lines_in(file: &PathBuf) -> usize {
    std::fs::read_to_string(file).unwrap().lines().count()
}

/// A place where nothing can be written: requests go on, and what is lost is counted.
#[test]
fn a_log_that_cannot_be_written_holds_nobody_up_and_comes_back() {
    let site = Site::open();
    let folder = site.folder.path().join("gone");
    let file = folder.join("audit.jsonl");
    let kept = Keeping {
        file: file.clone(),
        ..keeping(site.folder.path())
    };
    let metrics = Arc::new(Metrics::default());
    let audit = Audit::start(kept, metrics.clone()).unwrap();
    audit.note(Line::new("stop", "done"));
    audit.flush(PATIENCE);
    assert!(metrics.summary().contains("host.audit_lines_lost=1"));
    std::fs::create_dir(&folder).unwrap();
    audit.note(Line::new("abort", "done"));
    audit.flush(PATIENCE);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("abort") && text.lines().count() == 1);
}

/// Nobody reads the pipe that stands in the file's place yet: the writer hangs, as at a disk that does.
#[cfg(unix)]
#[test]
fn how_much_waits_to_be_written_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let keeping = keeping(folder.path());
    let made = std::process::Command::new("mkfifo")
        .arg(&keeping.file)
        .status();
    assert!(made.unwrap().success());
    let audit = Audit::start(keeping.clone(), Arc::default()).unwrap();
    (0..3).for_each(|_| audit.note(Line::new("stop", "done")));
    assert_eq!(audit.waiting(), 3);
    let _reader = std::fs::File::open(&keeping.file).unwrap();
    audit.flush(PATIENCE);
    assert_eq!(audit.waiting(), 0);
}

/// Far more than fits into the queue, at once: nobody waits, and every line is written or counted.
#[test]
fn what_finds_no_room_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Arc::new(Metrics::default());
    let keeping = Keeping {
        bytes: 1 << 30,
        ..keeping(folder.path())
    };
    let audit = Audit::start(keeping.clone(), metrics.clone()).unwrap();
    let all = 200_000;
    (0..all).for_each(|_| audit.note(Line::new("stop", "done")));
    let end = Instant::now() + PATIENCE;
    let accounted = || {
        audit.flush(PATIENCE);
        let lost = metrics.summary();
        let lost = lost.split_once("host.audit_lines_lost=");
        let lost = lost.map_or(0, |(_, number)| number.trim().parse().unwrap());
        lines_in(&keeping.file) + lost
    };
    while accounted() < all {
        assert!(Instant::now() < end);
        std::thread::yield_now();
    }
    assert_eq!(accounted(), all);
}
