//! The host as a frontend under test finds it, with a script server that says what it is told to.
//!
//! An `eval` gets its own code back as the answer's `value`; one whose code begins with [`HOLD`] is answered when the scene says
//! so, and one that begins with [`REFUSE`] is refused with it. Everything else gets `null`.

use super::super::life::Line;
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

pub(super) const HOLD: &str = "hold: ";
pub(super) const REFUSE: &str = "refuse: ";

/// What the host says to whoever has a wrong password.
pub(super) const WRONG: &str = "the suite lets nobody in by this password";

/// What came to the host, and what it has said.
pub(super) struct Reception {
    line: Line,
    login: (String, String),
    book: Mutex<Book>,
    news: watch::Sender<()>,
}

#[derive(Default)]
pub(super) struct Book {
    /// Who was let in: user, session.
    pub(super) sessions: Vec<u64>,
    /// Who has left.
    pub(super) left: Vec<u64>,
    /// Who asked to be let in, and by which password.
    pub(super) knocked: Vec<(String, String)>,
    /// What was asked: in which session, which operation, with which arguments.
    pub(super) calls: Vec<(u64, String, Value)>,
    held: Vec<(u64, Value)>,
    credit: u64,
    pub(super) subscriptions: usize,
    told: u64,
}

impl Reception {
    /// A reception that lets in who has that name and password; and the ear that is to be given all that the frontend says.
    pub(super) fn open(
        line: Line,
        login: (String, String),
    ) -> (Arc<Reception>, mpsc::UnboundedSender<Message>) {
        let reception = Arc::new(Reception {
            line,
            login,
            book: Mutex::default(),
            news: watch::Sender::default(),
        });
        let (ear, mut said) = mpsc::unbounded_channel();
        let clerk = reception.clone();
        // A host never answers in the midst of being told.
        tokio::spawn(async move {
            while let Some(message) = said.recv().await {
                clerk.take(&message);
                clerk.news.send_replace(());
            }
        });
        (reception, ear)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the book says so.
    pub(super) async fn until(&self, is_so: impl Fn(&Book) -> bool) {
        let mut news = self.news.subscribe();
        loop {
            news.borrow_and_update();
            if is_so(&self.book()) {
                return;
            }
            // The sender is held by `self`.
            let _ = news.changed().await;
        }
    }

    /// Answers what is held, the last one first.
    pub(super) fn release(&self) {
        let held = std::mem::take(&mut self.book().held);
        for (id, value) in held.into_iter().rev() {
            self.reply(id, Ok(value));
        }
    }

    /// How much is held.
    pub(super) async fn holds(&self, many: usize) {
        self.until(|book| book.held.len() >= many).await;
    }

    /// Tells so many events, each as soon as there is credit for it: log lines with their number and that text.
    pub(super) async fn tell(&self, events: u64, text: &str) {
        for number in 0..events {
            self.until(|book| book.credit > 0).await;
            let seq = {
                let mut book = self.book();
                book.credit -= 1;
                book.told += 1;
                book.told
            };
            let head = head::Event {
                epoch: 1,
                seq,
                time: 1.0,
                kind: "log".to_owned(),
                job: None,
                session: None,
            };
            let body = json!({"level": "info", "logger": "suite", "text": text, "number": number, "time": 1.0});
            self.line
                .deliver(Message::new(Kind::EVENT, 0, &head).body(body.to_string()));
        }
    }

    fn take(&self, message: &Message) {
        match message.kind {
            Kind::LOGIN => self.login(message),
            Kind::CALL => self.call(message),
            Kind::LOGOUT => {
                if let Ok(head::Logout { session }) = message.read_head() {
                    self.book().left.push(session);
                }
            }
            Kind::CANCEL => self.book().held.retain(|(id, _)| *id != message.id),
            Kind::SUBSCRIBE => self.subscribe(message.id),
            Kind::CREDIT => {
                if let Ok(head::Credit { events }) = message.read_head() {
                    self.book().credit += u64::from(events);
                }
            }
            _ => {}
        }
    }

    fn login(&self, message: &Message) {
        let Ok(head) = message.read_head::<head::Login>() else {
            return;
        };
        let password = message
            .secret
            .as_ref()
            .map_or("", |secret| secret.expose())
            .to_owned();
        let knock = (head.user, password);
        let is_right = knock == self.login;
        let session = {
            let mut book = self.book();
            book.knocked.push(knock);
            let session = (1 << 53) + 1 + book.sessions.len() as u64;
            if is_right {
                book.sessions.push(session);
            }
            session
        };
        let head = match is_right {
            true => head::Reply {
                session: Some(head::Session {
                    session,
                    role: "admin".to_owned(),
                }),
                ..head::Reply::default()
            },
            false => head::Reply {
                fault: Some(Fault::new(FaultKind::Unauthorized, WRONG)),
                ..head::Reply::default()
            },
        };
        self.line
            .deliver(Message::new(Kind::REPLY, message.id, &head));
    }

    fn call(&self, message: &Message) {
        let Ok(head) = message.read_head::<head::Call>() else {
            return;
        };
        let args: Value = serde_json::from_slice(&message.body).unwrap_or(Value::Null);
        let code = args["code"].as_str().unwrap_or("").to_owned();
        let is_eval = head.op == "eval";
        self.book().calls.push((head.session, head.op, args));
        let value = json!({ "value": code });
        if !is_eval {
            self.reply(message.id, Ok(Value::Null));
        } else if code.starts_with(HOLD) {
            self.book().held.push((message.id, value));
        } else if code.starts_with(REFUSE) {
            self.reply(message.id, Err(Fault::new(FaultKind::Conflict, code)));
        } else {
            self.reply(message.id, Ok(value));
        }
    }

    fn subscribe(&self, id: u64) {
        self.book().subscriptions += 1;
        if id != 0 {
            let position = head::Position {
                epoch: 1,
                first: 1,
                next: 1,
            };
            self.reply(id, Ok(serde_json::to_value(position).unwrap_or_default()));
        }
    }

    fn reply(&self, id: u64, answer: Result<Value, Fault>) {
        let head = head::Reply {
            fault: answer.as_ref().err().cloned(),
            ..head::Reply::default()
        };
        let reply = Message::new(Kind::REPLY, id, &head);
        self.line.deliver(match answer {
            Ok(value) => reply.body(value.to_string()),
            Err(_) => reply,
        });
    }
}
