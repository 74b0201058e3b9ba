//! What the gateway demands of every frontend. A requirement that is not met is told with the reason, and what is often wrong.

use my_plugin::Lines;
use patchbay_testkit::Wire;
use patchbay_testkit::conformance::{self, Client, Protocol, Told};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How clients reach it.
struct Tcp(String);

/// What is wrong with a connection.
fn broken(error: std::io::Error) -> String {
    error.to_string()
}

impl Protocol for Tcp {
    type Client = Reader;

    async fn connect(&self) -> Result<Reader, String> {
        Ok(Reader {
            stream: BufReader::new(TcpStream::connect(&self.0).await.map_err(broken)?),
            events: VecDeque::new(),
        })
    }
}

/// A client, with the events that came while it waited for an answer.
struct Reader {
    stream: BufReader<TcpStream>,
    events: VecDeque<Value>,
}

impl Reader {
    async fn write(&mut self, line: &str) -> Result<(), String> {
        self.stream.write_all(line.as_bytes()).await.map_err(broken)
    }

    /// The next line, in its three parts.
    async fn line(&mut self) -> Result<(String, String, String), String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.map_err(broken)? == 0 {
            return Err("the connection has ended".to_owned());
        }
        let mut parts = line
            .trim_end_matches('\n')
            .splitn(3, ' ')
            .map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(word), Some(rest)) => Ok((id, word, rest)),
            _ => Err(format!("no line of this protocol: {line}")),
        }
    }

    /// The next answer: to what, and what.
    async fn said(&mut self) -> Result<(String, Told), String> {
        loop {
            let (id, word, rest) = self.line().await?;
            let value: Value = serde_json::from_str(&rest).map_err(|error| error.to_string())?;
            match word.as_str() {
                "event" => self.events.push_back(value["body"].clone()),
                "ok" => return Ok((id, Ok(value))),
                _ => {
                    return Ok((
                        id,
                        Err(value["message"].as_str().unwrap_or(&rest).to_owned()),
                    ));
                }
            }
        }
    }
}

impl Client for Reader {
    async fn login(&mut self, user: &str, password: &str) -> Result<Told, String> {
        self.write(&format!("0 login {user} {password}\n")).await?;
        Ok(self.said().await?.1)
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        self.write(&format!("{tag} {op} {args}\n")).await
    }

    async fn answer(&mut self) -> Result<(u64, Told), String> {
        let (id, told) = self.said().await?;
        let tag = id
            .parse()
            .map_err(|_| format!("an answer to `{id}`: {told:?}"))?;
        Ok((tag, told))
    }

    async fn subscribe(&mut self) -> Result<bool, String> {
        self.write("0 events\n").await?;
        self.said().await?.1.map(|_| true)
    }

    async fn event(&mut self) -> Result<Value, String> {
        while self.events.is_empty() {
            let (_, word, rest) = self.line().await?;
            if word != "event" {
                return Err(format!("no event, but {word} {rest}"));
            }
            let value: Value = serde_json::from_str(&rest).map_err(|error| error.to_string())?;
            self.events.push_back(value["body"].clone());
        }
        Ok(self.events.pop_front().unwrap_or_default())
    }

    async fn babble(&mut self) -> Result<bool, String> {
        self.write("GET / HTTP/1.1\r\n\r\n\0").await?;
        Ok(true)
    }
}

#[tokio::test]
async fn it_keeps_to_what_is_demanded_of_every_frontend() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let config = json!({ "listen": address });
    let report = conformance::frontend::<Lines, _>(config, Tcp(address))
        .over(Wire::Bytes)
        .run()
        .await;
    println!("{report}");
    report.assert();
}
