//! The words themselves: every kind of letter to both kinds of reader, and the explanation of every stage.

use super::{SECRET, Stamp, explain, held_words, mail};
use crate::domain::desk::{
    Actor, AnswerStep, Caller, Case, CaseFact, Channel, Diagnosis, EscalatedBy, HeldLetter, Intake, LetterKind,
    LetterMark, Level, Line, Opening, Outage, Pledges, PreCheck, PreChecks, Priority, PromiseKind, Reference,
    SiteCause, Subject, WaitingOn, Witness,
};
use crate::domain::letter::{Content, Letter, Thread};
use crate::domain::maintenance::{self, Maintenance, Origin, Scope, Window};
use crate::domain::time::{Calendar, Tally, Time};
use crate::domain::watch::{Circuit, Finding, Interval, Obstacle, Reason, Symptom, Terms, Verdict};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const UP: Line = Line::Watched(Verdict::Up, Reason::Answered);
const LOSS: Line = Line::Watched(Verdict::Loss, Reason::NoAnswer);

/// So many minutes after 2026-11-21 12:00:00.
fn at(minutes: i64) -> Time {
    Time::from_millis(1_795_262_400_000 + minutes * 60_000)
}

const OUTAGE: Outage = Outage {
    last_contact: Some(Time::from_millis(1_795_262_400_000 + 29 * 60_000)),
    first_loss: Time::from_millis(1_795_262_400_000 + 30 * 60_000),
    detected: Time::from_millis(1_795_262_400_000 + 31 * 60_000),
};

fn opening() -> Opening {
    Opening {
        reference: Reference::from_number(1),
        origin: Actor::Watch,
        channel: Channel::Monitoring,
        priority: Priority::P1,
        unit: "acme-lon-1".into(),
        circuit: Circuit {
            customer: Arc::new("acme".into()),
            order: "SO-1001".into(),
            terms: Arc::new(Terms {
                service: "DIA".into(),
                region: "EMEA".into(),
                ttr: 4 * HOUR,
                supplier: Some("telco-a".into()),
                pop: None,
                access: None,
                rate: None,
            }),
        },
        queue: "Support".into(),
        note: None,
        last_contact: Some(at(-1)),
        first_loss: Some(at(0)),
        detected: Some(at(1)),
        loss: Tally::started(at(0)),
        line: (LOSS, at(0)),
        finding: None,
        solve_after: Duration::from_secs(300),
        pledges: Pledges::default(),
        previous: None,
        intake: Intake::of(Subject::ServiceDown),
    }
}

/// About a line that the watch has seen nothing wrong with.
fn quiet() -> Opening {
    Opening { first_loss: None, detected: None, loss: Tally::default(), last_contact: Some(at(9)), ..opening() }
}

fn first_mark() -> LetterMark {
    LetterMark { kind: LetterKind::Opened, number: 1 }
}

/// The case opened at 12:10 after these facts, and when the last of them was noted.
fn after(opening: Opening, facts: &[(i64, CaseFact)]) -> (Case, Time) {
    let mut case = Case::open(opening, at(10));
    facts.iter().for_each(|(minutes, fact)| case.apply(fact, at(*minutes)));
    (case, at(facts.last().map_or(10, |(minutes, _)| *minutes)))
}

fn line(minutes: i64, line: Line) -> (i64, CaseFact) {
    (minutes, CaseFact::Line { line, at: at(minutes) })
}

fn solved(minutes: i64, by: Actor) -> (i64, CaseFact) {
    (minutes, CaseFact::Solved { by, note: None, window: 24 * HOUR })
}

/// By the loss that began ten minutes before.
fn returned(minutes: i64) -> (i64, CaseFact) {
    let outage =
        Outage { last_contact: Some(at(minutes - 11)), first_loss: at(minutes - 10), detected: at(minutes - 9) };
    (minutes, CaseFact::Returned { by: Actor::Watch, note: None, outage: Some(outage) })
}

fn thread(case: &Case) -> Thread {
    Thread::Case { reference: case.opening.reference, unit: case.opening.unit.clone() }
}

