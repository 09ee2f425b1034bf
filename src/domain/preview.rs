//! What a reload would do at once: to open cases, and to lines that are lost just now.

use super::desk::{Case, Line, Priority, Reference, Stage};
use super::plan::Plan;
use super::time::Time;
use super::watch::{Circuit, Device, Evidence, Reason, Symptom, Verdict};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

/// Something that a reload would change at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The unit of a case leaves the inventory: nobody watches its line any more.
    Unwatched {
        /// The case.
        case: Reference,
        /// The unit.
        unit: String,
    },
    /// A line has been lost for longer than the new `down_after`: it is at fault at once.
    Fault {
        /// The unit.
        unit: String,
        /// The loss since its last contact.
        lost: Duration,
        /// What it needs from now on.
        down_after: Duration,
        /// What becomes of that.
        brings: Brings,
    },
    /// A P2 whose symptom is not looked at any more: it counts as gone.
    Overlooked {
        /// The case.
        case: Reference,
        /// The unit.
        unit: String,
        /// The symptom.
        symptom: Symptom,
    },
    /// The line of a case belongs to another customer from now on; the case does not.
    Moved {
        /// The case.
        case: Reference,
        /// The unit.
        unit: String,
        /// The customer whose case it is.
        from: String,
        /// Whose line it becomes.
        to: String,
    },
}

/// What a fault does to the cases of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brings {
    /// A new P1.
    NewCase,
    /// This P2 becomes a P1.
    Upgrade(Reference),
    /// This case was solved, and is at work again.
    Return(Reference),
}

/// What putting `plan` in force at `now` would change at once, cases without a unit first, then in the order of the plan.
/// `known` is what is known of devices, `cases` are those that are not closed.
pub fn preview<'a>(
    known: impl IntoIterator<Item = (&'a str, &'a Evidence)>,
    cases: impl IntoIterator<Item = &'a Case>,
    plan: &Plan,
    now: Time,
) -> Vec<Effect> {
    let is_lost = |evidence: &Evidence| evidence.verdict() == Verdict::Loss && evidence.trouble().is_some();
    let lost: BTreeMap<&str, &Evidence> = known.into_iter().filter(|(_, evidence)| is_lost(evidence)).collect();
    let mut open: BTreeMap<&str, &Case> = cases.into_iter().map(|case| (case.opening.unit.as_str(), case)).collect();
    // There may be a million devices, most of which nothing is to be said of.
    if lost.is_empty() && open.is_empty() {
        return Vec::new();
    }
    let mut effects = Vec::new();
    for device in &plan.devices {
        let case = open.remove(device.id.as_str());
        let Some(circuit) = device.circuit() else { continue };
        if let Some(case) = case {
            effects.extend(overlooked(case, device));
            effects.extend(moved(case, circuit));
        }
        effects.extend(lost.get(device.id.as_str()).and_then(|evidence| fault(device, evidence, case, now)));
    }
    // A case may have lost its unit before.
    let mut all: Vec<Effect> = open
        .into_values()
        .filter(|case| case.line != Line::Withdrawn)
        .map(|case| Effect::Unwatched { case: case.opening.reference, unit: case.opening.unit.clone() })
        .collect();
    all.append(&mut effects);
    all
}

/// A loss whose fault is yet to come takes the new limit. One that has gone on since a person declared its case solved
/// keeps the time that it was given.
fn fault(device: &Device, evidence: &Evidence, case: Option<&Case>, now: Time) -> Option<Effect> {
    let (trouble, down_after) = (evidence.trouble()?, device.rules.pace.down_after);
    let lost = trouble.loss.total(now);
    if evidence.reason() == Reason::Maintenance || down_after >= trouble.fault_at? || lost < down_after {
        return None;
    }
    let brings = match case {
        None => Brings::NewCase,
        Some(case) => match case.stage {
            Stage::Solved { since, .. } if since >= trouble.first_loss => return None,
            Stage::Solved { .. } => Brings::Return(case.opening.reference),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Closed { .. } => match case.priority {
                // It is at work already.
                Priority::P1 => return None,
                Priority::P2 => Brings::Upgrade(case.opening.reference),
                // Whatever its line does is no affair of a request.
                Priority::P3 => return None,
            },
        },
    };
    Some(Effect::Fault { unit: device.id.to_string(), lost, down_after, brings })
}

