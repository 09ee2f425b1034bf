use super::*;
use crate::domain::desk::{Actor, CaseFact, Channel, Diagnosis, Intake, Line, Opening, Pledges, Subject};
use crate::domain::time::Tally;
use crate::domain::watch::{Circuit, Terms};
use alloc::sync::Arc;
use alloc::vec;

const MINUTE: Duration = Duration::from_secs(60);

const fn at(minutes: i64) -> Time {
    Time::from_millis(minutes * 60_000)
}

fn stretch(from: i64, until: i64, verdict: Verdict, reason: Reason) -> Interval {
    Interval { device: "u".into(), from: at(from), until: at(until), verdict, reason }
}

fn loss(from: i64, until: i64) -> Interval {
    stretch(from, until, Verdict::Loss, Reason::NoAnswer)
}

fn up(from: i64, until: i64) -> Interval {
    stretch(from, until, Verdict::Up, Reason::Answered)
}

/// A case on a line that was lost at minute 0, opened at minute 10.
fn case() -> Case {
    let terms = Terms {
        service: "DIA".into(),
        region: "EMEA".into(),
        ttr: 60 * MINUTE,
        supplier: Some("telco-a".into()),
        pop: None,
        access: None,
        rate: None,
    };
    let opening = Opening {
        reference: Reference::from_number(1),
        origin: Actor::Watch,
        priority: Priority::P1,
        unit: "u".into(),
        circuit: Circuit { customer: Arc::new("acme".into()), order: "SO-1".into(), terms: Arc::new(terms) },
        queue: "Support".into(),
        channel: Channel::Monitoring,
        note: None,
        last_contact: None,
        first_loss: Some(at(0)),
        detected: Some(Time::from_millis(3_000)),
        loss: Tally::started(at(0)),
        line: (Line::Watched(Verdict::Loss, Reason::NoAnswer), at(0)),
        finding: None,
        solve_after: 5 * MINUTE,
        pledges: Pledges::default(),
        previous: None,
        intake: Intake::of(Subject::ServiceDown),
    };
    Case::open(opening, at(10))
}

fn solved(minute: i64) -> Case {
    let mut case = case();
    case.apply(&CaseFact::Solved { by: Actor::Watch, note: None, window: 600 * MINUTE }, at(minute));
    case
}

fn rfo(case: Case, events: Vec<(Time, Event)>, ledger: Vec<Interval>, now: i64) -> Rfo {
    Rfo::of(Dossier { case, at: at(now), events, ledger })
}

#[test]
fn what_is_not_in_our_hands_does_not_count_as_repair() {
    let events = vec![
        (at(10), Event::Opened),
        (at(12), Event::Taken),
        (at(20), Event::Waits(WaitingOn::Customer)),
        (at(50), Event::Waits(WaitingOn::Supplier)),
        (at(60), Event::Waits(WaitingOn::Access)),
        (at(70), Event::Taken),
        (at(100), Event::Solved),
    ];
    // A maintenance from 72 to 80; nobody looked from 82 to 84, and we were cut off from 84 to 89.
    let ledger = vec![
        loss(0, 72),
        stretch(72, 80, Verdict::Loss, Reason::Maintenance),
        loss(80, 82),
        stretch(82, 84, Verdict::Unobserved, Reason::Stopped),
        stretch(84, 89, Verdict::Inconclusive, Reason::SentinelsSilent),
        loss(89, 95),
        up(95, 200),
    ];
    let rfo = rfo(solved(100), events, ledger, 200);
    let repair = &rfo.repair;
    assert_eq!((repair.at_work, repair.took), (90 * MINUTE, 42 * MINUTE), "30 and 10 waited, 8 maintained");
    assert_eq!(repair.maintained, 8 * MINUTE);
    let waited: Vec<_> = repair.waited.iter().map(|waited| (waited.on, waited.until.since(waited.from))).collect();
    assert_eq!(waited, [(WaitingOn::Customer, 30 * MINUTE), (WaitingOn::Access, 10 * MINUTE)]);
    assert_eq!((repair.unobserved, repair.inconclusive), (2 * MINUTE, 5 * MINUTE));
    assert_eq!((repair.done, repair.kept()), (true, Some(true)));
    let lasted = Lasted {
        lost: 88 * MINUTE,
        planned: 8 * MINUTE,
        degraded: Duration::ZERO,
        inconclusive: 5 * MINUTE,
        unobserved: 2 * MINUTE,
    };
    assert_eq!(rfo.lasted, lasted);
    assert_eq!(rfo.detection, Some(Duration::from_secs(3)));
    let outage = Outage { from: at(0), until: Some(at(95)), lost: 88 * MINUTE, planned: false };
    assert_eq!(rfo.outages, [outage], "what nobody saw ends no outage");
}

