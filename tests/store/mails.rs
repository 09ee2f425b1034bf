//! Messages as they came: kept once, within a bound, and dropped in their order.

use super::world::{at, commit};
use ntuwatch::domain::desk::{MailOutcome, Sorted, Tenant, Witnesses};
use ntuwatch::domain::mail::{Attachment, Authentic, MailId, Message, Nature, Parcel};
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{Kept, Reader, Store};
use std::path::PathBuf;
use tempfile::TempDir;

/// What there is room for.
const ROOM: u64 = 1_000;

struct Shelf {
    _home: TempDir,
    path: PathBuf,
    store: Store,
}

impl Shelf {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.db");
        let (store, _) = Store::open(&path).unwrap();
        Self { _home: home, path, store }
    }

    /// Keeps a message of so many bytes; different ones differ.
    fn keep(&mut self, name: u8, size: usize, second: i64) -> Kept {
        let kept = self.store.keep_all(&[(&parcel(name, size), at(second))], ROOM).unwrap();
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        *kept
    }

    fn decide(&mut self, id: MailId, outcome: MailOutcome) {
        let mut turn = Turn::new(at(1_000));
        turn.mails.push(Sorted { id, outcome, case: None, read: None, why: None });
        commit(&mut self.store, &turn).unwrap();
    }

    /// The messages whose originals are still there.
    fn originals(&self) -> Vec<MailId> {
        let reader = Reader::open(&self.path).unwrap();
        let kept: Vec<MailId> = (1..20).filter(|id| reader.parcel(*id).unwrap().is_some()).collect();
        let listed = reader.mails(None, None, (None, 100)).unwrap();
        let mut known: Vec<_> = listed.iter().filter(|row| row.original.is_some()).map(|row| row.id).collect();
        known.sort_unstable();
        assert_eq!(kept, known, "what is listed is what there is");
        assert_eq!(listed.iter().filter_map(|row| row.original).sum::<u64>(), self.store.originals());
        kept
    }
}

fn parcel(name: u8, size: usize) -> Parcel {
    Parcel { raw: vec![name; size], whole: true }
}

#[test]
fn messages_are_kept_together_and_each_once() {
    let mut shelf = Shelf::new();
    let (one, two) = (parcel(1, 10), parcel(2, 20));
    let kept = shelf.store.keep_all(&[(&one, at(0)), (&two, at(1)), (&one, at(2))], ROOM).unwrap();
    assert_eq!(kept, [Kept::New(1), Kept::New(2), Kept::Known]);
    assert_eq!(shelf.store.keep(&two, at(3)), Ok(None));
    assert_eq!(shelf.store.originals(), 30);
    drop(shelf.store);
    let (store, _) = Store::open(&shelf.path).unwrap();
    assert_eq!(store.originals(), 30, "a start knows it again");
    assert_eq!(store.mails_to_read().unwrap(), [(1, 2), (2, 1)]);
    assert_eq!(Reader::open(&shelf.path).unwrap().parcel(2).unwrap(), Some(two));
}

#[test]
fn the_oldest_that_are_decided_on_make_room_and_no_others() {
    let mut shelf = Shelf::new();
    for name in 1..=4 {
        assert_eq!(shelf.keep(name, 250, i64::from(name)), Kept::New(u64::from(name)));
    }
    // It is full to the last byte, and nothing is decided.
    assert_eq!(shelf.keep(5, 1, 5), Kept::NoRoom);
    assert_eq!(shelf.keep(1, 250, 5), Kept::Known, "what is here is known, room or none");
    shelf.decide(1, MailOutcome::Quarantined);
    assert_eq!(shelf.keep(5, 1, 6), Kept::NoRoom, "who decides wants to see it");
    shelf.decide(2, MailOutcome::Ignored);
    shelf.decide(3, MailOutcome::Joined);
    assert_eq!(shelf.keep(5, 250, 7), Kept::New(5));
    assert_eq!(shelf.originals(), [1, 3, 4, 5], "one was enough");
    assert_eq!(shelf.keep(2, 250, 8), Kept::Known, "one whose original is gone is known as well");
    assert_eq!(shelf.keep(6, 251, 9), Kept::NoRoom);
    shelf.decide(1, MailOutcome::Dismissed);
    assert_eq!(shelf.keep(6, 251, 10), Kept::New(6));
    assert_eq!(shelf.originals(), [4, 5, 6], "the third had gone when room was sought for the sixth");
}