/// Subject and body of the case's last letter, to the customer or to the operations centre.
fn letter((case, written_at): (Case, Time), to_customer: bool) -> String {
    let mark = case.last_letter.unwrap();
    let first = first_mark();
    let letter = Letter {
        id: 1,
        mark,
        previous: (mark != first).then_some(first),
        thread: thread(&case),
        content: Content::Case(Arc::new(case)),
        to: "it@acme.example".into(),
        greeting: to_customer.then(|| "Acme Ltd".into()),
        written_at,
        survey: None,
    };
    let mail = mail(&letter, &stamp(), &Calendar::default());
    format!("{}\n\n{}", mail.subject, mail.body)
}

fn stamp() -> Stamp {
    Stamp::new(&[7; SECRET], "example.net", Some("support@example.net"))
}

#[test]
fn letters() {
    let p2 = || Opening { priority: Priority::P2, origin: Actor::Staff("ann".into()), line: (UP, at(-60)), ..quiet() };
    let blind = Line::Watched(Verdict::Unobserved, Reason::Stopped);
    let to_closing = [line(60, UP), solved(65, Actor::Watch), line(120, blind), line(180, UP)];
    let mut extended = to_closing.to_vec();
    extended.push((65 + 25 * 60, CaseFact::Closed));
    let withdrawn = [line(60, UP), solved(65, Actor::Watch), line(120, Line::Withdrawn), (1_505, CaseFact::Closed)];
    let again = Opening { previous: Some(Reference::from_number(2)), last_contact: None, ..opening() };
    let by_hand = Opening { note: Some("slow since this morning".into()), ..p2() };
    let upgraded = [line(30, LOSS), (40, CaseFact::Upgraded(OUTAGE))];
    let taken_back = |minutes| {
        let by = Actor::Staff("ann".into());
        (minutes, CaseFact::Returned { by, note: Some("not for customers".into()), outage: None })
    };
    let degraded = Line::Watched(Verdict::Degraded, Reason::Slow);
    let slow = Finding { symptom: Symptom::Slow, measured: 917_500, limit: 300_000, over: Duration::from_secs(600) };
    let back = CaseFact::Returned { by: Actor::Watch, note: None, outage: None };
    let by_ann = solved(65, Actor::Staff("ann".into()));
    let degraded_again = [by_ann, line(90, degraded), (90, CaseFact::Degraded(slow)), (90, back)];
    let router = "192.0.2.1".parse().unwrap();
    let witnesses = vec![Witness::Undelivered { why: Obstacle::Host, router, at: at(9) }];
    let told = (10, CaseFact::Diagnosed(Diagnosis { cause: SiteCause::Unknown, witnesses }));
    let cases = [
        ("opened by the watch", after(opening(), &[])),
        ("opened by the watch, with a witness", after(opening(), &[told])),
        ("opened after an earlier case, never seen before", after(again, &[])),
        ("opened by staff", after(by_hand, &[])),
        ("upgraded", after(p2(), &upgraded)),
        ("solved by the watch", after(opening(), &to_closing[..2])),
        ("solved by staff", after(opening(), &[solved(65, Actor::Staff("ann".into()))])),
        ("returned", after(opening(), &[line(60, UP), solved(65, Actor::Watch), line(90, LOSS), returned(100)])),
        ("taken back by staff", after(opening(), &[line(60, UP), solved(65, Actor::Watch), taken_back(90)])),
        ("a solved P2 is lost", after(p2(), &[solved(65, Actor::Staff("ann".into())), line(90, LOSS), returned(100)])),
        ("a solved P2 is degraded again", after(p2(), &degraded_again)),
        ("closed after a window that was made longer", after(opening(), &extended)),
        ("closed after the unit was withdrawn", after(opening(), &withdrawn)),
    ];
    let mut text = String::new();
    for (name, about) in cases {
        text += &format!("=== {name}\n{}", letter(about.clone(), true));
        text += &format!("--- to the operations centre\n{}", letter(about, false));
    }
    insta::assert_snapshot!(text);
}

/// A case on which everything is promised to everybody.
fn pledged() -> Opening {
    let hours = |hours| Some(Duration::from_hours(hours));
    let first_response = Some(Duration::from_mins(30));
    Opening {
        pledges: Pledges {
            first_response,
            update_p1: hours(1),
            update_p2: hours(4),
            repair: true,
            ..Pledges::default()
        },
        ..opening()
    }
}

