//! What is refused at the door, and in which words.

use super::world::{World, at, commit, opening};
use ntuwatch::domain::desk::Case;
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{OpenError, Reader, Store};
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A store with something in it, closed.
fn used() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    World::open(&path, at(0)).run(30);
    (home, path)
}

fn refusal(path: &Path) -> OpenError {
    match Store::open(path) {
        Err(error) => error,
        Ok(_) => panic!("it was opened"),
    }
}

/// The refusal names the file and what to do.
fn says(error: &OpenError, path: &Path, words: &str) {
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_new_store_is_private_to_the_daemon_and_its_group() {
    let (home, path) = used();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777 & !0o640, 0, "{mode:o}");
    let mut names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["s.db", "s.db.lock"], "a closed store is one file and its lock");
}

#[test]
fn a_second_daemon_is_refused_readers_are_not() {
    let (_home, path) = used();
    let (first, _) = Store::open(&path).unwrap();
    let error = refusal(&path);
    assert_eq!(error, OpenError::InUse { path: path.clone() });
    says(&error, &path, "another ntuwatch");
    let other_name = path.with_file_name("other.db");
    std::os::unix::fs::symlink(&path, &other_name).unwrap();
    assert_eq!(refusal(&other_name), OpenError::InUse { path: path.clone() }, "another name, the same store");
    let readers: Vec<_> = (0..3).map(|_| Reader::open(&path).unwrap()).collect();
    drop(first);
    Store::open(&path).unwrap();
    drop(readers);
}

#[test]
fn what_is_no_store_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let garbage = "[store]\npath = \"./ntuwatch.db\"\n".repeat(1_000);
    fs::write(&path, &garbage).unwrap();
    assert_eq!(refusal(&path), OpenError::Foreign { path: path.clone() });
    says(&refusal(&path), &path, "not a store of ntuwatch");
    assert_eq!(fs::read_to_string(&path).unwrap(), garbage);

    let other = home.path().join("other.db");
    let foreign = rusqlite::Connection::open(&other).unwrap();
    foreign.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(foreign);
    let before = fs::read(&other).unwrap();
    assert_eq!(refusal(&other), OpenError::Foreign { path: other.clone() });
    assert_eq!(fs::read(&other).unwrap(), before);
    assert_eq!(Reader::open(&other).unwrap_err(), OpenError::Foreign { path: other });
}

#[test]
fn a_newer_store_is_refused() {
    let (_home, path) = used();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')").unwrap();
    drop(db);
    let error = refusal(&path);
    assert_eq!(error, OpenError::Newer { path: path.clone(), found: 99, known: 12 });
    says(&error, &path, "update ntuwatch, or restore a backup made by this version");
    assert_eq!(Reader::open(&path).unwrap_err(), error);
}

#[test]
fn a_damaged_store_is_refused_with_what_to_do() {
    let (_home, path) = used();
    let whole = fs::read(&path).unwrap();
    let damaged = |error: &OpenError| {
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        says(error, &path, "restore the last backup (made by: ntuwatch backup FILE)");
    };
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    damaged(&refusal(&path));
    fs::write(&path, "").unwrap();
    damaged(&refusal(&path));
    damaged(&Reader::open(&path).unwrap_err());
    for page in 1..whole.len() / 4096 {
        fs::write(&path, &whole).unwrap();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(page as u64 * 4096)).unwrap();
        file.write_all(&[0xa5; 4096]).unwrap();
        drop(file);
        damaged(&refusal(&path));
    }
    fs::write(&path, &whole).unwrap();
    Store::open(&path).unwrap();
}

#[test]
fn words_that_the_store_never_wrote_are_damage() {
    let (_home, path) = used();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("UPDATE devices SET verdict = 'FINE' WHERE id = 'u3'").unwrap();
    drop(db);
    let error = refusal(&path);
    assert!(matches!(&error, OpenError::Damaged { what, .. } if what.contains("FINE")), "{error}");
}

#[test]
fn a_lost_file_is_not_taken_for_a_new_store() {
    let (_home, path) = used();
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(100));
    turn.cases.push(Arc::new(Case::open(opening(1, "u1"), at(100))));
    commit(&mut store, &turn).unwrap();
    fs::remove_file(&path).unwrap();
    let second = path.with_extension("wal-kept");
    fs::copy(path.with_extension("db-wal"), &second).unwrap();
    drop(store);
    fs::rename(&second, path.with_extension("db-wal")).unwrap();
    let error = refusal(&path);
    assert!(matches!(&error, OpenError::Damaged { what, .. } if what.contains("missing")), "{error}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    for path in ["/proc/ntuwatch.db", "/no/such/directory/ntuwatch.db", "/dev/null/ntuwatch.db"] {
        let error = refusal(Path::new(path));
        assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
        says(&error, Path::new(path), "its directory must exist");
    }
    let error = Reader::open(Path::new("/no/such/ntuwatch.db")).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(refusal(home.path()), OpenError::Unusable { .. }));
}

#[test]
fn what_a_killed_creation_left_behind_is_no_obstacle() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    fs::write(path.with_file_name("s.db.new"), "half").unwrap();
    fs::write(path.with_file_name("s.db.new-journal"), "half").unwrap();
    Store::open(&path).unwrap();
    assert!(!path.with_file_name("s.db.new").exists());
}
