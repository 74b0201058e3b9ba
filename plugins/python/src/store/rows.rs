//! What stands in the database.
//!
//! `place` orders what waits; it is null for what has begun or was removed. `number` is the order in which jobs were asked
//! for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::Fault;
use patchbay_sdk::model::{JobRecord, JobState};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::Store;
use crate::job::Job;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS job (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT,
        user TEXT NOT NULL,
        code TEXT NOT NULL,
        asked TEXT NOT NULL,
        state TEXT NOT NULL,
        place INTEGER,
        submitted REAL NOT NULL,
        started REAL,
        ended REAL,
        error TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS job_place ON job (place) WHERE place IS NOT NULL;
    CREATE INDEX IF NOT EXISTS job_ended ON job (ended) WHERE ended IS NOT NULL;
    CREATE INDEX IF NOT EXISTS job_submitted ON job (user, submitted);
";

const COLUMNS: &str = "id, name, user, state, submitted, started, ended, error, code";

/// The version of [`SCHEMA`].
const VERSION: i64 = 1;

/// How long another process may hold the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was on disk when the database was opened.
pub struct Loaded {
    /// What waits, in order.
    pub queue: Vec<Job>,
    /// What had begun, and whose end nobody knows; it is lost.
    pub lost: Vec<Job>,
    /// What ended last.
    pub last: Option<Job>,
}

/// A `submit` that is to be found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who asked.
    pub user: String,
    /// The digest of what was asked for.
    pub asked: String,
    /// In Unix seconds, not before.
    pub since: f64,
}

pub(super) fn open(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // With FULL, each commit is on the disk when it returns.
    connection.pragma_update(None, "synchronous", "FULL")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        let text = format!("it was written by a newer version of this plugin ({version})");
        return Err(rusqlite::Error::ToSqlConversionFailure(text.into()));
    }
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(connection)
}

impl Store {
    /// Reads what there is, and marks what was interrupted as lost.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn load(&self, now: f64) -> std::result::Result<Loaded, Fault> {
        let why = "the gateway was killed while it ran";
        self.with(move |connection| {
            let change = connection.transaction()?;
            let lost =
                "UPDATE job SET state = 'lost', ended = ?1, error = ?2 WHERE state = 'running'";
            change.execute(lost, params![now, why])?;
            let loaded = Loaded {
                queue: jobs(&change, "place IS NOT NULL ORDER BY place", params![])?,
                lost: jobs(&change, "state = 'lost' AND ended = ?1", params![now])?,
                last: jobs(
                    &change,
                    "ended IS NOT NULL AND state != 'removed' ORDER BY ended DESC LIMIT 1",
                    params![],
                )?
                .pop(),
            };
            change.commit()?;
            Ok(loaded)
        })
        .await
    }

    /// Puts a job at the end of the queue.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn insert(&self, job: Job, asked: String) -> std::result::Result<(), Fault> {
        self.with(move |connection| {
            let record = &job.record;
            let insert = "INSERT INTO job (id, name, user, code, asked, state, place, submitted)
                VALUES (?1, ?2, ?3, ?4, ?5, 'queued', (SELECT coalesce(max(place), 0) + 1 FROM job), ?6)";
            let Job { code, .. } = &job;
            connection.execute(
                insert,
                params![record.id, record.name, record.user, &**code, asked, record.submitted],
            )?;
            Ok(())
        })
        .await
    }

    /// A job is about to begin.
    ///
    /// # Errors
    /// As the database has it; then it must not begin.
    pub async fn started(&self, id: String, now: f64) -> std::result::Result<(), Fault> {
        self.with(move |connection| {
            let update =
                "UPDATE job SET state = 'running', place = NULL, started = ?2 WHERE id = ?1";
            match connection.execute(update, params![id, now])? {
                1 => Ok(()),
                _ => Err(rusqlite::Error::QueryReturnedNoRows),
            }
        })
        .await
    }

    /// Jobs have ended, or were removed; of all that have, so many are remembered.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn ended(
        &self,
        records: Vec<JobRecord>,
        most: usize,
    ) -> std::result::Result<(), Fault> {
        self.with(move |connection| {
            let change = connection.transaction()?;
            for record in &records {
                let update = "UPDATE job SET state = ?2, place = NULL, ended = ?3, error = ?4 WHERE id = ?1";
                let state = record.state.as_str();
                change.execute(update, params![record.id, state, record.ended, record.error])?;
            }
            let forget = "DELETE FROM job WHERE number IN
                (SELECT number FROM job WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT -1 OFFSET ?1)";
            change.execute(forget, params![most as i64])?;
            change.commit()
        })
        .await
    }

    /// A job that waits gets another text.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn edited(&self, id: String, code: Arc<str>) -> std::result::Result<(), Fault> {
        self.with(move |connection| {
            let update = "UPDATE job SET code = ?2 WHERE id = ?1";
            connection.execute(update, params![id, &*code]).map(drop)
        })
        .await
    }

    /// What waits gets this order.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn reordered(&self, ids: Vec<String>) -> std::result::Result<(), Fault> {
        self.with(move |connection| {
            let change = connection.transaction()?;
            for (place, id) in ids.iter().enumerate() {
                let update = "UPDATE job SET place = ?2 WHERE id = ?1 AND place IS NOT NULL";
                change.execute(update, params![id, place as i64 + 1])?;
            }
            change.commit()
        })
        .await
    }

    /// A job of any time.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn job(&self, id: String) -> std::result::Result<Option<Job>, Fault> {
        self.with(move |connection| {
            let select = format!("SELECT {COLUMNS} FROM job WHERE id = ?1");
            connection.query_row(&select, params![id], job).optional()
        })
        .await
    }

    /// The last jobs that have ended, the latest first.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn past(&self, most: u32) -> std::result::Result<Vec<JobRecord>, Fault> {
        self.with(move |connection| {
            let which = "ended IS NOT NULL ORDER BY ended DESC LIMIT ?1";
            let jobs = jobs(connection, which, params![most])?;
            Ok(jobs.into_iter().map(|job| job.record).collect())
        })
        .await
    }

    /// The jobs that were asked for so, oldest first.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn find(&self, wanted: Found) -> std::result::Result<Vec<String>, Fault> {
        self.with(move |connection| {
            let which = "user = ?1 AND asked = ?2 AND submitted >= ?3 ORDER BY number";
            let jobs = jobs(
                connection,
                which,
                params![wanted.user, wanted.asked, wanted.since],
            )?;
            Ok(jobs.into_iter().map(|job| job.record.id).collect())
        })
        .await
    }
}

fn jobs(connection: &Connection, which: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Job>> {
    let mut select = connection.prepare(&format!("SELECT {COLUMNS} FROM job WHERE {which}"))?;
    select.query_map(values, job)?.collect()
}

fn job(row: &Row<'_>) -> Result<Job> {
    let state: String = row.get(3)?;
    let unknown = || {
        let text = format!("no state of a job is called `{state}`");
        rusqlite::Error::ToSqlConversionFailure(text.into())
    };
    let record = JobRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        user: row.get(2)?,
        state: JobState::from_name(&state).ok_or_else(unknown)?,
        submitted: row.get(4)?,
        started: row.get(5)?,
        ended: row.get(6)?,
        error: row.get(7)?,
        ..JobRecord::default()
    };
    let code: String = row.get(8)?;
    Ok(Job {
        record,
        code: code.into(),
    })
}
