//! The file of notes: a small embedded database, synced with each change.

use super::note::{Digest, Note, State};
use super::{Keeping, folder};
use redb::backends::FileBackend;
use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
    WriteTransaction,
};
use serde_json::value::RawValue;
use std::fs::OpenOptions;
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "intents.redb";

/// Key → note, as JSON.
const NOTES: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("notes");

/// Digest of an answer → key.
const ANSWERS: TableDefinition<[u8; 32], [u8; 32]> = TableDefinition::new("answers");

/// Milliseconds since 1970 and key, so that the oldest come first.
const BY_AGE: TableDefinition<(u64, [u8; 32]), ()> = TableDefinition::new("by-age");

/// The database's own memory for pages, in bytes.
const CACHE: usize = 1 << 20;

/// Why nothing can be noted: a sentence for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// One change to the notes.
#[derive(Debug)]
pub enum Change {
    /// A request is going to be sent.
    Begin(Digest, Note),
    /// It was answered.
    Done(Digest, Box<RawValue>),
    /// It was not carried out, and may be tried again under its key.
    Forget(Digest),
}

/// The notes of one gateway.
#[derive(Debug)]
pub struct Store {
    keeping: Keeping,
    /// `None` until it is first needed, and after trouble: what has failed once is opened anew.
    database: Option<Database>,
}

impl Store {
    /// Opens nothing yet.
    pub fn new(keeping: Keeping) -> Self {
        Store {
            keeping,
            database: None,
        }
    }

    /// Opens the file, and makes folder and file if need be.
    ///
    /// # Errors
    /// What is wrong with folder or file.
    pub fn open(&mut self) -> Result<(), Trouble> {
        self.database().map(|_| ())
    }

    /// What is noted under a key.
    ///
    /// # Errors
    /// If the file cannot be read, or not understood.
    pub fn get(&mut self, key: Digest) -> Result<Option<Note>, Trouble> {
        let found = read(self.database()?, key);
        let note = self.checked(found)?;
        let damaged = |error| Trouble(format!("a note in {FILE} is damaged: {error}"));
        note.map(|note| serde_json::from_slice(&note).map_err(damaged))
            .transpose()
    }

    /// Whether something was answered just like this.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn is_answer(&mut self, answer: &RawValue) -> Result<bool, Trouble> {
        let known = read_answer(self.database()?, digest(answer));
        self.checked(known)
    }

    /// Makes these changes, all or none. When it returns they are on the disk.
    ///
    /// # Errors
    /// If they are not.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), Trouble> {
        let age = u64::try_from(self.keeping.age.as_millis()).unwrap_or(u64::MAX);
        let (most, oldest) = (self.keeping.most, now_ms().saturating_sub(age));
        let applied = write(self.database()?, changes, most, oldest);
        self.checked(applied)
    }

    fn database(&mut self) -> Result<&Database, Trouble> {
        let database = match self.database.take() {
            Some(open) => open,
            None => open(&self.keeping)?,
        };
        Ok(self.database.insert(database))
    }

    fn checked<T>(&mut self, outcome: Result<T, redb::Error>) -> Result<T, Trouble> {
        outcome.map_err(|error| {
            self.database = None;
            let file = self.keeping.folder.join(FILE);
            Trouble(format!("{}: {error}", file.display()))
        })
    }
}

fn open(keeping: &Keeping) -> Result<Database, Trouble> {
    folder::prepare(&keeping.folder).map_err(Trouble)?;
    let path = keeping.folder.join(FILE);
    let trouble = |what: String| Trouble(format!("{}: {what}", path.display()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| trouble(error.to_string()))?;
    folder::hide(&file).map_err(|error| trouble(error.to_string()))?;
    let opened = FileBackend::new(file).and_then(|file| {
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE).create_with_backend(file)
    });
    opened.map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => trouble(
            "another gateway uses it; give each its own `state_path` in `[gateway]`".to_owned(),
        ),
        other => trouble(other.to_string()),
    })
}