#[test]
fn of_messages_that_come_together_those_that_fit_are_kept() {
    let mut shelf = Shelf::new();
    let (large, small) = (parcel(1, 900), parcel(2, 100));
    let kept =
        shelf.store.keep_all(&[(&large, at(0)), (&large, at(0)), (&parcel(3, 101), at(0)), (&small, at(0))], ROOM);
    assert_eq!(kept.unwrap(), [Kept::New(1), Kept::Known, Kept::NoRoom, Kept::New(2)]);
}

#[test]
fn what_is_too_old_is_dropped_to_the_second() {
    let mut shelf = Shelf::new();
    for name in 1..=4 {
        shelf.keep(name, 10, i64::from(name));
    }
    for (id, outcome) in [(1, MailOutcome::Ignored), (2, MailOutcome::Quarantined), (3, MailOutcome::Opened)] {
        shelf.decide(id, outcome);
    }
    assert!(!shelf.store.drop_originals(at(1), 0).unwrap());
    assert_eq!(shelf.originals(), [1, 2, 3, 4], "it is not older than that");
    assert!(!shelf.store.drop_originals(at(3), 0).unwrap());
    assert_eq!(shelf.originals(), [2, 3, 4]);
    assert!(!shelf.store.drop_originals(at(100), 0).unwrap());
    assert_eq!(shelf.originals(), [2, 4], "neither who waits for people nor who was not read yet");
    let row = Reader::open(&shelf.path).unwrap().mail_row(3).unwrap().unwrap();
    assert_eq!((row.outcome, row.original), (Some(MailOutcome::Opened), None), "what is known of it stays");
}

#[test]
fn a_step_of_dropping_has_a_bound_and_says_when_there_is_more() {
    let mut shelf = Shelf::new();
    let parcels: Vec<Parcel> = (0..1_001_u32).map(|n| Parcel { raw: n.to_be_bytes().to_vec(), whole: true }).collect();
    let all: Vec<_> = parcels.iter().map(|parcel| (parcel, at(0))).collect();
    shelf.store.keep_all(&all, u64::MAX).unwrap();
    let mut turn = Turn::new(at(1));
    let decided = |id| Sorted { id, outcome: MailOutcome::Ignored, case: None, read: None, why: None };
    turn.mails.extend((1..=1_001).map(decided));
    commit(&mut shelf.store, &turn).unwrap();
    assert!(shelf.store.drop_originals(at(2), 0).unwrap());
    assert_eq!(shelf.store.originals(), 4);
    assert!(!shelf.store.drop_originals(at(2), 0).unwrap());
    assert_eq!(shelf.store.originals(), 0);
}

fn message(text: &str) -> Message {
    Message {
        from: Some("it@acme.example".to_owned()),
        message_id: Some("1@acme.example".to_owned()),
        answers: Vec::new(),
        recipients: Vec::new(),
        subject: "Line".to_owned(),
        text: text.to_owned(),
        nature: Nature::Person,
        authentic: Authentic::Unknown,
        attachments: Vec::new(),
    }
}

#[test]
fn a_copy_is_one_that_says_the_same() {
    let mut shelf = Shelf::new();
    for name in 1..=2 {
        shelf.keep(name, 10, 0);
    }
    let witnesses = Witnesses { letter: None, tenant: Tenant::Stranger, authentic: Authentic::Unknown, claim: None };
    let mut turn = Turn::new(at(1));
    let read = Some((Box::new(message("It is down.")), witnesses));
    turn.mails.push(Sorted { id: 1, outcome: MailOutcome::Ignored, case: None, read, why: None });
    commit(&mut shelf.store, &turn).unwrap();
    let reader = Reader::open(&shelf.path).unwrap();
    assert_eq!(reader.copy_of(2, &message("It is down.")).unwrap(), Some(1));
    assert_eq!(reader.copy_of(1, &message("It is down.")).unwrap(), None, "of none but an earlier one");
    let attached = Attachment { name: "a.png".to_owned(), media_type: "image/png".to_owned(), size: 1 };
    for other in [
        message("It is up."),
        Message { subject: "Another line".to_owned(), ..message("It is down.") },
        Message { attachments: vec![attached], ..message("It is down.") },
        Message { from: Some("ops@acme.example".to_owned()), ..message("It is down.") },
        Message { message_id: Some("2@acme.example".to_owned()), ..message("It is down.") },
    ] {
        assert_eq!(reader.copy_of(2, &other).unwrap(), None, "{other:?}");
    }
}