fn missed(minutes: i64, kind: PromiseKind, level: Level) -> [(i64, CaseFact); 2] {
    let escalated = CaseFact::Escalated { level, why: EscalatedBy::Missed(kind), note: None };
    [(minutes, CaseFact::Missed { kind, late: Duration::ZERO }), (minutes, escalated)]
}

#[test]
fn promises() {
    let ann = || "ann".to_owned();
    let news = (20, CaseFact::Told { by: ann(), text: "The fibre is cut at the crossing.\nA team is there.".into() });
    let kept = |kind| (20, CaseFact::Kept { kind, took: Duration::from_mins(10), late: false });
    let on_site = (20, CaseFact::Promised { by: ann(), kind: PromiseKind::OnSite, within: Duration::from_hours(2) });
    let asked = CaseFact::Escalated { level: Level::L1, why: EscalatedBy::Staff(ann()), note: Some("a bank".into()) };
    let silent = missed(40, PromiseKind::FirstResponse, Level::L1);
    let late = CaseFact::Missed { kind: PromiseKind::Repair, late: Duration::from_mins(7) };
    let waits = CaseFact::Waits { by: ann(), on: WaitingOn::ForceMajeure, note: None };
    let told = [news.clone(), kept(PromiseKind::FirstResponse), kept(PromiseKind::Update)];
    let cases = [
        ("news", after(pledged(), &[news])),
        ("news that were taken", after(pledged(), &told)),
        ("an engineer is promised, and somebody asks for more", after(pledged(), &[on_site, (25, asked)])),
        ("no first response", after(pledged(), &silent)),
        ("no repair", after(pledged(), &[&told[..], &missed(250, PromiseKind::Repair, Level::L1)].concat())),
        (
            "nothing runs",
            after(
                pledged(),
                &[
                    (
                        20,
                        CaseFact::Assigned {
                            by: ann(),
                            to: Some("bob".into()),
                            team: None,
                            why: None,
                            misrouted: false,
                        },
                    ),
                    (30, waits),
                ],
            ),
        ),
    ];
    let mut text = String::new();
    for (name, (case, at)) in cases {
        text += &format!("=== {name}\n{}", letter((case.clone(), at), true));
        text += &format!("--- to the operations centre\n{}", letter((case.clone(), at), false));
        text += &format!("--- explained\n{}\n", explain(&case, &[], at, &Calendar::default()).join("\n"));
    }
    text += &format!("=== late\n{}\n", super::sentence::case_sentence(&late, &Calendar::default()));
    insta::assert_snapshot!(text);
}

#[test]
fn letters_about_maintenance() {
    let about = |revision, stage, emergency, kind, [lines, spared]: [&[&str]; 2]| {
        let note = Some("a new fibre".to_owned());
        let scope = Scope::Device("pop-lon".into());
        let window = Window { id: "night-1".into(), scope, from: at(600), until: at(720), emergency, note };
        let (origin, planned_at, announced_at) = (Origin::Config, at(0), at(0));
        let maintenance = Arc::new(Maintenance { window, origin, revision, planned_at, announced_at, stage });
        let orders = |ids: &[&str]| ids.iter().map(|&id| (id.to_owned(), format!("SO-{id}"))).collect();
        let content = Content::Maintenance { maintenance, lines: orders(lines), spared: orders(spared) };
        let thread = Thread::Maintenance { id: "night-1".into(), planned_at, customer: "acme".into() };
        let written_at = if stage == maintenance::Stage::Active { at(630) } else { at(0) };
        let (id, to, greeting) = (1, "it@acme.example".into(), Some("Acme Ltd".into()));
        let mark = LetterMark { kind, number: revision };
        let letter = Letter { id, mark, previous: None, thread, content, to, greeting, written_at, survey: None };
        mail(&letter, &stamp(), &Calendar::default()).body
    };
    use maintenance::Stage::{Active, Cancelled, Planned};
    let (one, both): (&[&str], &[&str]) = (&["a1"], &["a1", "a2"]);
    let cases = [
        ("announced", about(1, Planned, false, LetterKind::Announced, [both, &[]])),
        ("announced when it has begun", about(1, Active, true, LetterKind::Announced, [one, &[]])),
        ("changed, and one line is spared", about(2, Planned, false, LetterKind::Revised, [both, &["a3"]])),
        ("changed, and all lines are spared", about(2, Planned, false, LetterKind::Cancelled, [&[], both])),
        ("called off", about(2, Cancelled, false, LetterKind::Cancelled, [one, &[]])),
        ("ended early", about(2, Active, true, LetterKind::Cancelled, [both, &[]])),
    ];
    insta::assert_snapshot!(cases.map(|(name, text)| format!("=== {name}\n{text}")).concat());
}

