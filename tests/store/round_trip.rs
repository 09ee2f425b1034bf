//! What goes in comes back.

use super::any::{any_case, any_umbrella, length, tally, time};
use super::world::{World, at, closed, commit, letter, mail, mark, opening, plan, row};
use ntuwatch::domain::desk::{
    Case, Channel, DutyChange, LetterKind, LetterMark, OpenSurvey, OutOfReach, PassedOn, PeopleChange, Pledges,
    PreCheck, Reference, Report, SavedDuty, SavedPeople, SavedSurveys, Score, Stage, Subject, SurveyChange,
    SurveyTally, Topic, WaitingOn,
};
use ntuwatch::domain::letter::{LetterChange, LetterState, SavedReserve};
use ntuwatch::domain::party::{Channel as Way, Contact, ContactChange, ContactOrigin, ContactRole};
use ntuwatch::domain::turn::{Command, DeviceRow, Turn, Wish};
use ntuwatch::domain::watch::{AgentState, Baseline, Evidence, Interval, Reason, Symptoms, Trouble, Verdict};
use ntuwatch::store::{CaseFilter, Commit, Entry, Reader, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const ALL: CaseFilter =
    CaseFilter { open_only: false, unit: None, umbrella: None, lacks_prechecks: false, below: None, limit: 1_000 };

/// The later state of a case: everything but its opening.
fn later(before: &Case, state: Case) -> Case {
    let mut case = Case { opening: before.opening.clone(), opened_at: before.opened_at, ..state };
    // Whether a reason for outage is required is of the opening.
    if let Some(agreed) = &mut case.agreed {
        let Pledges { rfo_p1, rfo_p2, .. } = case.opening.pledges;
        agreed.pledges = Pledges { rfo_p1, rfo_p2, ..agreed.pledges };
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cases_come_back_exactly_as_they_were(
        umbrellas in [any_umbrella(1), any_umbrella(2), any_umbrella(3)],
        // Boxed: a test's stack is too small for so much at once.
        pairs in vec((any_case().boxed(), any_case().boxed()), 1..10),
    ) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.db");
        let (mut store, _) = Store::open(&path).unwrap();
        let mut first = Turn::new(at(0));
        let mut second = Turn::new(at(1));
        first.umbrellas = umbrellas.into();
        for (number, (mut case, state)) in (first.umbrellas.len() as u64 + 1..).zip(pairs) {
            let opening = Arc::make_mut(&mut case.opening);
            opening.reference = Reference::from_number(number);
            opening.unit = format!("u{number}");
            second.cases.push(Arc::new(later(&case, state)));
            first.cases.push(Arc::new(case));
        }
        for turn in [&first, &second] {
            commit(&mut store, turn).unwrap();
            let reader = Reader::open(&path).unwrap();
            for case in &turn.cases {
                prop_assert_eq!(reader.case(case.opening.reference).unwrap(), Some((**case).clone()));
            }
            let mut newest_first: Vec<_> = turn.cases.iter().map(|case| (**case).clone()).collect();
            newest_first.reverse();
            prop_assert_eq!(reader.cases(&ALL).unwrap(), newest_first);
        }
        drop(store);
        let (_, loaded) = Store::open(&path).unwrap();
        let is_open = |case: &Case| !matches!(case.stage, Stage::Closed { .. });
        let open: Vec<_> = second.cases.iter().filter(|case| is_open(case)).map(|case| (**case).clone()).collect();
        prop_assert_eq!(&loaded.saved.desk.cases, &open);
        // A closed request is not what its unit had before.
        let is_incident = |case: &&Arc<Case>| !is_open(case) && !case.opening.intake.subject.is_request();
        let closed = second.cases.iter().filter(is_incident).count();
        prop_assert_eq!(loaded.saved.desk.closed_of.len(), closed);
        prop_assert_eq!(loaded.saved.desk.next_number, first.umbrellas.len() as u64 + second.cases.len() as u64 + 1);
    }

    #[test]
    fn devices_come_back_exactly_as_they_were(
        rows in vec((
            (select(&Verdict::ALL[..]), select(&Reason::ALL[..])),
            time(),
            option::of(time()),
            option::of((time(), time(), tally(), option::of(length()))),
            option::of(any::<std::net::IpAddr>()),
            (any::<u8>(), any::<u16>(), any::<u8>(), select(&AgentState::ALL[..])),
        ), 1..10),
    ) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s.db");
        let (mut store, _) = Store::open(&path).unwrap();
        let mut turn = Turn::new(at(0));
        for (n, (verdict, since, last_contact, trouble, address, health)) in rows.into_iter().enumerate() {
            let trouble =
                trouble.map(|(first_loss, detected, loss, fault_at)| Trouble { first_loss, detected, loss, fault_at });
            let (symptoms, level, windows, agent) = health;
            let symptoms = Symptoms::from_bits(symptoms);
            let evidence = Evidence::restored(verdict, since, last_contact, symptoms, trouble);
            let baseline = Baseline::from_parts(level, windows);
            turn.devices.push(DeviceRow { id: format!("d{n}"), evidence, address, baseline, agent });
        }
        commit(&mut store, &turn).unwrap();
        drop(store);
        let (_, loaded) = Store::open(&path).unwrap();
        prop_assert_eq!(format!("{:?}", loaded.saved.devices), format!("{:?}", turn.devices));
    }
}

