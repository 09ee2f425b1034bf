//! Opening a store: the lock, the file, and whether it is one of ours and sound.

use super::schema::{self, APPLICATION_ID, KNOWN};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, ToSql};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Permissions of new files: the daemon writes, its group reads.
pub(super) const MODE: u32 = 0o640;
/// A store up to this size is checked as a whole at start-up. In a larger one only the tables that start-up needs are:
/// the check of these takes a sixth of a second, that of a gigabyte seconds, in which nobody watches.
const CHECK_ALL_UP_TO: u64 = 64 << 20;
/// What start-up needs and what does not grow with the years.
const STATE_TABLES: [&str; 5] = ["devices", "held_lines", "alarms", "calendar", "daemon"];
/// How many faults are told.
const MAX_FAULTS: i64 = 3;
/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 64;
/// Pages that the writer keeps in memory, in KiB: the devices of a large fleet.
const CACHE_KIB: i64 = 64 << 10;
/// The write-ahead log is cut back to this after a storm.
const IDLE_WAL: i64 = 64 << 20;
/// Pages in the write-ahead log, 16 MiB of them, from which on they go into the file: those of which a storm writes again
/// and again go once for several commits.
const CHECKPOINT_PAGES: u32 = 4_000;
/// How long the writer waits for a `sqlite3` shell that is writing, before that counts as a failure. The watch goes on
/// meanwhile, but nobody sees what it finds. Twice that is less than a stopping daemon has (`TimeoutStopSec`).
const WRITER_WAITS: Duration = Duration::from_secs(4);
/// How long a reader waits while the store is being recovered after a crash.
const READER_WAITS: Duration = Duration::from_secs(5);

/// Why a store can't be opened: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The file, its lock or its directory can't be read or written.
    Unusable {
        /// Which file.
        path: PathBuf,
        /// The system's word for it.
        why: String,
    },
    /// The file is something else than a store of ours.
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The file was a store, and is damaged.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A later version of this program wrote it.
    Newer {
        /// Which file.
        path: PathBuf,
        /// The version of its schema.
        found: i32,
        /// The latest one that this program knows.
        known: i32,
    },
    /// An earlier version of this program wrote it, and only the daemon may change that.
    Older {
        /// Which file.
        path: PathBuf,
        /// The version of its schema.
        found: i32,
        /// The one that this program reads.
        known: i32,
    },
    /// Another daemon has it open.
    InUse {
        /// Which file.
        path: PathBuf,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { path, why } => write!(
                f,
                "cannot use {} as the store: {why}; its directory must exist and allow this user to write",
                path.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "{} is not a store of ntuwatch, or its beginning is destroyed; let [store] path name another file, \
                 or restore the last backup",
                path.display()
            ),
            Self::Damaged { path, what } => write!(
                f,
                "the store {path} is damaged: {what}; restore the last backup (made by: ntuwatch backup FILE): move \
                 {path}, {path}-wal and {path}-shm away and copy the backup to {path}",
                path = path.display()
            ),
            Self::Newer { path, found, known } => write!(
                f,
                "the store {} has schema {found}, and this ntuwatch knows schemas up to {known}; update ntuwatch, or \
                 restore a backup made by this version",
                path.display()
            ),
            Self::Older { path, found, known } => write!(
                f,
                "the store {} has schema {found}, and this ntuwatch reads schema {known}; restart the daemon with \
                 this version (ntuwatch run), which brings the store up to date",
                path.display()
            ),
            Self::InUse { path } => write!(
                f,
                "the store {} is in use by another ntuwatch; stop that one, or let [store] path name another file",
                path.display()
            ),
        }
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    fn unusable(path: &Path, error: &io::Error) -> Self {
        Self::Unusable { path: path.into(), why: error.to_string() }
    }

    /// What an error of SQLite while opening says of the file.
    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::NotADatabase) {
            Self::Foreign { path: path.into() }
        } else if code.is_some_and(is_of_the_world) {
            Self::Unusable { path: path.into(), why: error.to_string() }
        } else {
            Self::Damaged { path: path.into(), what: error.to_string() }
        }
    }
}

/// Whether an error comes from around the file, and not from what is in it.
fn is_of_the_world(code: ErrorCode) -> bool {
    [
        ErrorCode::PermissionDenied,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::OutOfMemory,
        ErrorCode::ReadOnly,
        ErrorCode::SystemIoFailure,
        ErrorCode::DiskFull,
        ErrorCode::CannotOpen,
        ErrorCode::FileLockingProtocolFailed,
    ]
    .contains(&code)
}

/// The file's name with something appended.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The one name of a file that may be known by several: they must all lead to the same lock.
pub(super) fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Keeps other daemons away for as long as the file is held. The lock goes with the process, however that ends.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(MODE)
        .open(&lock)
        .map_err(|error| OpenError::unusable(&lock, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(OpenError::unusable(&lock, &error)),
    }
}