fn read(database: &Database, key: Digest) -> Result<Option<Vec<u8>>, redb::Error> {
    match database.begin_read()?.open_table(NOTES) {
        Ok(notes) => Ok(notes.get(key.0)?.map(|note| note.value().to_vec())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn read_answer(database: &Database, answer: Digest) -> Result<bool, redb::Error> {
    match database.begin_read()?.open_table(ANSWERS) {
        Ok(answers) => Ok(answers.get(answer.0)?.is_some()),
        Err(TableError::TableDoesNotExist(_)) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn write(
    database: &Database,
    changes: &[Change],
    most: u64,
    oldest: u64,
) -> Result<(), redb::Error> {
    let work = database.begin_write()?;
    for change in changes {
        make(&work, change)?;
    }
    forget_old(&work, most, oldest)?;
    work.commit()?;
    Ok(())
}

fn make(work: &WriteTransaction, change: &Change) -> Result<(), redb::Error> {
    let mut notes = work.open_table(NOTES)?;
    let mut by_age = work.open_table(BY_AGE)?;
    match change {
        Change::Begin(key, note) => {
            notes.insert(key.0, &*text(note))?;
            by_age.insert((to_ms(note.at), key.0), ())?;
        }
        Change::Done(key, reply) => {
            let known = notes.get(key.0)?.and_then(|note| parse(note.value()));
            if let Some(note) = known {
                let state = State::Done(reply.clone());
                notes.insert(key.0, &*text(&Note { state, ..note }))?;
                work.open_table(ANSWERS)?.insert(digest(reply).0, key.0)?;
            }
        }
        Change::Forget(key) => {
            let known = notes.remove(key.0)?.and_then(|note| parse(note.value()));
            if let Some(note) = known {
                by_age.remove((to_ms(note.at), key.0))?;
            }
        }
    }
    Ok(())
}

fn forget_old(work: &WriteTransaction, most: u64, oldest: u64) -> Result<(), redb::Error> {
    let mut notes = work.open_table(NOTES)?;
    let mut by_age = work.open_table(BY_AGE)?;
    let mut answers = work.open_table(ANSWERS)?;
    loop {
        let Some((at, key)) = by_age.first()?.map(|(first, _)| first.value()) else {
            return Ok(());
        };
        if by_age.len()? <= most && at >= oldest {
            return Ok(());
        }
        by_age.remove((at, key))?;
        let gone = notes.remove(key)?.and_then(|note| parse(note.value()));
        if let Some(State::Done(reply)) = gone.map(|note| note.state) {
            answers.remove(digest(&reply).0)?;
        }
    }
}

/// What cannot be read stays as it is: whoever asks for it is told.
fn parse(note: &[u8]) -> Option<Note> {
    serde_json::from_slice(note).ok()
}

/// A note is made of numbers, texts and JSON, which can be written.
fn text(note: &Note) -> Vec<u8> {
    serde_json::to_vec(note).unwrap_or_default()
}

fn digest(answer: &RawValue) -> Digest {
    Digest::of([answer.get().as_bytes()])
}

fn to_ms(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn keeping(folder: &std::path::Path, most: u64) -> Keeping {
        Keeping {
            folder: folder.join("state"),
            most,
            age: Duration::from_secs(60),
        }
    }

    fn key(n: u8) -> Digest {
        Digest([n; 32])
    }

    fn note(seconds_ago: f64) -> Note {
        Note {
            at: now_ms() as f64 / 1000.0 - seconds_ago,
            body: [7; 32],
            who: "anna".into(),
            state: State::Open,
        }
    }

    fn reply(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.into()).unwrap()
    }

    #[test]
    fn a_note_outlives_the_process_and_then_knows_its_answer() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(keeping(dir.path(), 10));
        store.apply(&[Change::Begin(key(1), note(0.0))]).unwrap();
        drop(store);
        let mut store = Store::new(keeping(dir.path(), 10));
        let found = store.get(key(1)).unwrap().unwrap();
        assert!(matches!(found.state, State::Open) && found.who == "anna");
        store
            .apply(&[Change::Done(key(1), reply(r#"{"job":"7"}"#))])
            .unwrap();
        let found = store.get(key(1)).unwrap().unwrap();
        assert!(matches!(found.state, State::Done(reply) if reply.get() == r#"{"job":"7"}"#));
        assert!(store.is_answer(&reply(r#"{"job":"7"}"#)).unwrap());
        assert!(!store.is_answer(&reply(r#"{"job":"8"}"#)).unwrap());
        store.apply(&[Change::Forget(key(1))]).unwrap();
        assert!(store.get(key(1)).unwrap().is_none());
    }

    #[test]
    fn the_oldest_are_forgotten_first_by_number_and_by_age() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(keeping(dir.path(), 3));
        for n in 0..5 {
            store
                .apply(&[Change::Begin(key(n), note(f64::from(10 - n)))])
                .unwrap();
        }
        let known: Vec<u8> = (0..5)
            .filter(|n| store.get(key(*n)).unwrap().is_some())
            .collect();
        assert_eq!(known, [2, 3, 4]);
        store
            .apply(&[
                Change::Begin(key(9), note(61.0)),
                Change::Begin(key(8), note(0.0)),
            ])
            .unwrap();
        assert!(store.get(key(9)).unwrap().is_none());
        assert!(store.get(key(8)).unwrap().is_some());
    }

    #[test]
    fn a_second_gateway_is_told_to_use_its_own_folder() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Store::new(keeping(dir.path(), 3));
        first.open().unwrap();
        let trouble = Store::new(keeping(dir.path(), 3)).open().unwrap_err();
        assert!(trouble.0.contains("another gateway"), "{trouble}");
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_file_are_nobody_elses() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let keeping = keeping(dir.path(), 3);
        let mut store = Store::new(keeping.clone());
        store.open().unwrap();
        assert_eq!(mode(&keeping.folder), 0o700);
        assert_eq!(mode(&keeping.folder.join(FILE)), 0o600);
        drop(store);
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&keeping.folder, open).unwrap();
        let trouble = Store::new(keeping).open().unwrap_err();
        assert!(trouble.0.contains("chmod go-w"), "{trouble}");
    }

    #[test]
    fn a_file_that_is_something_else_is_trouble_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let keeping = keeping(dir.path(), 3);
        std::fs::create_dir(&keeping.folder).unwrap();
        let file = keeping.folder.join(FILE);
        std::fs::write(&file, "no database").unwrap();
        let trouble = Store::new(keeping).open().unwrap_err();
        assert!(trouble.0.contains(FILE), "{trouble}");
        assert_eq!(std::fs::read(&file).unwrap(), b"no database");
    }
}