/// Runs a few hours of a real watch through the store and compares what it remembers with what the watch knows.
#[test]
fn a_watch_goes_on_from_the_store_where_it_stopped() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let mut world = World::open(&path, at(0));
    world.run(60);
    for unit in ["u1", "u2", "u3", "u4"] {
        world.silence(unit, true);
    }
    world.run(300);
    world.silence("u1", false);
    world.silence("u2", false);
    let third = world.watch.desk().open_case_of("u3").unwrap().opening.reference;
    world.ask(Wish::Work { reference: third, command: Command::Wait { on: WaitingOn::Access, note: None } });
    let unit = String::from("u9");
    let mut report = Report { note: Some("slow".into()), ..Report::new(Subject::Degraded, Channel::Phone) };
    report.prechecks.set(PreCheck::Cables, Some(false));
    world.ask(Wish::Open { unit: unit.clone(), report: Box::new(report) });
    // Several requests stand beside the fault, and beside each other.
    for subject in [Subject::EngineerDispatch, Subject::Other, Subject::Other] {
        let wanted_at = subject.needs_notice().then_some(at(100_000));
        let caller = Some(String::from("x@elsewhere.example"));
        let report = Report { wanted_at, caller, anyway: true, ..Report::new(subject, Channel::Phone) };
        world.ask(Wish::Open { unit: unit.clone(), report: Box::new(report) });
    }
    let answered = world.watch.desk().requests_of("u9").last().unwrap().opening.reference;
    world.ask(Wish::Work { reference: answered, command: Command::Answer { text: "done".into(), told: true } });
    assert_eq!(world.watch.desk().requests_of("u9").count(), 2);
    world.run(100);
    let ninth = world.watch.desk().open_case_of("u9").unwrap().opening.reference;
    world.ask(Wish::Work { reference: ninth, command: Command::Take });
    let stages: BTreeSet<_> = world.watch.desk().cases().map(|case| case.stage.name()).collect();
    assert_eq!(stages, BTreeSet::from(["New", "Solved", "Waiting", "Working"]));
    compare(&path, &world);
    world.run(3600);
    world.silence("u1", true);
    world.run(300);
    assert!(world.watch.desk().open_case_of("u1").unwrap().opening.previous.is_some());
    compare(&path, &world);

    let now = world.now + Duration::from_secs(60);
    drop(world);
    let mut world = World::open(&path, now);
    world.run(30);
    compare(&path, &world);
    let reader = Reader::open(&path).unwrap();
    for device in plan().devices {
        let ledger = reader.ledger(&device.id, 1_000).unwrap();
        assert_eq!(ledger.last().unwrap().from, at(0));
        assert!(ledger.is_sorted_by(|later, earlier| later.from == earlier.until), "{ledger:?}");
    }
}

