//! What holds of lines and their cases.

use crate::world::{DOWN_AFTER, History, LONG_DOWN_AFTER, LONG_INTERVAL, REVISED, SHARED_AFTER, is_unit};
use ntuwatch::domain::desk::{Actor, AnswerStep, Case, CaseFact, LetterKind, Priority, PromiseKind, RfoStep, Stage};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::maintenance::Scope;
use ntuwatch::domain::watch::{Cell, Device, Interval, Reason, Role, Symptom, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The ledger covers every millisecond since the start exactly once, but for the time outside the inventory.
pub(crate) fn ledger_is_whole(history: &History) {
    for (device, ledger) in &history.ledgers {
        assert_eq!(ledger[0].from, history.started, "{device}: {ledger:#?}");
        for pair in ledger.windows(2) {
            assert!(pair[0].from < pair[0].until, "{device}: {ledger:#?}");
            let was_away = pair[0].until < pair[1].from;
            let may_go = device == "b" || device == "c";
            assert!(pair[0].until <= pair[1].from && (!was_away || may_go), "{device}: {ledger:#?}");
        }
    }
}

/// Whether the unit was, or may have been, out of the inventory between two of these stretches: who comes back at once
/// under a name that has no address leaves no gap.
fn was_away(ledger: &[Interval]) -> bool {
    let new = |stretch: &Interval| matches!(stretch.reason, Reason::Added | Reason::Unresolved);
    ledger.windows(2).any(|pair| pair[0].until < pair[1].from || new(&pair[1]))
}

/// A P1 of the watch has its ten minutes (here: one) of LOSS, and the ledger says the same. A P2 has its finding.
pub(crate) fn cases_have_their_loss(history: &History) {
    for case in history.sim.cases() {
        let opening = &case.opening;
        match (&opening.origin, opening.priority) {
            (Actor::Staff(_) | Actor::Customer(_), _) => {}
            (Actor::Watch, Priority::P1) => {
                let loss = opening.loss.total(case.opened_at);
                assert!(loss >= DOWN_AFTER, "{case:#?}");
                let first = opening.first_loss.unwrap();
                let sum = history.sum(&opening.unit, first, case.opened_at, |verdict| verdict == Verdict::Loss);
                assert!(sum <= loss && sum + history.revised() >= loss, "{sum:?}: {case:#?}");
            }
            (Actor::Watch, Priority::P2) => assert!(opening.finding.is_some(), "{case:#?}"),
            (Actor::Watch, Priority::P3) => panic!("the watch asks for nothing: {case:#?}"),
        }
    }
}

/// A P2 for losses or slow answers has them in the strip that was kept.
pub(crate) fn findings_have_their_evidence(history: &History) {
    for case in history.sim.cases() {
        let Some(finding) = case.opening.finding else { continue };
        let (mut lost, mut over) = (0, 0);
        for (device, chunk) in history.sim.chunks() {
            let mut at = chunk.from;
            for cell in chunk.cells.iter().map(|&byte| Cell::from_byte(byte)) {
                let counts = *device == case.opening.unit
                    && at <= case.opened_at
                    && case.opened_at.since(at) <= finding.over + 2 * LONG_INTERVAL;
                lost += u32::from(counts && cell == Cell::LOST);
                let limit = Duration::from_micros(finding.limit);
                over += u32::from(counts && cell.rtt().is_some_and(|rtt| rtt * 11 >= limit * 10));
                at = at + chunk.interval;
            }
        }
        match finding.symptom {
            Symptom::Loss => assert!(lost >= 5, "{lost}: {case:#?}"),
            // Five are slow for this unit, and one of them at least beyond the limit for all.
            Symptom::Slow | Symptom::Slower => assert!(over >= 1, "{over}: {case:#?}"),
            _ => {}
        }
        let is_over = match finding.symptom {
            Symptom::Slow | Symptom::Slower => finding.measured > finding.limit,
            _ => finding.measured >= finding.limit,
        };
        assert!(is_over, "{case:#?}");
    }
}

/// No round is kept twice, and none of the future is.
pub(crate) fn strips_are_kept_once(history: &History) {
    let mut until = BTreeMap::new();
    for (device, chunk) in history.sim.chunks() {
        let end = chunk.from + chunk.interval * u32::try_from(chunk.cells.len()).unwrap();
        let before = until.insert(device, end);
        // Another slot or interval shifts the grid.
        let is_after = before.is_none_or(|before| chunk.from + LONG_INTERVAL >= before);
        assert!(is_after && end <= history.sim.now() + LONG_INTERVAL, "{device}: {before:?}: {chunk:?}");
    }
}

/// The last contact that a case records is the end of the last time that the line answered.
pub(crate) fn cases_know_the_last_contact(history: &History) {
    // A unit that was out of the inventory may have come back without leaving a gap; `a` never was.
    for case in history.sim.cases().filter(|case| case.opening.unit == "a") {
        if let Some(first_loss) = case.opening.first_loss {
            let ledger = &history.ledgers[case.opening.unit.as_str()];
            let before = ledger.partition_point(|stretch| stretch.from < first_loss);
            let up = ledger[..before].iter().rfind(|stretch| stretch.verdict.is_contact());
            if let Some(up) = up.map(|stretch| stretch.until) {
                let contact = case.opening.last_contact;
                // Another address costs the round that is under way.
                assert!(contact.is_some_and(|at| at + 2 * LONG_INTERVAL + REVISED >= up), "up until {up:?}: {case:#?}");
            }
        }
    }
}

/// The downtime of a case is the LOSS in the ledger. A request has none.
pub(crate) fn downtime_is_loss(history: &History) {
    for case in history.sim.cases().filter(|case| !case.is_request()) {
        let from = case.opening.first_loss.unwrap_or(case.opened_at);
        let until = if let Stage::Closed { since, .. } = case.stage { since } else { history.sim.now() };
        let sum = history.sum(&case.opening.unit, from, until, |verdict| verdict == Verdict::Loss);
        let downtime = case.downtime.total(until);
        assert!(sum <= downtime + REVISED && downtime <= sum + REVISED, "{sum:?}, {downtime:?}: {case:#?}");
    }
}

/// The rule of the ten minutes (here: at most one and a half) in its simplest words, over the whole history: LOSS adds
/// up, contact ends it, everything else neither counts nor resets; what has added up has its case, and that is at work.
/// What was lost within a maintenance counts as well, but is looked at after it.
pub(crate) fn enough_loss_has_its_case_at_work(history: &History) {
    let enough = LONG_DOWN_AFTER + 2 * REVISED + SHARED_AFTER;
    for (unit, ledger) in &history.ledgers {
        let (mut sum, mut since, mut found) = (Duration::ZERO, None, false);
        for (place, stretch) in ledger.iter().enumerate() {
            if stretch.verdict.is_contact() || was_away(&ledger[place.saturating_sub(1)..=place]) {
                (sum, since, found) = (Duration::ZERO, None, false);
            }
            if stretch.verdict == Verdict::Loss {
                let began = *since.get_or_insert(stretch.from);
                let more = stretch.until.since(stretch.from);
                let after_works = 2 * REVISED + SHARED_AFTER;
                let at = stretch.from + enough.saturating_sub(sum).max(after_works);
                if !found && at <= stretch.until && stretch.reason != Reason::Maintenance {
                    found = true;
                    let case = history.case_at(unit, at);
                    let at_work = case.as_ref().is_some_and(|case| match case.stage {
                        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => true,
                        // By a person, who took the line for repaired.
                        Stage::Solved { since, .. } => since >= began,
                        Stage::Closed { .. } => false,
                    });
                    assert!(at_work, "{unit} at {at:?}: {case:#?}\n{ledger:#?}");
                }
                sum += more;
            }
        }
    }
}

/// No line with that much loss lacks a case.
pub(crate) fn losses_have_their_case(history: &History) {
    let watch = history.sim.watch().unwrap();
    for (slot, device) in watch.devices().filter(|(_, device)| is_unit(&device.role)) {
        let evidence = watch.evidence(slot);
        if let Some(trouble) = evidence.trouble()
            && evidence.verdict() == Verdict::Loss
            && evidence.reason() != Reason::Maintenance
            && trouble.loss.total(history.sim.now()) > LONG_DOWN_AFTER + SHARED_AFTER + Duration::from_secs(5)
        {
            assert!(watch.desk().open_case_of(&device.id).is_some(), "{}: {evidence:#?}", device.id);
        }
    }
}

/// A case is the sum of its facts, and Closed is its last. At no time does a unit have two incidents that are open.
pub(crate) fn cases_are_their_facts(history: &History) {
    let mut cases: BTreeMap<u64, Case> = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (at, fact) in &history.facts {
        match fact {
            Fact::CaseOpened(opening) => {
                let case = Case::open(Arc::clone(opening), *at);
                let is_request = opening.intake.subject.is_request();
                assert!(is_request || open.insert(opening.unit.clone()), "two open cases on {}", opening.unit);
                assert!(cases.insert(opening.reference.number(), case).is_none(), "a reference was given out twice");
            }
            Fact::Case { reference, unit, fact } => {
                cases.get_mut(&reference.number()).unwrap().apply(fact, *at);
                let is_over = *fact == CaseFact::Closed && !cases[&reference.number()].is_request();
                assert!(!is_over || open.remove(unit), "{unit} had no open case");
            }
            _ => {}
        }
    }
    for case in history.sim.cases() {
        assert_eq!(cases.remove(&case.opening.reference.number()).as_ref(), Some(case));
    }
    assert!(cases.is_empty(), "facts of cases that the disk does not know");
}

/// A case whose customer is to have a reason for outage is closed after he got it, or nobody ever could (R32).
pub(crate) fn what_is_closed_was_accounted_for(history: &History) {
    history.each_case_fact(|case, _, fact| {
        if *fact == CaseFact::Closed && case.rfo_is_required() {
            assert!(matches!(case.rfo.step, RfoStep::Delivered | RfoStep::Undelivered), "{case:#?}");
            assert_eq!(case.rfo.solved, case.solved, "of what was solved the last time: {case:#?}");
        }
    });
}

/// The desk knows without counting how many cases are where.
pub(crate) fn open_cases_are_counted(history: &History) {
    let desk = history.sim.watch().unwrap().desk();
    for (priority, stage, count) in desk.counts().iter() {
        let is_there = |case: &&Case| case.priority == priority && case.stage.name() == stage;
        assert_eq!(desk.cases().filter(is_there).count(), count, "{priority:?} {stage}");
    }
}

/// A case closes after its window of observed time, as the ledger counts it, and not before. Outside the inventory plain
/// time must do.
pub(crate) fn windows_are_observed(history: &History) {
    for case in history.sim.cases() {
        if let Stage::Closed { since, watched: Some((solved_at, window)) } = &case.stage {
            let observed = window.observed.total(*since);
            assert!(observed >= window.length, "{case:#?}");
            let blind = history.sum(&case.opening.unit, *solved_at, *since, |verdict| !verdict.is_observed());
            let sum = since.since(*solved_at) - blind;
            assert!(sum <= observed && sum + REVISED >= observed, "{sum:?}: {case:#?}");
        }
    }
}

/// A request stands beside whatever its line does: no window, no downtime, no umbrella, no clock but of what was promised; and
/// it closes only with an answer that whoever asked has had.
pub(crate) fn requests_are_answered(history: &History) {
    for case in history.sim.cases().filter(|case| case.opening.intake.subject.is_request()) {
        assert_eq!((case.priority, case.solved, case.returned), (Priority::P3, 0, 0), "{case:#?}");
        assert_eq!((case.window(), case.umbrella, case.solve_due(), case.close_due()), (None, None, None, None));
        assert!(case.downtime.total(history.sim.now()).is_zero() && case.promises.get(PromiseKind::Repair).is_none());
        let (reference, mut answered, mut had) = (case.opening.reference, false, false);
        for (_, fact) in &history.facts {
            match fact {
                Fact::Case { reference: of, fact, .. } if *of == reference => match fact {
                    CaseFact::Answer(AnswerStep::Given { told, .. }) => (answered, had) = (true, had || *told),
                    CaseFact::Informed { letter, .. } => had |= letter.kind == LetterKind::Answered,
                    CaseFact::RfoDelivered { .. } => (answered, had) = (true, true),
                    CaseFact::Solved { .. }
                    | CaseFact::Returned { .. }
                    | CaseFact::Joined { .. }
                    | CaseFact::Line { .. } => {
                        panic!("{fact:?} of a request")
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if matches!(case.stage, Stage::Closed { .. }) {
            assert!(answered && had, "{case:#?}");
            assert_eq!(case.promises.iter().count(), 0, "no clock on a terminal case");
        }
    }
}

/// Whether this fact says that the watch found a fault of its own accord, and of which unit.
fn fault_of(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::CaseOpened(opening) if opening.origin == Actor::Watch => Some(&opening.unit),
        Fact::Case {
            unit,
            fact: CaseFact::Returned { by: Actor::Watch, .. } | CaseFact::Upgraded(_) | CaseFact::Confirmed(_),
            ..
        } => Some(unit),
        _ => None,
    }
}

/// While the monitor is cut off no case opens or returns by itself.
pub(crate) fn isolation_opens_nothing(history: &History) {
    let mut cut_off = false;
    for (_, fact) in &history.facts {
        match fact {
            Fact::IsolationBegan { .. } => cut_off = true,
            Fact::IsolationEnded { .. } | Fact::MonitorStarted { .. } => cut_off = false,
            _ => assert!(!cut_off || fault_of(fact).is_none(), "{fact:?}"),
        }
    }
}

/// Whether `device` is of `scope`: itself, or something above it.
fn is_within(history: &History, scope: &Scope, device: &Device) -> bool {
    match scope {
        Scope::Device(id) => {
            let find = |id: &str| history.plan.devices.iter().find(|known| known.id == id);
            let mut next = Some(device);
            while let Some(now) = next {
                if now.id == *id {
                    return true;
                }
                next = now.upstream().and_then(find).map(AsRef::as_ref);
            }
            false
        }
        Scope::Group(kind, name) => match &device.role {
            Role::Unit(circuit) => circuit.group(*kind) == Some(name),
            Role::Node | Role::Sentinel(_) => false,
        },
    }
}

/// Within a maintenance no case opens, returns or gets worse by itself, and each has an end after its beginning.
pub(crate) fn maintenance_opens_nothing(history: &History) {
    let mut active: BTreeMap<&str, &Scope> = BTreeMap::new();
    for (at, fact) in &history.facts {
        match fact {
            Fact::MaintenanceBegan { id, scope, .. } => assert!(active.insert(id, scope).is_none(), "{id} began twice"),
            Fact::MaintenanceEnded { id, .. } => assert!(active.remove(id.as_str()).is_some(), "{id} never began"),
            _ => {
                let Some(unit) = fault_of(fact) else { continue };
                let device = history.plan.devices.iter().find(|known| known.id == unit).unwrap();
                let covered = active.iter().find(|(_, scope)| is_within(history, scope, device));
                assert!(covered.is_none(), "within {covered:?} at {at:?}: {fact:?}");
            }
        }
    }
}
