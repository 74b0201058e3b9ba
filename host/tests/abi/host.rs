//! A host of another boundary, for the tests: it loads a plugin as hosts do, asks it one question and prints the answer.

mod inspect;

use patchbay_abi::load::Library;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Kind, Message, Port, Secret, head};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

struct Heard(Sender<Message>);

impl Deliver for Heard {
    fn deliver(&self, message: Message) -> Delivery {
        match self.0.send(message) {
            Ok(()) => Delivery::Taken,
            Err(_) => Delivery::Closed,
        }
    }
}

fn main() -> ExitCode {
    let file = std::env::args().nth(1).unwrap_or_default();
    match ask(Path::new(&file)) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn ask(file: &Path) -> Result<String, String> {
    let manifest = inspect::manifest(file)?;
    let mismatches = inspect::mismatches(&manifest);
    if !mismatches.is_empty() {
        return Err(inspect::refusal(file, &manifest, &mismatches));
    }
    let module = Library::open(file)?.functions()?;
    let (say, heard) = channel();
    let opened = (module.open())("other".into(), Port::new(Heard(say))).into_result();
    let port = opened.map_err(|why| why.into_string())?;
    let start = head::Start {
        instance: "other".to_owned(),
        level: "info".to_owned(),
    };
    port.deliver(Message::new(Kind::START, 0, &start).body("{}".to_owned()));
    wait(&heard, Kind::READY)?;
    let login = head::Login {
        session: 1,
        user: "anna".to_owned(),
        client: String::new(),
        vouched: None,
    };
    port.deliver(Message::new(Kind::LOGIN, 1, &login).secret(Secret::new("s")));
    wait(&heard, Kind::REPLY)?;
    let call = head::Call {
        session: 1,
        op: "status".to_owned(),
        ..head::Call::default()
    };
    port.deliver(Message::new(Kind::CALL, 2, &call).body("{\"n\":1}".to_owned()));
    let answer = wait(&heard, Kind::REPLY)?;
    port.deliver(Message::new(Kind::STOP, 0, &head::Stop { deadline_ms: 5000 }));
    wait(&heard, Kind::STOPPED)?;
    answer.body.as_str().map(str::to_owned).map_err(|error| error.to_string())
}

fn wait(heard: &Receiver<Message>, kind: Kind) -> Result<Message, String> {
    loop {
        let message = heard.recv_timeout(Duration::from_secs(60));
        let message = message.map_err(|_| format!("no {kind:?} comes"))?;
        if message.kind == kind {
            return Ok(message);
        }
    }
}