fn overlooked(case: &Case, device: &Device) -> Option<Effect> {
    let symptom = case.finding.filter(|_| case.priority == Priority::P2 && case.is_at_work())?.symptom;
    let unit = device.id.to_string();
    (!device.rules.limits.looks_at(symptom)).then_some(Effect::Overlooked {
        case: case.opening.reference,
        unit,
        symptom,
    })
}

fn moved(case: &Case, circuit: &Circuit) -> Option<Effect> {
    let (from, to) = (&case.opening.circuit.customer, &circuit.customer);
    (from != to).then(|| Effect::Moved {
        case: case.opening.reference,
        unit: case.opening.unit.clone(),
        from: from.to_string(),
        to: to.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::{Actor, CaseFact, Channel, Intake, Matrix, Opening, Pledges, Subject, TierPledges};
    use crate::domain::plan::Stability;
    use crate::domain::time::Tally;
    use crate::domain::watch::{Finding, Limits, Pace, Role, Rules, Symptoms, Terms, Trouble};
    use alloc::sync::Arc;
    use alloc::vec;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: u32) -> Time {
        Time::from_millis(0) + MINUTE * minutes
    }

    fn circuit(customer: &str) -> Circuit {
        Circuit {
            customer: Arc::new(customer.into()),
            order: "SO-1".into(),
            terms: Arc::new(Terms {
                service: "DIA".into(),
                region: "EMEA".into(),
                ttr: MINUTE * 240,
                supplier: None,
                pop: None,
                access: None,
                rate: None,
            }),
        }
    }

    fn unit(id: &str, down_after: u32, limits: Limits) -> Arc<Device> {
        Arc::new(Device {
            id: id.into(),
            role: Role::Unit(circuit("acme")),
            host: "192.0.2.1".into(),
            upstream: None,
            rules: Arc::new(Rules {
                icmp: true,
                snmp: None,
                pace: Pace {
                    interval: Duration::from_secs(10),
                    snmp_interval: MINUTE,
                    timeout: Duration::from_secs(1),
                    down_after: MINUTE * down_after,
                    solve_after: MINUTE * 5,
                    history: MINUTE * 60,
                },
                limits,
                probe_rate: None,
            }),
        })
    }

    fn plan(devices: Vec<Arc<Device>>) -> Plan {
        let stability = Stability { p1: MINUTE * 1_440, p2: MINUTE * 4_320 };
        Plan {
            customers: vec![],
            devices,
            stability,
            pledges: TierPledges::default(),
            escalation: Matrix::default(),
            noc: vec![],
            maintenance: vec![],
            canary: None,
            parties: Arc::default(),
            roster: Vec::new(),
            surveys: None,
        }
    }

    /// Lost since the tenth minute, and at fault after ten minutes of that.
    fn lost(reason: Reason, fault_at: Option<Duration>) -> Evidence {
        let trouble = Trouble { first_loss: at(10), detected: at(10), loss: Tally::started(at(10)), fault_at };
        Evidence::restored((Verdict::Loss, reason), at(10), Some(at(9)), Symptoms::default(), Some(trouble))
    }

    fn case(unit: &str, priority: Priority, customer: &str) -> Case {
        let finding = Finding { symptom: Symptom::Loss, measured: 200, limit: 100, over: MINUTE * 10 };
        let opening = Opening {
            reference: Reference::from_number(1),
            origin: Actor::Watch,
            channel: Channel::Monitoring,
            priority,
            unit: unit.into(),
            circuit: circuit(customer),
            queue: "Support".into(),
            note: None,
            last_contact: None,
            first_loss: None,
            detected: None,
            loss: Tally::default(),
            line: (Line::Watched(Verdict::Up, Reason::Answered), at(0)),
            finding: (priority == Priority::P2).then_some(finding),
            solve_after: MINUTE * 5,
            pledges: Pledges::default(),
            previous: None,
            intake: Intake::of(Subject::ServiceDown),
        };
        Case::open(opening, at(1))
    }

    fn solved(mut case: Case, minute: u32) -> Case {
        case.apply(&CaseFact::Solved { by: Actor::Staff("ann".into()), note: None, window: MINUTE * 60 }, at(minute));
        case
    }

    /// What a reload at the seventeenth minute would do to the one unit.
    fn effects(evidence: &Evidence, case: Option<&Case>, down_after: u32) -> Vec<Effect> {
        preview([("a", evidence)], case, &plan(vec![unit("a", down_after, Limits::DEFAULT)]), at(17))
    }

    fn fault(brings: Brings) -> Vec<Effect> {
        vec![Effect::Fault { unit: "a".into(), lost: MINUTE * 7, down_after: MINUTE * 5, brings }]
    }

    #[test]
    fn a_line_that_was_lost_for_the_new_limit_is_at_fault_at_once() {
        let armed = lost(Reason::NoAnswer, Some(MINUTE * 10));
        assert_eq!(effects(&armed, None, 5), fault(Brings::NewCase));
        assert_eq!(effects(&armed, None, 7).len(), 1, "to the minute");
        for later in [8, 10, 15] {
            assert_eq!(effects(&armed, None, later), [], "{later} min");
        }
    }

    #[test]
    fn what_is_maintained_or_at_fault_already_or_blind_is_not_at_fault_at_once() {
        let paused = Tally::new(MINUTE * 7, None);
        let trouble = Trouble { first_loss: at(5), detected: at(5), loss: paused, fault_at: Some(MINUTE * 10) };
        let blind = (Verdict::Inconclusive, Reason::SentinelsSilent);
        for evidence in [
            lost(Reason::Maintenance, Some(MINUTE * 10)),
            lost(Reason::NoAnswer, None),
            Evidence::restored(blind, at(12), Some(at(4)), Symptoms::default(), Some(trouble)),
            Evidence::restored((Verdict::Up, Reason::Answered), at(0), Some(at(16)), Symptoms::default(), None),
        ] {
            assert_eq!(effects(&evidence, None, 5), [], "{evidence:?}");
        }
    }

    #[test]
    fn a_fault_does_to_the_unit_s_case_what_the_desk_does() {
        let armed = lost(Reason::NoAnswer, Some(MINUTE * 10));
        let (p1, p2) = (case("a", Priority::P1, "acme"), case("a", Priority::P2, "acme"));
        let reference = p1.opening.reference;
        assert_eq!(effects(&armed, Some(&p1), 5), [], "it is at work");
        assert_eq!(effects(&armed, Some(&p2), 5), fault(Brings::Upgrade(reference)));
        assert_eq!(effects(&armed, Some(&solved(p1.clone(), 5)), 5), fault(Brings::Return(reference)));
        assert_eq!(effects(&armed, Some(&solved(p1, 12)), 5), [], "a person gave the line its time");
    }

    #[test]
    fn cases_lose_their_unit_their_symptom_or_their_customer() {
        let p2 = case("a", Priority::P2, "acme");
        let of = |case: &Case, devices| preview([], [case], &plan(devices), at(17));
        let (reference, name) = (p2.opening.reference, String::from("a"));
        let others = vec![unit("b", 10, Limits::DEFAULT)];
        assert_eq!(of(&p2, others), [Effect::Unwatched { case: reference, unit: name.clone() }]);
        assert_eq!(of(&p2, vec![unit("a", 10, Limits::DEFAULT)]), []);
        let deaf = vec![unit("a", 10, Limits { loss: None, ..Limits::DEFAULT })];
        let symptom = Symptom::Loss;
        assert_eq!(of(&p2, deaf.clone()), [Effect::Overlooked { case: reference, unit: name.clone(), symptom }]);
        assert_eq!(of(&solved(p2, 5), deaf.clone()), [], "it counts as gone already");
        assert_eq!(of(&case("a", Priority::P1, "acme"), deaf), []);
        let theirs = case("a", Priority::P1, "bolt");
        let moved = Effect::Moved { case: reference, unit: name, from: "bolt".into(), to: "acme".into() };
        assert_eq!(of(&theirs, vec![unit("a", 10, Limits::DEFAULT)]), [moved]);
    }

    #[test]
    fn a_limit_that_is_off_looks_at_nothing() {
        assert!(Symptom::ALL.into_iter().all(|symptom| Limits::DEFAULT.looks_at(symptom)));
        let off = Limits {
            loss: None,
            rtt: None,
            rtt_factor: None,
            flaps: None,
            reboots: None,
            interface: false,
            errors: None,
            load: None,
            ..Limits::DEFAULT
        };
        assert!(!Symptom::ALL.into_iter().any(|symptom| off.looks_at(symptom)));
    }
}
