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

/// A number that counts up → key, so that the oldest come first whatever the clock does.
const IN_ORDER: TableDefinition<u64, [u8; 32]> = TableDefinition::new("in-order");

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
        let keeping = self.keeping.clone();
        let applied = write(self.database()?, changes, &keeping);
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

fn write(database: &Database, changes: &[Change], keeping: &Keeping) -> Result<(), redb::Error> {
    let work = database.begin_write()?;
    for change in changes {
        make(&work, change)?;
    }
    forget_old(&work, keeping)?;
    work.commit()?;
    Ok(())
}

fn make(work: &WriteTransaction, change: &Change) -> Result<(), redb::Error> {
    let mut notes = work.open_table(NOTES)?;
    match change {
        Change::Begin(key, note) => {
            notes.insert(key.0, &*text(note))?;
            let mut order = work.open_table(IN_ORDER)?;
            let last = order.last()?.map_or(0, |(last, _)| last.value());
            order.insert(last + 1, key.0)?;
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
            // Its place in the order goes when its turn comes.
            notes.remove(key.0)?;
        }
    }
    Ok(())
}

/// The newest stay, whatever their age: what is under way is among them, and a clock that was set
/// must not make anything forgotten.
fn forget_old(work: &WriteTransaction, keeping: &Keeping) -> Result<(), redb::Error> {
    let mut notes = work.open_table(NOTES)?;
    let mut order = work.open_table(IN_ORDER)?;
    let mut answers = work.open_table(ANSWERS)?;
    let too_old = now() - keeping.age.as_secs_f64();
    while order.len()? > keeping.least {
        let Some((number, key)) = order.first()?.map(|(n, key)| (n.value(), key.value())) else {
            return Ok(());
        };
        let note = notes.get(key)?.map(|note| parse(note.value()));
        let stays = |note: &Option<Note>| note.as_ref().is_none_or(|note| note.at >= too_old);
        if order.len()? <= keeping.most && note.as_ref().is_some_and(stays) {
            return Ok(());
        }
        order.remove(number)?;
        notes.remove(key)?;
        if let Some(State::Done(reply)) = note.flatten().map(|note| note.state) {
            answers.remove(digest(&reply).0)?;
        }
    }
    Ok(())
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

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn keeping(folder: &std::path::Path, most: u64) -> Keeping {
        Keeping {
            folder: folder.join("state"),
            most,
            least: 2,
            age: Duration::from_secs(60),
        }
    }

    fn key(n: u8) -> Digest {
        Digest([n; 32])
    }

    fn note(seconds_ago: f64) -> Note {
        Note {
            at: now() - seconds_ago,
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

    fn begin(store: &mut Store, n: u8, seconds_ago: f64) {
        store
            .apply(&[Change::Begin(key(n), note(seconds_ago))])
            .unwrap();
    }

    fn known(store: &mut Store) -> Vec<u8> {
        (0..20)
            .filter(|n| store.get(key(*n)).unwrap().is_some())
            .collect()
    }

    #[test]
    fn the_oldest_are_forgotten_first_by_number_and_by_age() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(keeping(dir.path(), 3));
        (0..5).for_each(|n| begin(&mut store, n, 10.0));
        assert_eq!(known(&mut store), [2, 3, 4]);
        let mut store = Store::new(keeping(&dir.path().join("other"), 10));
        for (n, seconds_ago) in [(0, 90.0), (1, 80.0), (2, 70.0), (3, 1.0)] {
            begin(&mut store, n, seconds_ago);
        }
        assert_eq!(known(&mut store), [2, 3], "two stay, whatever their age");
    }

    #[test]
    fn whatever_the_clock_does_the_newest_stay() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(keeping(dir.path(), 3));
        // It was set back by an hour, and then set forward by a day.
        (0..5).for_each(|n| begin(&mut store, n, 10.0 + 3600.0 * f64::from(n)));
        assert_eq!(known(&mut store), [3, 4]);
        (5..8).for_each(|n| begin(&mut store, n, 86_400.0));
        assert_eq!(known(&mut store), [6, 7]);
    }

    #[test]
    fn what_was_given_up_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::new(keeping(dir.path(), 3));
        for n in 0..10 {
            begin(&mut store, n, 0.0);
            store.apply(&[Change::Forget(key(n))]).unwrap();
        }
        (10..13).for_each(|n| begin(&mut store, n, 0.0));
        assert_eq!(known(&mut store), [10, 11, 12]);
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
