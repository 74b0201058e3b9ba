//! A persistent submit is carried out once at the most and its client is told, whoever is killed at whatever point of its
//! way. The client waits behind the `failover:` transport; NICOS says what ran.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::tap::{Cue, Tap, Way, When};
use patchbay_e2e::{Client, IBEX_PASSWORD, PATIENCE, Site};
use patchbay_servers::{Message, QueueServer};
use serde_json::json;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Gateway,
    Broker,
    Both,
}

/// Points of a submit's way, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// The broker hands the request to the gateway.
    Message,
    /// The gateway sends the script to NICOS.
    Command,
    /// NICOS answers.
    Reply,
    /// The gateway sends its answer to the broker.
    Send,
    /// The broker confirms that.
    Receipt,
    /// The gateway acknowledges the request.
    Ack,
}

use Point::*;
use Victim::*;
use When::*;

/// After a moment the gateway may have done it all. An answer for which the client's temporary queue waits is in the broker's
/// memory only, and gone with it.
const ROUNDS: [(Victim, Point, When); 23] = [
    (Gateway, Message, After),
    (Gateway, Command, Before),
    (Gateway, Command, After),
    (Gateway, Reply, Before),
    (Gateway, Reply, After),
    (Gateway, Send, Before),
    (Gateway, Send, After),
    (Gateway, Receipt, Before),
    (Gateway, Receipt, After),
    (Gateway, Ack, Before),
    (Gateway, Ack, After),
    (Broker, Message, AtOnce),
    (Broker, Send, Before),
    (Broker, Send, After),
    (Broker, Receipt, Before),
    (Broker, Ack, Before),
    (Broker, Ack, After),
    (Both, Message, AtOnce),
    (Both, Command, Before),
    (Both, Command, After),
    (Both, Reply, Before),
    (Both, Send, After),
    (Both, Ack, Before),
];

struct World {
    site: Site,
    nicos: Tap,
    stomp: Tap,
}

impl World {
    fn start() -> World {
        let mut taps = Vec::new();
        let login = r#"default_login = { user = "ibex" }"#;
        let site = Site::start_by_way(login, |server| {
            let tap = Tap::new(server);
            let address = tap.address;
            taps.push(tap);
            address
        });
        let (stomp, nicos) = (taps.pop().unwrap(), taps.pop().unwrap());
        let client = site.connect_patiently("patient");
        assert_eq!(client.authenticate("ibex", IBEX_PASSWORD)["success"], true);
        World { site, nicos, stomp }
    }

    fn client(&self) -> Client<'_> {
        Client::of(&self.site.jms, "patient")
    }

    /// Submits a script and kills `victim` at that point of its way; what the client was told in the end.
    fn round(&mut self, name: &str, victim: Victim, point: Point, when: When) -> Told {
        let correlation = format!("of-{name}");
        let (gateway, broker) = (self.site.gateway.pid(), self.site.broker.pid());
        let pids = match victim {
            Gateway => vec![gateway],
            Broker => vec![broker],
            Both => vec![gateway, broker],
        };
        let (tap, cues) = self.cues(name, &correlation, point);
        let sprung = tap.arm(cues, when, move || kill(&pids));
        let code = format!("print('ran ' + '{name}')");
        let request = json!({ "command": "queue", "name": name, "code": code }).to_string();
        let message = Message::text(&request)
            .persistent()
            .correlation(&correlation);
        let Site {
            jms,
            gateway,
            broker,
            ..
        } = &mut self.site;
        std::thread::scope(|scope| {
            // Waits for the broker's word that it has the request, for which that may have to come back.
            let sending = scope.spawn(|| jms.send_message("patient", &message));
            let happened = sprung.recv_timeout(PATIENCE);
            assert!(happened.is_ok(), "{name}: the point was never reached");
            if victim != Gateway {
                broker.kill9();
                broker.restart().unwrap();
            }
            if victim != Broker {
                gateway.kill9();
                gateway.restart().unwrap();
            }
            sending.join().unwrap().unwrap();
        });
        Told::read(&self.client().answer(&correlation))
    }

    fn cues(&self, name: &str, correlation: &str, point: Point) -> (&Tap, Vec<Cue>) {
        let correlation = format!("correlation-id:{correlation}");
        let command = Cue::new(Way::Up, &format!("ran ' + '{name}'"));
        let send = Cue::new(Way::Up, &correlation);
        match point {
            Message => (&self.stomp, vec![Cue::new(Way::Down, &correlation)]),
            Command => (&self.nicos, vec![command]),
            Reply => (&self.nicos, vec![command, Cue::next(Way::Down)]),
            Send => (&self.stomp, vec![send]),
            Receipt => (&self.stomp, vec![send, Cue::new(Way::Down, "RECEIPT\n")]),
            Ack => (&self.stomp, vec![send, Cue::new(Way::Up, "ACK\n")]),
        }
    }

    /// How often NICOS ran each.
    fn ran(&self, names: &[String]) -> Vec<usize> {
        let client = self.client();
        let last = client.queue("last", "print('last')");
        client.wait_for_job(&last, &["succeeded"]);
        let asked = json!({ "command": "getmessages", "n": 1000 });
        let messages = client.nicos(&asked).to_string();
        // The script's text is in the log as well, but in two pieces.
        let count = |name: &String| messages.matches(&format!("ran {name}\\n")).count();
        names.iter().map(count).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Job,
    Unknown,
    NotDone(String),
}

impl Told {
    fn read(answer: &serde_json::Value) -> Told {
        let payload = answer["payload"].as_str().unwrap();
        match answer["success"] == true {
            true => Told::Job,
            false if payload.contains("may ") => Told::Unknown,
            false => Told::NotDone(payload.to_owned()),
        }
    }

    fn is_true(&self, ran: usize) -> bool {
        match self {
            Told::Job => ran == 1,
            Told::Unknown => ran <= 1,
            Told::NotDone(_) => ran == 0,
        }
    }
}

fn kill(pids: &[u32]) {
    for pid in pids {
        QueueServer::kill_process(*pid).unwrap();
    }
}

#[test]
fn whoever_is_killed_wherever_a_submit_is_carried_out_once_at_the_most_and_told() {
    let mut world = World::start();
    let mut told = Vec::new();
    for (number, (victim, point, when)) in ROUNDS.into_iter().enumerate() {
        let name = format!("round-{number}-{victim:?}-{point:?}-{when:?}");
        let begun = std::time::Instant::now();
        told.push((world.round(&name, victim, point, when), name));
        println!("{:?} after {:?}", told.last().unwrap(), begun.elapsed());
    }
    let names: Vec<String> = told.iter().map(|(_, name)| name.clone()).collect();
    let ran = world.ran(&names);
    let mut lies = Vec::new();
    for ((told, name), ran) in told.iter().zip(&ran) {
        println!("{name}: told {told:?}, ran {ran}");
        if !told.is_true(*ran) {
            lies.push(format!("{name}: told {told:?}, ran {ran}"));
        }
    }
    assert_eq!(lies, Vec::<String>::new());
    let jobs = told.iter().filter(|(told, _)| *told == Told::Job).count();
    assert!(jobs > ROUNDS.len() / 2, "{jobs} of {}", ROUNDS.len());
}