/// What a second daemon would find, against what the first one knows.
pub(crate) fn compare(path: &std::path::Path, world: &World) {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("copy.db");
    Reader::open(path).unwrap().backup(&copy).unwrap();
    let (_, loaded) = Store::open(&copy).unwrap();
    let desk = world.watch.desk();
    assert_eq!(loaded.saved.desk.cases, desk.cases().cloned().collect::<Vec<_>>());
    for (unit, reference) in &loaded.saved.desk.closed_of {
        assert_eq!(desk.closed_case_of(unit), Some(*reference));
    }
    assert_eq!(loaded.saved.desk.letters.waiting.len(), desk.outbox().len());
    assert_eq!(loaded.saved.desk.alarms, desk.alarms().cloned().collect::<Vec<_>>());
    for saved in &loaded.saved.desk.umbrellas {
        assert_eq!(desk.umbrella(saved.umbrella.reference), Some(&saved.umbrella));
    }
    let open =
        loaded.saved.desk.umbrellas.iter().map(|saved| &saved.umbrella).filter(|known| known.closed_at.is_none());
    assert_eq!(open.collect::<Vec<_>>(), desk.umbrellas().collect::<Vec<_>>());
    assert_eq!(loaded.saved.devices.len(), plan().devices.len());
    for row in &loaded.saved.devices {
        let known = world.watch.evidence(world.watch.slot(&row.id).unwrap());
        let (verdict, reason, since) = (known.verdict(), known.reason(), known.since());
        assert_eq!((row.evidence.verdict(), row.evidence.reason(), row.evidence.since()), (verdict, reason, since));
        assert_eq!(row.evidence.trouble(), known.trouble());
    }
    assert_eq!(loaded.saved.watched_until, loaded.mark.map(|mark| mark.at));
}

#[test]
fn letters_keep_their_words_and_their_fate() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.letters.next_id, 1);
    let case = Arc::new(Case::open(opening(7, "u1"), at(0)));
    let opened = LetterMark { kind: LetterKind::Opened, number: 1 };
    let mut turn = Turn::new(at(5));
    turn.cases.push(Arc::clone(&case));
    turn.letters = ["a@x", "b@x", "c@x"].into_iter().zip(4..).map(|(to, id)| letter(id, &case, opened, to)).collect();
    let mut mails: Vec<_> = turn.letters.iter().map(mail).collect();
    mails[1].in_reply_to = Some(String::from("one@x"));
    mails[1].references = vec![String::from("one@x"), String::from("two@x")];
    store
        .commit(&Commit { turn: &turn, mails: &mails, entries: &[], mark: &mark(at(5)), calendar_step: None })
        .unwrap();
    let reader = Reader::open(&path).unwrap();
    for mail in &mails {
        assert_eq!(reader.mail(mail.id).unwrap().as_ref(), Some(mail));
    }
    assert_eq!(reader.mail(99).unwrap(), None);

    let mut turn = Turn::new(at(9));
    for (id, state, error) in [
        (4, LetterState::Sent, None),
        (5, LetterState::Queued, Some("451 later")),
        (6, LetterState::Failed, Some("550 no such user")),
    ] {
        turn.letter_changes.push(LetterChange { id, state, attempts: 2, error: error.map(String::from) });
    }
    commit(&mut store, &turn).unwrap();
    let rows = reader.letters(case.opening.reference, 3).unwrap();
    assert_eq!(reader.letters(case.opening.reference, 2).unwrap(), rows[1..], "the latest ones");
    let fates: Vec<_> = rows.iter().map(|row| (row.state, row.attempts, row.error.as_deref(), row.sent_at)).collect();
    assert_eq!(
        fates,
        [
            (LetterState::Sent, 2, None, Some(at(9))),
            (LetterState::Queued, 2, Some("451 later"), None),
            (LetterState::Failed, 2, Some("550 no such user"), None)
        ]
    );
    assert_eq!((rows[0].kind, rows[0].number, rows[0].to.as_str()), (LetterKind::Opened, 1, "a@x"));
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    let letters = loaded.saved.desk.letters;
    assert_eq!(letters.next_id, 7);
    assert_eq!(letters.waiting.len(), 1);
    assert_eq!(letters.waiting[0].label, letter(5, &case, opened, "b@x").label());
    assert_eq!((letters.waiting[0].written_at, letters.waiting[0].attempts), (at(5), 2));
}

