//! Letters as files.

use super::{Bench, PATIENT, letter, why};
use crate::domain::letter::{Delivery, Mail};
use crate::engine::mail_out::folder::file_name;
use crate::engine::mail_out::{Route, Settings, StartError, start};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn named(message_id: &str) -> String {
    file_name(&Mail { message_id: message_id.to_owned(), ..letter(7) })
}

#[test]
fn a_letter_is_one_file_however_often_it_is_sent() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("spool/mail");
    let bench = Bench::new(Route::Folder(folder.clone()), PATIENT);
    assert_eq!(bench.deliver(letter(1)), Delivery::Sent);
    assert_eq!(bench.deliver(letter(2)), Delivery::Sent);
    let first = fs::read(folder.join("NT-1.opened.1.00ff@example.net.eml")).unwrap();
    assert_eq!(bench.deliver(letter(1)), Delivery::Sent);
    assert_eq!(names(&folder), ["NT-1.opened.1.00ff@example.net.eml", "NT-2.opened.1.00ff@example.net.eml"]);
    assert_eq!(fs::read(folder.join("NT-1.opened.1.00ff@example.net.eml")).unwrap(), first);
}

#[test]
fn letters_are_nobody_elses_business() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("mail");
    let bench = Bench::new(Route::Folder(folder.clone()), PATIENT);
    assert_eq!(bench.deliver(letter(1)), Delivery::Sent);
    for path in [folder.join("NT-1.opened.1.00ff@example.net.eml"), folder] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o027, 0, "{}: {mode:o}", path.display());
    }
}

#[test]
fn file_names_are_harmless_and_different() {
    assert_eq!(named("../../etc/passwd"), "%2E./..%2Fetc%2Fpasswd.eml".replace("./", ".%2F"));
    assert_eq!(named(".hidden"), "%2Ehidden.eml");
    assert_eq!(named("a b\0\n/"), "a%20b%00%0A%2F.eml");
    assert_eq!(named("%20"), "%2520.eml");
    assert_eq!(named(""), "letter-7.eml");
    assert_eq!(named(&"x".repeat(300)), "letter-7.eml");
    assert_eq!(named("é"), "%C3%A9.eml");
}

#[test]
fn a_folder_that_is_gone_makes_letters_wait() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("mail");
    let bench = Bench::new(Route::Folder(folder.clone()), PATIENT);
    fs::remove_dir(&folder).unwrap();
    assert!(why!(bench.deliver(letter(1)), Unreachable).contains("mail"));
    fs::create_dir(&folder).unwrap();
    assert_eq!(bench.deliver(letter(1)), Delivery::Sent);
}

#[test]
fn what_can_never_work_is_refused_at_the_start() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let settings = |address: &str, folder: &Path| Settings {
        from_name: None,
        from_address: address.to_owned(),
        route: Route::Folder(folder.to_owned()),
    };
    let error = start(settings("noc@example.net", &file.join("mail")), Box::new(|_, _| ())).err().unwrap();
    assert!(matches!(error, StartError::Folder(..)) && error.to_string().contains("file/mail"), "{error}");
    let error = start(settings("noc\r\nBcc: x@y.example", place.path()), Box::new(|_, _| ())).err().unwrap();
    assert!(matches!(error, StartError::From(_)), "{error}");
}