#[test]
fn threads() {
    let (case, written_at) = after(opening(), &[line(60, UP), solved(65, Actor::Watch)]);
    let mark = |kind| LetterMark { kind, number: 1 };
    let write = |kind, previous, to: &str| {
        let letter = Letter {
            id: 7,
            thread: thread(&case),
            content: Content::Case(Arc::new(case.clone())),
            mark: mark(kind),
            previous,
            to: to.into(),
            greeting: None,
            written_at,
            survey: None,
        };
        mail(&letter, &stamp(), &Calendar::default())
    };
    let first = write(LetterKind::Opened, None, "it@acme.example");
    let second = write(LetterKind::Upgraded, Some(first_mark()), "it@acme.example");
    let third = write(LetterKind::Solved, Some(mark(LetterKind::Upgraded)), "it@acme.example");
    assert_eq!((first.in_reply_to, first.references), (None, Vec::new()));
    assert_eq!(second.references, std::slice::from_ref(&first.message_id));
    assert_eq!(third.in_reply_to.as_ref(), Some(&second.message_id));
    assert_eq!(third.references, [first.message_id.clone(), second.message_id]);
    assert!(!first.subject.starts_with("Re: ") && third.subject == format!("Re: {}", first.subject));
    let other = write(LetterKind::Opened, None, "noc@example.net");
    assert_ne!(other.message_id, first.message_id, "each reader has a thread of his own");
    assert!(first.message_id.starts_with("NTU-J6XJ-7MH5.opened.1.") && first.message_id.ends_with("@example.net"));
}