#[test]
fn notices_that_are_held_back_and_alerts_are_known_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let case = Arc::new(Case::open(opening(7, "u1"), at(0)));
    let opened = LetterMark { kind: LetterKind::Opened, number: 1 };
    let mut turn = Turn::new(at(5));
    turn.cases.push(Arc::clone(&case));
    turn.letters =
        ["hook:chat", "hook:pager", "a@x"].into_iter().zip(1..).map(|(to, id)| letter(id, &case, opened, to)).collect();
    let reserve = |place: usize, rank, behind: &[u64]| SavedReserve {
        label: turn.letters[place].label(),
        written_at: at(5),
        rank,
        behind: behind.to_vec(),
    };
    let reserves = vec![reserve(1, 1, &[1]), reserve(2, 2, &[2, 1])];
    for id in [2, 3] {
        turn.letter_changes.push(LetterChange { id, state: LetterState::Reserve, attempts: 0, error: None });
    }
    turn.reserves.clone_from(&reserves);
    let thread = turn.letters[0].thread.clone();
    turn.alerts = vec![(thread.clone(), "hook:chat".into(), Some(1)), (thread.clone(), "hook:pager".into(), Some(1))];
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let fires = reader.alerts("hook:chat", 10).unwrap();
    assert_eq!(fires.iter().map(|mail| mail.id).collect::<Vec<_>>(), [1]);

    let mut turn = Turn::new(at(9));
    turn.letter_changes.push(LetterChange { id: 2, state: LetterState::Spared, attempts: 0, error: None });
    turn.alerts = vec![(thread.clone(), "hook:pager".into(), None), (thread.clone(), "hook:chat".into(), Some(2))];
    commit(&mut store, &turn).unwrap();
    assert_eq!(reader.alerts("hook:chat", 10).unwrap()[0].id, 2, "the latest one says how it stands");
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    let letters = loaded.saved.desk.letters;
    assert_eq!(letters.waiting.iter().map(|letter| letter.label.id).collect::<Vec<_>>(), [1]);
    assert_eq!(letters.reserves, reserves[1..]);
    assert_eq!(letters.alerts, [(thread, "hook:chat".into())]);
}

#[test]
fn the_timeline_shows_the_latest_entries_oldest_first() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let case = Arc::new(Case::open(opening(1, "u1"), at(0)));
    let mut turn = Turn::new(at(0));
    turn.cases.push(Arc::clone(&case));
    let entries: Vec<_> = (0..6)
        .map(|n| Entry {
            kind: "note",
            device: Some(String::from("u1")),
            topic: Some(Topic::Case(case.opening.reference)).filter(|_| n != 2),
            text: format!("entry {n}"),
            data: format!("{{\"n\":{n}}}"),
        })
        .collect();
    store
        .commit(&Commit { turn: &turn, mails: &[], entries: &entries, mark: &mark(at(0)), calendar_step: None })
        .unwrap();
    let timeline = Reader::open(&path).unwrap().timeline(case.opening.reference, 3).unwrap();
    assert_eq!(timeline.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["entry 3", "entry 4", "entry 5"]);
    assert_eq!((timeline[0].at, timeline[0].kind.as_str(), timeline[0].data.as_str()), (at(0), "note", "{\"n\":3}"));
}

#[test]
fn the_filter_finds_cases_page_by_page() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    for number in 1..=9 {
        let mut case = Case::open(opening(number, if number < 5 { "u1" } else { "u2" }), at(0));
        if !matches!(number, 4 | 9) {
            case.stage = closed(1);
        }
        turn.cases.push(Arc::new(case));
    }
    commit(&mut store, &turn).unwrap();
    let reader = Reader::open(&path).unwrap();
    let found = |filter: CaseFilter| -> Vec<u64> {
        reader.cases(&filter).unwrap().iter().map(|case| case.opening.reference.number()).collect()
    };
    let unit = |name: &str| Some(String::from(name));
    assert_eq!(found(CaseFilter { limit: 3, ..ALL }), [9, 8, 7]);
    assert_eq!(found(CaseFilter { limit: 3, below: Some(7), ..ALL }), [6, 5, 4]);
    assert_eq!(found(CaseFilter { open_only: true, ..ALL }), [9, 4]);
    assert_eq!(found(CaseFilter { unit: unit("u1"), ..ALL }), [4, 3, 2, 1]);
    assert_eq!(found(CaseFilter { unit: unit("u2"), open_only: true, ..ALL }), [9]);
    assert_eq!(found(CaseFilter { unit: unit("u1"), below: Some(4), limit: 2, ..ALL }), [3, 2]);
    assert_eq!(found(CaseFilter { unit: unit("u3"), ..ALL }), [0_u64; 0]);
    assert_eq!(found(CaseFilter { limit: 0, ..ALL }), [0_u64; 0]);
    assert_eq!(found(CaseFilter { below: Some(u64::MAX), limit: usize::MAX, ..ALL }).len(), 9);
}

