//! The store: every conversation in one SQLite file, which one task owns.
//!
//! `Store` is the file and what can be done with it, at once; `worker` runs
//! one in a thread for the chat and keeps what cannot be saved yet. What is
//! promised, and which test holds it: `docs/conversations.md`.

mod files;
mod place;
mod purge;
mod read;
mod schema;
mod words;
mod worker;
mod write;

pub use files::Files;
pub use place::private_folder;
pub use schema::{STEPS, VERSION};
pub use worker::{Handle, start};

use crate::protocol::engine::STATES;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The file in the data folder.
pub const FILE: &str = "conversations.db";
/// Follows the name of a file that was set aside.
const BROKEN: &str = ".broken";
/// How long another program may keep the file busy.
const BUSY: Duration = Duration::from_secs(2);
/// A removed conversation can be brought back for so long.
pub const KEPT_DELETED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}", words_of(.0))]
    Sqlite(#[from] rusqlite::Error),
    #[error("{path}: {source}; check the folder's permissions and free space", path = .path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{0}")]
    Missing(String),
    #[error("the conversation {0} is open in another Parlor; close it there, or choose another")]
    Taken(String),
    #[error(
        "the conversations were written by a newer Parlor and can only be read; update this one"
    )]
    Newer,
    #[error("the conversation {0} holds what does not fit together: {1}")]
    Unsound(String, crate::chat::TreeError),
}

impl StoreError {
    /// Whether the file is no sound database.
    pub fn is_corrupt(&self) -> bool {
        let StoreError::Sqlite(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
    }
}

/// SQLite's errors, with what to do about them.
fn words_of(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; make room on it".into(),
        Some(ErrorCode::ReadOnly) => "the file can only be read; check its permissions".into(),
        Some(ErrorCode::CannotOpen) => {
            "the file cannot be opened; check the folder's permissions".into()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program keeps the file busy; close it".into()
        }
        Some(ErrorCode::SystemIoFailure) => {
            format!("the disk does not work as it should ({error})")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is broken".to_string()
        }
        Some(_) | None => error.to_string(),
    }
}

/// The open file.
pub struct Store {
    connection: Connection,
    folder: PathBuf,
    /// Written by a newer version.
    newer: bool,
    /// Conversations that are open here: their locks.
    held: HashMap<String, File>,
}

impl Store {
    /// Opens the file in a folder, making both where they are missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io {
            path: folder.to_path_buf(),
            source,
        };
        place::private_folder(folder).map_err(io)?;
        // One at a time: two programs that make the file at once would get in
        // each other's way.
        let locks = folder.join("locks");
        place::private_folder(&locks).map_err(io)?;
        let opening = place::create_private(&locks.join("opening")).map_err(io)?;
        opening.lock().map_err(io)?;
        let path = folder.join(FILE);
        // SQLite gives the files beside it the same permissions.
        place::create_private(&path).map_err(io)?;
        let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let newer = schema::version(&connection)? > VERSION;
        if !newer {
            schema::migrate(&mut connection, &path)?;
        }
        let mut store = Self {
            connection,
            folder: folder.to_path_buf(),
            newer,
            held: HashMap::new(),
        };
        if !newer {
            store.mend_interrupted()?;
        }
        Ok(store)
    }

    /// Opens the file for reading alone; None where there is none.
    pub fn open_to_read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let version = schema::version(&connection)?;
        if version < VERSION {
            // It is brought up to date first.
            return Self::open(folder).map(Some);
        }
        Ok(Some(Self {
            newer: version > VERSION,
            connection,
            folder: folder.to_path_buf(),
            held: HashMap::new(),
        }))
    }

    pub fn is_newer(&self) -> bool {
        self.newer
    }

    /// Takes a conversation for this program; false where another has it.
    pub fn take(&mut self, id: &str) -> Result<bool, StoreError> {
        if self.held.contains_key(id) {
            return Ok(true);
        }
        let folder = self.folder.join("locks");
        let io = |source| StoreError::Io {
            path: folder.clone(),
            source,
        };
        let file = place::create_private(&folder.join(id)).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                self.held.insert(id.to_string(), file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Lets another program take a conversation.
    pub fn release(&mut self, id: &str) {
        // The file stays: removing it while another opens it would give two
        // programs a lock each.
        self.held.remove(id);
    }

    /// Whether this program has a conversation open.
    pub fn holds(&self, id: &str) -> bool {
        self.held.contains_key(id)
    }

    fn release_all_but(&mut self, id: &str) {
        self.held.retain(|held, _| held == id);
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.create_scalar_function(
        "parlor_words",
        1,
        rusqlite::functions::FunctionFlags::SQLITE_UTF8
            | rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC,
        |call| Ok(words::of_message(&call.get::<String>(0)?)),
    )?;
    Ok(connection)
}

/// Renames a broken file and those that belong to it; returns the new name.
pub fn set_aside(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(FILE);
    let stamp = now() / 1000;
    let aside = (0..)
        .map(|n| folder.join(format!("{FILE}{BROKEN}-{}", stamp + n)))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| folder.join(format!("{FILE}{BROKEN}")));
    std::fs::rename(&path, &aside).map_err(|source| StoreError::Io {
        path: path.clone(),
        source,
    })?;
    for end in ["-wal", "-shm"] {
        let beside = |base: &Path| PathBuf::from(format!("{}{end}", base.display()));
        // Missing ones are no loss.
        let _ = std::fs::rename(beside(&path), beside(&aside));
    }
    Ok(aside)
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Removes what the engine kept of a conversation.
pub fn forget_state(folder: &Path, id: &str) {
    // Where there is none, none is left.
    let _ = std::fs::remove_file(folder.join(STATES).join(format!("{id}.state")));
}

/// Bits that no one can foresee, for the ids of new conversations.
pub fn random_bits() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() ^ now().unsigned_abs()
}
