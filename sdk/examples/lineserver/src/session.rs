//! Somebody who is logged in: each operation that this backend knows, and what it says to the others.

use crate::board::Board;
use crate::connection::Server;
use crate::line::{self, quoted};
use patchbay_sdk::model::Support;
use patchbay_sdk::model::args::{Code, Remove, Submit, Which};
use patchbay_sdk::{BackendSession, Command, Fault, FaultKind, RawJson, Reply, Role};
use serde_json::json;
use std::sync::Arc;

/// Somebody who is logged in.
pub struct Somebody {
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) server: Server,
    pub(crate) board: Arc<Board>,
}

impl BackendSession for Somebody {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let board = &self.board;
        match command.op.as_str() {
            "submit" => self.submit(command.args()?).await,
            "find" => Reply::new(&json!({ "jobs": board.find(&self.user, &command.args()?)? })),
            "job" => self.job(command.args()?).await,
            "remove" => self.remove(command.args()?).await,
            "stop" => self
                .order("STOP".to_owned(), true)
                .await
                .map(|_| Reply::null()),
            "emergency" => self.emergency().await,
            "eval" => self.eval(command.args()?).await,
            "status" => Reply::new(&board.status()),
            "log" => Reply::new(&board.log(command.args()?)),
            "capabilities" => Reply::new(&json!({
                "server": "lineserver",
                "ops": Support::of_all(support),
            })),
            op => Err(support(op).refusal(op)),
        }
    }
}

impl Somebody {
    async fn order(&self, line: String, urgent: bool) -> Result<String, Fault> {
        let answer = self.server.ask(line, urgent).await?;
        answer.map_err(|why| Fault::new(FaultKind::Conflict, why))
    }

    async fn submit(&self, asked: Submit) -> Result<Reply, Fault> {
        if asked.start && self.board.is_busy() {
            return Err(Fault::new(
                FaultKind::Conflict,
                "something runs or waits already",
            ));
        }
        let job = self.board.new_job(&self.user, asked);
        let id = job.id.clone();
        let answer = self.server.submit(job).await?;
        answer.map_err(|why| Fault::new(FaultKind::Conflict, why))?;
        Reply::new(&json!({ "job": id }))
    }

    async fn job(&self, asked: Which) -> Result<Reply, Fault> {
        let unknown = match self.board.job(&asked) {
            Ok(record) => return Reply::new(&record),
            Err(fault) => fault,
        };
        // It may be one of an earlier life of this plugin, which the server knows. What is no id of ours goes into no line.
        if !line::is_id(&asked.job) {
            return Err(unknown);
        }
        match self.server.ask(format!("JOB {}", asked.job), false).await? {
            Ok(said) => Reply::new(&line::record(asked.job, &said)),
            Err(_) => Err(unknown),
        }
    }

    async fn remove(&self, asked: Remove) -> Result<Reply, Fault> {
        match asked.which()? {
            Some(job) => {
                // It goes into a line, so it is one of ours, or refused.
                let job = self.board.known(&job)?;
                self.order(format!("DROP {job}"), false).await?;
            }
            None => self.remove_all(false).await?,
        }
        Ok(Reply::null())
    }

    async fn remove_all(&self, urgent: bool) -> Result<(), Fault> {
        for job in self.board.waiting() {
            // One that has begun meanwhile is none that waits.
            let _ = self.server.ask(format!("DROP {job}"), urgent).await?;
        }
        Ok(())
    }

    async fn emergency(&self) -> Result<Reply, Fault> {
        self.remove_all(true).await?;
        // It is no error that nothing runs.
        let _ = self.server.ask("STOP".to_owned(), true).await?;
        Ok(Reply::null())
    }

    async fn eval(&self, asked: Code) -> Result<Reply, Fault> {
        let value = self
            .order(format!("EVAL {}", quoted(&asked.code)), false)
            .await?;
        Reply::new(&json!({ "value": RawJson::from_string(value)? }))
    }
}

/// How well this backend does an operation.
fn support(op: &str) -> Support {
    match op {
        "submit" | "find" | "job" | "remove" | "stop" | "emergency" | "eval" | "status" | "log"
        | "capabilities" => Support::Native,
        "pause" | "resume" => Support::unsupported("the line server cannot hold a script"),
        _ => Support::unsupported("the line server has nothing of the kind"),
    }
}