#[test]
fn who_leaves_is_forgotten_but_not_its_ledger() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, _) = Store::open(&path).unwrap();
    let mut turn = Turn::new(at(0));
    turn.devices = vec![row("stays"), row("leaves"), row("returns")];
    commit(&mut store, &turn).unwrap();
    let mut turn = Turn::new(at(60));
    turn.gone = vec![String::from("leaves"), String::from("returns")];
    turn.devices = vec![row("returns")];
    let interval = Interval {
        device: String::from("leaves"),
        from: at(0),
        until: at(60),
        verdict: Verdict::Unobserved,
        reason: Reason::Added,
    };
    turn.intervals.push(interval.clone());
    commit(&mut store, &turn).unwrap();
    assert_eq!(Reader::open(&path).unwrap().ledger("leaves", 10).unwrap(), [interval]);
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    let ids: Vec<_> = loaded.saved.devices.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["returns", "stays"]);
}

#[test]
fn the_clock_mark_the_calendar_and_the_next_number_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!((loaded.mark, loaded.saved.watched_until, loaded.saved.desk.next_number), (None, None, 1));
    let mut turn = Turn::new(at(0));
    let mut step = |turn: &Turn, calendar_step| {
        store.commit(&Commit { turn, mails: &[], entries: &[], mark: &mark(turn.at), calendar_step }).unwrap();
    };
    step(&turn, Some((at(0), 5)));
    turn.next_case = Some(12);
    step(&turn, Some((at(20), 3_600_000)));
    turn.next_case = Some(3);
    step(&turn, Some((at(10), -7)));
    turn.next_case = None;
    turn.at = at(33);
    step(&turn, None);
    let calendar = Reader::open(&path).unwrap().calendar().unwrap();
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.next_number, 12, "numbers are never given out twice");
    assert_eq!(loaded.mark, Some(mark(at(33))));
    assert_eq!(loaded.saved.watched_until, Some(at(33)));
    assert_eq!(loaded.calendar, calendar);
    assert_eq!([at(5), at(15), at(25)].map(|time| calendar.offset_ms(time)), [5, -7, -7]);
}

#[test]
fn who_is_off_who_has_the_shift_and_whom_we_told_of_a_contract_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.duty, SavedDuty::default());
    let staff = |id: &str, on| DutyChange::Staff { id: id.into(), on, by: "max".into() };
    let shift = |centre: &str, complete| DutyChange::Shift { centre: centre.into(), complete };
    let noticed = || DutyChange::Noticed { contract: "C-1".into(), last_day: 20_907 };
    let mut expected = SavedDuty::default();
    for changes in [
        vec![staff("ann", false), staff("bob", false), shift("lon", true), noticed()],
        vec![staff("bob", true), staff("ann", false), shift("nyc", false), noticed()],
        vec![staff("eve", true), shift("nyc", true)],
    ] {
        let mut turn = Turn::new(at(5));
        changes.iter().for_each(|change| expected.note(change));
        turn.duty = changes;
        assert!(turn.is_durable());
        commit(&mut store, &turn).unwrap();
        drop(store);
        let (again, loaded) = Store::open(&path).unwrap();
        assert_eq!(loaded.saved.desk.duty, expected);
        store = again;
    }
    assert_eq!((expected.off.len(), expected.shift), (1, Some(("nyc".into(), true))));
}

