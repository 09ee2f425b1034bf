//! The schema and its history. A migration, once released, is never changed: the next one is added to the list.

use super::open::OpenError;
use refinery::{Migration, Runner};
use rusqlite::Connection;
use std::path::Path;

/// Every migration, oldest first. The number of a migration is the version of the schema that it makes.
const MIGRATIONS: [(&str, &str); 11] = [
    ("V1__store", include_str!("migrations/V1__store.sql")),
    ("V2__shared_causes", include_str!("migrations/V2__shared_causes.sql")),
    ("V3__desk", include_str!("migrations/V3__desk.sql")),
    ("V4__mail", include_str!("migrations/V4__mail.sql")),
    ("V5__sealed_journal", include_str!("migrations/V5__sealed_journal.sql")),
    ("V6__parties", include_str!("migrations/V6__parties.sql")),
    ("V7__notices", include_str!("migrations/V7__notices.sql")),
    ("V9__intake", include_str!("migrations/V9__intake.sql")),
    ("V10__surveys", include_str!("migrations/V10__surveys.sql")),
    ("V11__originals", include_str!("migrations/V11__originals.sql")),
    ("V12__promises", include_str!("migrations/V12__promises.sql")),
];

/// The version that this program reads and writes.
pub(super) const KNOWN: i32 = 12;
/// Marks a database file as ours: "NTUW".
pub(super) const APPLICATION_ID: i32 = 0x4e54_5557;

/// Brings the schema to [`KNOWN`]: all missing migrations, or none.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let migrations: Result<Vec<_>, _> = MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
    migrations
        .and_then(|migrations| Runner::new(&migrations).set_grouped(true).run(db))
        .map(|_| ())
        .map_err(|error| OpenError::Unusable { path: path.into(), why: error.to_string() })
}

/// The version that a store of ours has.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i32> {
    db.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_migrations_ends_with_the_known_version() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("memory")).unwrap();
        assert_eq!(version(&db), Ok(KNOWN));
        let id: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
        assert_eq!(id, APPLICATION_ID);
    }

    /// Migrations must never change once they are released: stores in the field remember their checksums.
    #[test]
    fn a_migrated_store_has_nothing_left_to_migrate() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("memory")).unwrap();
        migrate(&mut db, Path::new("memory")).unwrap();
    }

    #[test]
    fn the_shell_shows_utc_with_the_offset_of_the_day() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("memory")).unwrap();
        db.execute_batch(
            "INSERT INTO calendar VALUES (86400000, 3600000);
             INSERT INTO ledger VALUES ('u', 86399500, 86401000, 'UP', 'answered');
             INSERT INTO journal VALUES (1, 1500, 'k', NULL, NULL, 't', '{}', NULL);",
        )
        .unwrap();
        let line: (String, String, f64) = db
            .query_row("SELECT since, until, seconds FROM ledger_readable", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(line, ("1970-01-01 23:59:59.500Z".into(), "1970-01-02 01:00:01.000Z".into(), 1.5));
        let at: String = db.query_row("SELECT at FROM journal_readable", [], |row| row.get(0)).unwrap();
        assert_eq!(at, "1970-01-01 00:00:01.500Z");
    }
}