/// The writer's connection to the store, which is created if there is none. Wants the lock to be held.
pub(super) fn writable(path: &Path) -> Result<Connection, OpenError> {
    if !path.try_exists().map_err(|error| OpenError::unusable(path, &error))? {
        create(path)?;
    }
    let size = size(path)?;
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_WAITS)?;
    let fail = |error| OpenError::from_sqlite(path, &error);
    // A store that is refused stays as it is: its write-ahead log may be what somebody restores it from.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fail)?;
    let found = recognise(&db, path)?;
    if db.is_readonly(MAIN_DB).map_err(fail)? {
        return Err(OpenError::Unusable { path: path.into(), why: String::from("it can't be written") });
    }
    if !prepare(&db).map_err(fail)? {
        let why = String::from("its file system is not fit for a write-ahead log; use a local disk");
        return Err(OpenError::Unusable { path: path.into(), why });
    }
    match faults(&db, size) {
        Ok(faults) if faults.is_empty() => {}
        Ok(faults) => return Err(OpenError::Damaged { path: path.into(), what: faults.join("; ") }),
        Err(error) => return Err(fail(error)),
    }
    if found < KNOWN {
        schema::migrate(&mut db, path)?;
    }
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fail)?;
    Ok(db)
}

/// A reader's connection.
pub(super) fn readable(path: &Path) -> Result<Connection, OpenError> {
    size(path)?;
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_WAITS)?;
    let found = recognise(&db, path)?;
    if found < KNOWN {
        return Err(OpenError::Older { path: path.into(), found, known: KNOWN });
    }
    Ok(db)
}

/// SQLite takes an empty file for an empty database. Of ours none is ever empty: it was truncated.
fn size(path: &Path) -> Result<u64, OpenError> {
    match fs::metadata(path).map_err(|error| OpenError::unusable(path, &error))?.len() {
        0 => Err(OpenError::Damaged { path: path.into(), what: String::from("it is empty") }),
        size => Ok(size),
    }
}

/// The version of the schema, if the file is a store that this program may touch.
fn recognise(db: &Connection, path: &Path) -> Result<i32, OpenError> {
    let fail = |error| OpenError::from_sqlite(path, &error);
    let id: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(fail)?;
    if id != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.into() });
    }
    let found = schema::version(db).map_err(fail)?;
    if found > KNOWN {
        return Err(OpenError::Newer { path: path.into(), found, known: KNOWN });
    }
    Ok(found)
}

/// Settings of the writer: a commit that returned has reached the disk. False if there can be no write-ahead log.
fn prepare(db: &Connection) -> rusqlite::Result<bool> {
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "journal_size_limit", IDLE_WAL)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update_and_check(None, "journal_mode", "wal", |row| Ok(row.get_ref(0)?.as_str() == Ok("wal")))
}

/// What is wrong with the file; nothing, one hopes.
fn faults(db: &Connection, size: u64) -> rusqlite::Result<Vec<String>> {
    if size <= CHECK_ALL_UP_TO {
        return quick_check(db, &MAX_FAULTS);
    }
    let mut faults = Vec::new();
    for table in STATE_TABLES {
        // An earlier version of the schema has not all of them yet.
        if db.table_exists(None, table)? {
            faults.extend(quick_check(db, &table)?);
        }
    }
    Ok(faults)
}

/// Checks the whole file up to a number of faults, or the table of a name.
fn quick_check(db: &Connection, what: &dyn ToSql) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    db.pragma(None, "quick_check", what, |row| {
        found.push(row.get(0)?);
        Ok(())
    })?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// A store comes into being as a whole: made under another name, it gets its own name when it is complete.
fn create(path: &Path) -> Result<(), OpenError> {
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
        let what = format!("the file is missing, but {} is there", wal.display());
        return Err(OpenError::Damaged { path: path.into(), what });
    }
    let new = beside(path, ".new");
    for remains in [new.clone(), beside(&new, "-journal")] {
        match fs::remove_file(&remains) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::unusable(&remains, &error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    create_file(&new).map_err(|error| OpenError::unusable(&new, &error))?;
    let mut db = connect(&new, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_WAITS)?;
    schema::migrate(&mut db, &new)?;
    // Pages that one migration made and another one had no use for.
    db.execute_batch("VACUUM").map_err(|error| OpenError::from_sqlite(&new, &error))?;
    db.close().map_err(|(_, error)| OpenError::from_sqlite(&new, &error))?;
    publish(&new, path).map_err(|error| OpenError::unusable(path, &error))
}

/// Makes an empty file that did not exist.
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().create_new(true).write(true).mode(MODE).open(path).map(|_| ())
}

/// Gives a finished file its name, and makes sure that it keeps it.
pub(super) fn publish(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// Opens a database file. No file name is taken for a URI.
pub(super) fn connect(path: &Path, access: OpenFlags, waits: Duration) -> Result<Connection, OpenError> {
    let fail = |error| OpenError::from_sqlite(path, &error);
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
    db.busy_timeout(waits).map_err(fail)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_store_is_checked_where_start_up_reads_it() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db, Path::new("memory")).unwrap();
        for size in [0, u64::MAX] {
            assert_eq!(faults(&db, size), Ok(Vec::new()));
        }
        db.execute_batch(
            "PRAGMA ignore_check_constraints = on;
             INSERT INTO daemon VALUES (2, 0, '', 0, 0, 1);
             PRAGMA ignore_check_constraints = off;",
        )
        .unwrap();
        for size in [0, u64::MAX] {
            assert_eq!(faults(&db, size), Ok(vec![String::from("CHECK constraint failed in daemon")]));
        }
    }

    /// Faults are looked for before a store is brought up to date.
    #[test]
    fn a_large_store_of_version_1_is_checked_where_it_has_tables() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("migrations/V1__store.sql")).unwrap();
        assert_eq!(faults(&db, u64::MAX), Ok(Vec::new()));
    }
}