/// A request with short notice, one that asks for a reason for outage, and a report under a contract that is over.
fn requests() -> [(&'static str, Case, Time); 4] {
    let request = |subject: Subject| Opening {
        priority: subject.priority(),
        origin: Actor::Customer("jane@acme.example".into()),
        channel: Channel::Email,
        line: (UP, at(-60)),
        intake: Intake::of(subject),
        ..quiet()
    };
    let caller = Some(Caller { name: "Jane Doe".into(), email: Some("jane@acme.example".into()) });
    let dispatch = Intake { wanted_at: Some(at(10 * 60)), caller, ..Intake::of(Subject::EngineerDispatch) };
    let dispatch = Opening { intake: dispatch, ..request(Subject::EngineerDispatch) };
    let about = Opening { previous: Some(Reference::from_number(2)), ..request(Subject::RfoRequest) };
    let mut prechecks = PreChecks::default();
    prechecks.set(PreCheck::Power, Some(true));
    prechecks.set(PreCheck::Restarted, Some(false));
    let lapsed = Intake { lapsed: true, prechecks, ..Intake::of(Subject::ServiceDown) };
    let lapsed = Opening { intake: lapsed, origin: Actor::Staff("ann".into()), ..opening() };
    let told = CaseFact::Answer(AnswerStep::Given { by: "ann".into(), text: "An engineer comes.".into(), told: false });
    let cases = [
        ("an engineer, at short notice", after(dispatch.clone(), &[])),
        ("answered", after(dispatch, &[(20, told)])),
        ("a reason for outage", after(about, &[])),
        ("no contract covers it", after(lapsed, &[])),
    ];
    cases.map(|(name, (case, at))| (name, case, at))
}

#[test]
fn letters_about_requests() {
    let mut text = String::new();
    for (name, case, at) in requests() {
        text += &format!("=== {name}\n{}", letter((case.clone(), at), true));
        text += &format!("--- to the operations centre\n{}", letter((case.clone(), at), false));
        text += &format!("--- explained\n{}\n", explain(&case, &[], at, &Calendar::default()).join("\n"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn explanations() {
    let ann = || "ann".to_owned();
    let reported = Opening { priority: Priority::P1, origin: Actor::Staff(ann()), line: (UP, at(-60)), ..quiet() };
    let degraded = Opening { priority: Priority::P2, ..reported.clone() };
    let up_and_solved = [line(60, UP), solved(65, Actor::Watch)];
    let with = |more: &[(i64, CaseFact)]| after(opening(), &[&up_and_solved[..], more].concat());
    let waits = CaseFact::Waits { by: ann(), on: WaitingOn::Supplier, note: None };
    let blind = Line::Watched(Verdict::Inconclusive, Reason::SentinelsSilent);
    let cases = [
        ("new", after(opening(), &[])),
        ("new, reported by a person", after(reported, &[])),
        ("working, line back", after(opening(), &[(20, CaseFact::Taken { by: ann() }), line(60, UP)])),
        ("waiting", after(opening(), &[(20, waits)])),
        ("upgraded", after(degraded, &[line(30, LOSS), (40, CaseFact::Upgraded(OUTAGE))])),
        ("solved", with(&[])),
        ("solved, window paused", with(&[line(95, blind)])),
        ("solved, line lost", with(&[line(95, LOSS)])),
        ("returned", with(&[line(95, LOSS), returned(105)])),
        ("withdrawn", after(opening(), &[line(95, Line::Withdrawn)])),
        ("closed", with(&[(65 + 24 * 60, CaseFact::Closed)])),
    ];
    let mut text = String::new();
    for (name, (case, at)) in cases {
        text += &format!("=== {name}\n{}\n", explain(&case, &[], at, &Calendar::default()).join("\n"));
    }
    insta::assert_snapshot!(text);
}

/// A loss goes on through a maintenance, though the ledger has other words for it meanwhile.
#[test]
fn a_loss_is_explained_from_its_true_beginning() {
    let stretch = |from, until, verdict, reason| Interval {
        device: "acme-lon-1".into(),
        from: at(from),
        until: at(until),
        verdict,
        reason,
    };
    let past = [
        stretch(-10, 0, Verdict::Loss, Reason::Maintenance),
        stretch(-20, -10, Verdict::Inconclusive, Reason::SentinelsSilent),
        stretch(-30, -20, Verdict::Loss, Reason::NoAnswer),
        stretch(-40, -30, Verdict::Up, Reason::Answered),
        stretch(-90, -40, Verdict::Loss, Reason::NoAnswer),
    ];
    let words = |case: &Case, past: &[Interval], now| {
        let sentences = explain(case, past, at(now), &Calendar::default());
        sentences.into_iter().find(|sentence| sentence.contains("Since 2026-11-21")).unwrap()
    };
    let (case, _) = after(opening(), &[]);
    let whole = words(&case, &past, 10);
    let expected = "There was no answer since 2026-11-21 11:30:00 UTC; for 10 min of that it was being maintained. \
                    Since 2026-11-21 12:00:00 UTC the line does not answer: ";
    assert!(whole.starts_with(expected), "{whole}");
    assert!(words(&case, &past[1..], 10).starts_with("Since 2026-11-21 12:00:00 UTC"), "a gap tells nothing");
    let maintained = Line::Watched(Verdict::Loss, Reason::Maintenance);
    let (case, _) = after(opening(), &[line(15, maintained)]);
    let whole = words(&case, &[stretch(0, 15, Verdict::Loss, Reason::NoAnswer)], 20);
    assert!(whole.contains("since 2026-11-21 12:00:00 UTC; for 5 min of that"), "{whole}");
    let (case, _) = after(opening(), &[line(15, UP)]);
    assert!(words(&case, &past, 20).starts_with("Since 2026-11-21 12:15:00 UTC the line answers"));
}

#[test]
fn a_letter_that_is_held_back_says_until_when() {
    let held = HeldLetter {
        umbrella: Reference::from_number(2),
        customer: "acme".into(),
        kind: LetterKind::Opened,
        lines: 3,
        due: at(12),
    };
    let expected = "Letter \"opened\" to acme is held back since 2026-11-21 12:10:45 UTC for the customer's other lines \
                    under umbrella NTU-7CW7-ED55: it tells of 3 lines by now, and goes at 2026-11-21 12:12:00 UTC at \
                    the latest.";
    assert_eq!(held_words(&held, &Calendar::default()), expected);
}