#[test]
fn a_repair_is_kept_to_the_millisecond_and_counts_on_when_the_case_returns() {
    let opened = (at(10), Event::Opened);
    let kept = |events: &[(Time, Event)], now: i64| {
        let repair = Repair::of(60 * MINUTE, events, &[], at(now));
        (repair.took, repair.kept())
    };
    assert_eq!(kept(core::slice::from_ref(&opened), 70), (60 * MINUTE, None), "it may still be repaired");
    assert_eq!(kept(core::slice::from_ref(&opened), 71), (61 * MINUTE, Some(false)));
    assert_eq!(kept(&[opened.clone(), (at(70), Event::Solved)], 99), (60 * MINUTE, Some(true)));
    let late = Time::from_millis(at(70).as_millis() + 1);
    assert_eq!(kept(&[opened.clone(), (late, Event::Solved)], 99).1, Some(false));
    let again = [opened, (at(40), Event::Solved), (at(500), Event::Returned), (at(531), Event::Solved)];
    assert_eq!(kept(&again, 999), (61 * MINUTE, Some(false)), "30 before the window and 31 after it");
}

#[test]
fn each_time_without_contact_is_an_outage_of_its_own() {
    let ledger = vec![loss(0, 30), up(30, 100), loss(100, 101), up(101, 200), loss(200, 230)];
    let rfo = rfo(case(), vec![(at(10), Event::Opened)], ledger, 230);
    let found: Vec<_> = rfo.outages.iter().map(|outage| (outage.from, outage.until, outage.lost)).collect();
    let expected = [(at(0), Some(at(30)), 30 * MINUTE), (at(100), Some(at(101)), MINUTE), (at(200), None, 30 * MINUTE)];
    assert_eq!(found, expected);
    assert_eq!(rfo.lasted.lost, 61 * MINUTE);
    let what: Vec<_> = rfo.timeline.iter().map(|(_, event)| event.clone()).collect();
    use Event::{Back, Detected, Lost, Opened};
    assert_eq!(what, [Lost, Detected, Opened, Back, Lost, Back, Lost]);
}

#[test]
fn a_flapping_line_fills_no_document_without_end() {
    let ledger = (0..1_000).flat_map(|n| [loss(2 * n, 2 * n + 1), up(2 * n + 1, 2 * n + 2)]).collect();
    let rfo = rfo(case(), vec![(at(10), Event::Opened), (at(1_999), Event::Solved)], ledger, 2_000);
    assert_eq!((rfo.outages.len(), rfo.outage_count), (MAX_OUTAGES, 1_000));
    assert_eq!((rfo.timeline.len(), rfo.entry_count), (MAX_ENTRIES, 2_003));
    assert_eq!(rfo.lasted.lost, 1_000 * MINUTE, "the sum is of all");
    assert!(rfo.timeline.contains(&(at(1_999), Event::Solved)), "what happened last is told");
}

#[test]
fn who_says_so_decides_how_sure_a_cause_is() {
    let then = at(5);
    let upstream = || Witness::Upstream("pop-lon".into());
    let shared = || Witness::Shared(Reference::from_number(9));
    let table = [
        (SiteCause::Unknown, vec![], Confidence::None),
        (SiteCause::Site, vec![Witness::Booted(then)], Confidence::Firm),
        (SiteCause::Site, vec![Witness::Booted(then), Witness::RanOn(then)], Confidence::Likely),
        (SiteCause::AccessLine, vec![Witness::RanOn(then)], Confidence::Firm),
        (SiteCause::Upstream, vec![upstream()], Confidence::Likely),
        (SiteCause::Upstream, vec![upstream(), shared()], Confidence::Firm),
        (SiteCause::Upstream, vec![upstream(), shared(), Witness::Booted(then)], Confidence::Likely),
    ];
    for (cause, witnesses, confidence) in table {
        let mut case = case();
        case.apply(&CaseFact::Diagnosed(Diagnosis { cause, witnesses }), at(20));
        let rfo = rfo(case, Vec::new(), Vec::new(), 30);
        assert_eq!((rfo.cause, rfo.confidence), (cause, confidence));
        assert!(!alloc::format!("{:?}", rfo.witnesses).contains("pop-lon"), "whose device it was is not for customers");
    }
}