#[test]
fn who_is_asked_and_what_he_answered_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.surveys, SavedSurveys::default());
    let survey = |number: u64, until| {
        let case = Reference::from_number(number);
        SurveyChange::Sent(OpenSurvey { case, customer: "acme".into(), until: at(until) }, 2)
    };
    let counted = |closed, asked_at| SurveyChange::Counted("acme".into(), SurveyTally { closed, asked_at });
    let answered = |number: u64, score: u8, comment: Option<&str>| SurveyChange::Answered {
        case: Reference::from_number(number),
        score: Score::new(score).unwrap(),
        comment: comment.map(String::from),
    };
    let mut expected = SavedSurveys::default();
    let mut first = Turn::new(at(5));
    first.cases = (1..=3).map(|number| Arc::new(Case::open(opening(number, &format!("u{number}")), at(0)))).collect();
    first.surveys = vec![survey(1, 100), counted(0, Some(at(5))), survey(2, 10), survey(3, 100), counted(3, None)];
    let mut second = Turn::new(at(9));
    second.surveys = vec![answered(3, 4, Some("quick")), counted(1, Some(at(9)))];
    for turn in [&first, &second] {
        turn.surveys.iter().for_each(|change| expected.note(change));
        commit(&mut store, turn).unwrap();
        drop(store);
        let (again, loaded) = Store::open(&path).unwrap();
        assert_eq!(loaded.saved.desk.surveys, expected);
        store = again;
    }
    commit(&mut store, &Turn::new(at(10))).unwrap();
    drop(store);
    let (_, loaded) = Store::open(&path).unwrap();
    let open: Vec<_> = loaded.saved.desk.surveys.open.iter().map(|survey| survey.case.number()).collect();
    assert_eq!(open, [1], "the second was to be answered before, the third was");
    let reader = Reader::open(&path).unwrap();
    let report = reader.report_surveys(reader.span(at(5)).unwrap()).unwrap();
    let row = &report[0];
    assert_eq!((row.customer.as_str(), row.sent, row.answered, row.score_sum), ("acme", 3, 1, 4));
    assert!(reader.report_surveys(reader.span(at(6)).unwrap()).unwrap().is_empty());
    let is_open = |number, now| reader.survey_is_open(Reference::from_number(number), at(now)).unwrap();
    assert_eq!([is_open(1, 99), is_open(1, 100), is_open(3, 10), is_open(7, 10)], [true, false, false, false]);
}

#[test]
fn what_staff_know_of_people_and_whom_no_letter_reaches_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.db");
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.saved.desk.people, SavedPeople::default());
    let contact = |id: &str, email: Option<&str>, removed, second| {
        let origin = ContactOrigin::Staff { by: "ann".into(), at: at(second) };
        let contact = Contact {
            id: id.into(),
            customer: "acme".into(),
            name: "Joe".into(),
            email: email.map(String::from),
            phone: Some("1".into()),
            address: None,
            role: ContactRole::Technical,
            prefers: Way::Phone,
            letters: email.is_some(),
            origin,
        };
        PeopleChange::Contact(ContactChange { contact, removed })
    };
    let lost = |customer: &str| {
        PeopleChange::OutOfReach(customer.into(), OutOfReach { since: at(5), address: "it@acme.example".into() })
    };
    let case = Arc::new(Case::open(opening(1, "u1"), at(0)));
    let passed = LetterMark { kind: LetterKind::PassedOn, number: 4 };
    let mut first = Turn::new(at(5));
    first.cases = vec![Arc::clone(&case)];
    first.letters = vec![letter(4, &case, passed, "joe@acme.example")];
    let original = LetterMark { kind: LetterKind::Opened, number: 1 };
    let thread = first.letters[0].thread.clone();
    let passed_on =
        PassedOn { letter: 4, original: 2, thread, mark: original, to: "joe@acme.example".into(), at: at(5) };
    first.people = vec![
        contact("joe", Some("joe@acme.example"), false, 5),
        contact("eve", None, false, 5),
        PeopleChange::PassedOn(passed_on),
        lost("acme"),
        lost("bolt"),
    ];
    let mut second = Turn::new(at(9));
    second.people = vec![contact("joe", None, true, 9), PeopleChange::InReach("acme".into())];
    let mut expected = SavedPeople::default();
    for turn in [&first, &second] {
        turn.people.iter().for_each(|change| expected.note(change));
        commit(&mut store, turn).unwrap();
        drop(store);
        let (again, loaded) = Store::open(&path).unwrap();
        assert_eq!(loaded.saved.desk.people, expected);
        store = again;
    }
    assert_eq!(store.letter(4).unwrap().to, "joe@acme.example");
    assert!(store.letter(5).is_err());
}
