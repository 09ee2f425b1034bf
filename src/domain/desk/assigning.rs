//! Giving cases to people: at the opening, when they become worse, when a shift passes on, and when they take too long.
//!
//! Where the operator names no staff and no rules, nothing of this happens.

use super::case::Case;
use super::duty::{DutyChange, Roster};
use super::facts::{CaseFact, Chosen, Occasion, Step};
use super::post::add_staff;
use super::reference::Reference;
use super::routing::{self, Merits, Rule, Trace, Wants};
use super::words::{Actor, LetterKind, LetterMark};
use super::{Alarm, AlarmCause, AlarmKind, Desk};
use crate::domain::fact::Fact;
use crate::domain::letter::{Content, Thread};
use crate::domain::party::{Contract, Parties, Staff};
use crate::domain::time::Time;
use crate::domain::turn::{Refusal, Turn};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

/// Cases that one turn looks at when a shift passes on; the rest follow in the next one, so that no turn grows without
/// bound.
pub const MAX_SWEPT_A_TURN: usize = 1_000;
/// Contracts of whose end one turn tells.
const MAX_NOTICES_A_TURN: usize = 1_000;

/// All cases are looked at, one batch a turn: is their owner still on duty, and is there one now for those without?
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// The last that was looked at.
    after: Option<Reference>,
    /// Whether those of whoever is no longer in shift are handed over, too.
    handover: bool,
}

impl Sweep {
    /// One that begins.
    pub(super) const fn handover() -> Self {
        Self { after: None, handover: true }
    }
}

/// A case is to go to a team.
struct Order<'a> {
    team: Option<String>,
    rule: Option<&'a Rule>,
    occasion: Occasion,
    by: String,
}

impl<'a> Order<'a> {
    fn of_watch(team: Option<String>, rule: Option<&'a Rule>, occasion: Occasion) -> Self {
        Self { team, rule, occasion, by: Actor::Watch.name().to_string() }
    }
}

impl Desk {
    /// Other parties are in force, or none.
    pub(super) fn set_parties(&mut self, parties: &Arc<Parties>, roster: &Roster) {
        self.parties = Arc::clone(parties);
        self.outbox.set_mindful(parties.ways.mindful());
        self.duty.set_roster(roster.clone());
        self.duty.call(parties);
        let has_shifts = !roster.is_empty() || self.duty.centre.is_some();
        self.next_shift = has_shifts.then_some(AT_ONCE);
        self.next_notice =
            (parties.routing.contract_notice.is_some() && !parties.contracts.is_empty()).then_some(AT_ONCE);
    }

    /// From when on which centre has the shift.
    pub(crate) fn set_roster(&mut self, roster: Roster) {
        self.duty.set_roster(roster);
        self.next_shift = Some(AT_ONCE);
    }

    /// Somebody set the wall clock, by which shifts and contracts are: what is planned by it comes so much earlier.
    pub(crate) fn clock_stepped(&mut self, by_ms: i64) {
        self.duty.move_roster(by_ms);
        self.next_shift = self.next_shift.map(|_| AT_ONCE);
        if !self.parties.contracts.is_empty() {
            Arc::make_mut(&mut self.parties).move_back(by_ms);
            self.next_notice = self.next_notice.map(|_| AT_ONCE);
        }
    }

    /// Whatever is due of shifts and contracts.
    pub(crate) fn tend_duty(&mut self, turn: &mut Turn) {
        if self.next_shift.is_some_and(|at| at <= turn.at) {
            self.pass_shift(turn);
        }
        self.go_on_sweeping(turn);
        if self.next_notice.is_some_and(|at| at <= turn.at) {
            self.notice_contracts(turn);
        }
    }

    /// When [`Self::tend_duty`] has something to do.
    pub(crate) fn next_duty(&self) -> Option<Time> {
        let sweep = self.sweep.as_ref().map(|_| AT_ONCE);
        [self.next_shift, sweep, self.next_notice].into_iter().flatten().min()
    }

    fn pass_shift(&mut self, turn: &mut Turn) {
        let holder = self.duty.holder(turn.at).cloned();
        self.next_shift = self.duty.next(turn.at).map(|&(at, _)| at);
        if holder != self.duty.centre {
            let before = core::mem::replace(&mut self.duty.centre, holder.clone());
            if let Some(centre) = holder {
                let cases = self.cases.values().filter(|case| case.is_at_work()).count();
                let complete = before.is_none();
                turn.facts.push(Fact::ShiftBegan { centre: centre.clone(), before, cases });
                turn.duty.push(DutyChange::Shift { centre, complete });
                self.sweep = Some(Sweep { after: None, handover: !complete });
            }
        }
        self.duty.call(&self.parties);
        self.relieve(turn);
    }

    fn go_on_sweeping(&mut self, turn: &mut Turn) {
        let Some(Sweep { after, handover }) = self.sweep.take() else { return };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let batch: Vec<Reference> =
            self.cases.range((from, Bound::Unbounded)).map(|(&case, _)| case).take(MAX_SWEPT_A_TURN).collect();
        batch.iter().for_each(|&case| self.look_after(case, handover, turn));
        match batch.last() {
            Some(&last) if batch.len() == MAX_SWEPT_A_TURN => self.sweep = Some(Sweep { after: Some(last), handover }),
            Some(_) | None => {
                if let Some(centre) = self.duty.centre.clone().filter(|_| handover) {
                    turn.duty.push(DutyChange::Shift { centre, complete: true });
                }
            }
        }
    }

    /// Whether the case's owner is still in shift, and whether there is one now if it has none.
    fn look_after(&mut self, reference: Reference, handover: bool, turn: &mut Turn) {
        let parties = Arc::clone(&self.parties);
        let Some(case) = self.cases.get(&reference).filter(|case| case.is_at_work()) else { return };
        let assignment = case.assignment.as_ref();
        let owner = case.owner.as_ref().and_then(|owner| parties.staff.get(owner));
        let is_out = |staff: &Arc<Staff>| staff.centre.is_some() && staff.centre != self.duty.centre;
        // A request waits until its owner is back: it is the open incidents that somebody has to watch over (R25).
        let leaves = handover && !case.is_request() && owner.is_some_and(is_out);
        let waits = case.owner.is_none() && assignment.is_some();
        if leaves || waits {
            let with = assignment.and_then(|assignment| assignment.team.clone());
            let team = with.or_else(|| owner?.team.clone());
            let rule = assignment.and_then(|assignment| assignment.rule.as_ref());
            let rule = parties.routing.rules.iter().find(|known| Some(&known.name) == rule);
            let occasion = if leaves { Occasion::Handover } else { Occasion::OnDuty };
            self.give(reference, Order::of_watch(team, rule, occasion), turn);
        }
    }

    /// Gives a case to whom the rules say.
    pub(super) fn route(&mut self, reference: Reference, occasion: Occasion, turn: &mut Turn) {
        let parties = Arc::clone(&self.parties);
        let Some(case) = self.cases.get(&reference).filter(|case| case.is_at_work()) else { return };
        let Some(rule) = routing::first(case, &parties, turn.at) else {
            if occasion == Occasion::Opened && !parties.staff.is_empty() && self.duty.on(None).next().is_none() {
                self.miss_staff(None, turn);
            }
            return;
        };
        let fired = case.assignment.as_ref().and_then(|assignment| assignment.rule.as_ref());
        if occasion == Occasion::Opened || fired != Some(&rule.name) {
            self.give(reference, Order::of_watch(rule.team.clone(), Some(rule), occasion), turn);
        }
    }

    /// A case is at work for longer than a rule speaks of.
    pub(super) fn elapse(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.case(reference).filter(|case| case.is_at_work()) else { return };
        let looked_at = case.assignment.as_ref().map_or(case.opened_at, |assignment| assignment.at);
        if self.elapses(case).any(|at| looked_at < at && at <= turn.at) {
            self.route(reference, Occasion::Elapsed, turn);
        }
    }

    /// The times at which rules look at a case again.
    pub(super) fn elapses(&self, case: &Case) -> impl Iterator<Item = Time> {
        let opened_at = case.opened_at;
        self.parties.routing.rules.iter().filter_map(move |rule| Some(opened_at + rule.when.after?))
    }

    /// The one of a team who fits a case best, of those on duty.
    fn best(&self, case: &Case, order: &Order<'_>) -> Option<(Arc<Staff>, Merits)> {
        let (rule, terms) = (order.rule, &case.opening.circuit.terms);
        let customer = self.customers.get(case.opening.circuit.customer.as_str());
        let language = rule.and_then(|rule| rule.language.as_ref()).map(core::slice::from_ref);
        let wants = Wants {
            skill: rule.and_then(|rule| rule.skill.as_deref()),
            languages: language.unwrap_or_else(|| customer.map_or(&[], |customer| &customer.languages)),
            service: &terms.service,
            region: &terms.region,
            language_first: order.occasion == Occasion::Handover,
        };
        let grade = rule.and_then(|rule| rule.grade);
        let fits = |staff: &&Arc<Staff>| grade.is_none_or(|grade| staff.grade == grade);
        let chosen = routing::choose(self.duty.on(order.team.as_ref()).filter(fits), &wants, &self.loads);
        chosen.map(|(staff, merits)| (Arc::clone(staff), merits))
    }

    fn give(&mut self, reference: Reference, order: Order<'_>, turn: &mut Turn) {
        let Some(case) = self.cases.get(&reference).cloned() else { return };
        let Order { occasion, rule, .. } = order;
        let was_with = case.assignment.as_ref().and_then(|assignment| assignment.team.as_ref());
        let rule = rule.map(|rule| rule.name.clone());
        let bounces = |team: Option<&String>| occasion == Occasion::Asked && case.is_bounced_to(team);
        let Some((staff, merits)) = self.best(&case, &order) else {
            if matches!(occasion, Occasion::Handover | Occasion::OnDuty) {
                return self.miss_staff_of(order.team.as_ref(), &case, turn);
            }
            let why = Some(Chosen { rule, occasion, merits: None });
            let Order { by, team, .. } = order;
            let misrouted = bounces(team.as_ref());
            self.record(reference, CaseFact::Assigned { by, to: None, team: team.clone(), why, misrouted }, turn);
            return self.miss_staff_of(team.as_ref(), &case, turn);
        };
        let team = order.team.or_else(|| staff.team.clone());
        let stays = case.owner.as_ref() == Some(&staff.id);
        let goes_on = matches!(occasion, Occasion::Handover | Occasion::OnDuty);
        if stays && goes_on && team.as_ref() == was_with {
            return;
        }
        let why = Some(Chosen { rule, occasion, merits: Some(merits) });
        let (misrouted, to) = (bounces(team.as_ref()), Some(staff.id.clone()));
        self.record(reference, CaseFact::Assigned { by: order.by, to, team, why, misrouted }, turn);
        if !stays {
            self.tell_owner(reference, turn);
        }
    }

    /// A person gives a case to a person or a team.
    pub(super) fn assign(&mut self, reference: Reference, by: String, to: String, turn: &mut Turn) {
        let parties = Arc::clone(&self.parties);
        if !parties.staff.contains_key(&to) && parties.teams.contains_key(&to) {
            let order = Order { team: Some(to), rule: None, occasion: Occasion::Asked, by };
            return self.give(reference, order, turn);
        }
        let team = parties.staff.get(&to).and_then(|staff| staff.team.clone());
        let own = by == to;
        let misrouted = self.case(reference).is_some_and(|case| case.is_bounced_to(team.as_ref()));
        self.record(reference, CaseFact::Assigned { by, to: Some(to), team, why: None, misrouted }, turn);
        if !own {
            self.tell_owner(reference, turn);
        }
    }

    /// Whoever was given a case hears of it once (R58), unless he gets the letters of all cases anyway. Of those under one
    /// umbrella he hears with the first.
    fn tell_owner(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.cases.get(&reference).cloned() else { return };
        let (Some(owner), Some(assignment)) = (&case.owner, &case.assignment) else { return };
        let Some(staff) = self.parties.staff.get(owner).cloned() else { return };
        let has_others = case.umbrella.is_some_and(|umbrella| self.loads.under(umbrella, owner) > 1);
        let gets_all = self.noc.iter().any(|to| to.eq_ignore_ascii_case(&staff.email));
        if !has_others && !gets_all {
            let mark = LetterMark { kind: LetterKind::Assigned, number: assignment.times };
            self.post_to_staff(core::slice::from_ref(&staff.email), case, mark, turn);
        }
    }

    fn post_to_staff(&mut self, to: &[String], case: Arc<Case>, mark: LetterMark, turn: &mut Turn) {
        let mut readers = Vec::new();
        add_staff(&mut readers, to);
        self.post_case(&readers, case, (mark, None), turn);
    }

    fn miss_staff_of(&mut self, team: Option<&String>, case: &Case, turn: &mut Turn) {
        // Whoever has it may be off, and yet somebody has it.
        if case.owner.is_none() {
            self.miss_staff(team, turn);
        }
    }

    /// Nobody is there to take a case: management hears of it at once (R60).
    fn miss_staff(&mut self, team: Option<&String>, turn: &mut Turn) {
        let why = AlarmCause::Unstaffed { team: team.cloned() };
        self.raise(Alarm { kind: AlarmKind::Unstaffed, since: turn.at, why }, turn);
    }

    /// If somebody is on duty again where nobody was, that is over.
    pub(super) fn relieve(&mut self, turn: &mut Turn) {
        let is_over = self.alarms.get(&AlarmKind::Unstaffed).is_some_and(|alarm| match &alarm.why {
            AlarmCause::Unstaffed { team } => {
                self.parties.staff.is_empty() || self.duty.on(team.as_ref()).next().is_some()
            }
            AlarmCause::OwnSide(_) | AlarmCause::Everybody | AlarmCause::Canary { .. } => false,
        });
        if is_over {
            self.clear(AlarmKind::Unstaffed, turn);
        }
    }

    /// Lets somebody of the staff be given cases, or not.
    pub(crate) fn set_duty(&mut self, id: String, on: bool, by: String, turn: &mut Turn) -> Result<(), Refusal> {
        if !self.parties.staff.contains_key(&id) {
            return Err(Refusal::UnknownStaff { staff: id });
        }
        let changes = if on { self.duty.off.remove(&id) } else { self.duty.off.insert(id.clone()) };
        if changes {
            turn.facts.push(Fact::StaffDuty { staff: id.clone(), on, by: by.clone() });
            turn.duty.push(DutyChange::Staff { id, on, by });
            self.duty.call(&self.parties);
            if on {
                let handover = self.sweep.as_ref().is_some_and(|sweep| sweep.handover);
                self.sweep = Some(Sweep { after: None, handover });
                self.relieve(turn);
            }
        }
        Ok(())
    }

    /// When others are to hear that a case takes too long, and which.
    pub(super) fn chase_due(&self, case: &Case) -> Option<(Time, Step)> {
        let routing = &self.parties.routing;
        let (after, step) = match case.chase.step.filter(|_| case.is_at_work()) {
            None if !case.is_at_work() || case.is_request() => return None,
            None => (routing.escalate_after?, Step::Escalation),
            Some(Step::Escalation) => (routing.second_after?, Step::Development),
            Some(Step::Development) => return None,
        };
        Some((case.chase.since + after, step))
    }

    /// Those who are to hear that a case takes too long do so: each step once, in its order.
    pub(super) fn chase(&mut self, reference: Reference, turn: &mut Turn) {
        while let Some(case) = self.cases.get(&reference).cloned() {
            let Some((_, step)) = self.chase_due(&case).filter(|&(at, _)| at <= turn.at) else { return };
            let told = self.chasers(&case, step);
            self.record(reference, CaseFact::Overdue { step, told: told.clone() }, turn);
            let Some(case) = self.cases.get(&reference).cloned() else { return };
            let mark = LetterMark { kind: LetterKind::Overdue, number: step as u32 + 1 };
            self.post_to_staff(&told, case, mark, turn);
        }
    }

    /// The engineer of the team that is for it, with the owner's manager, or all managers; whoever else is missing,
    /// management hears it in his place.
    fn chasers(&self, case: &Case, step: Step) -> Vec<String> {
        let parties = &self.parties;
        let team = match step {
            Step::Escalation => &parties.routing.escalation_team,
            Step::Development => &parties.routing.development_team,
        };
        let engineer = team.as_ref().and_then(|team| {
            let order = Order::of_watch(Some(team.clone()), None, Occasion::Elapsed);
            self.best(case, &order).map(|(staff, _)| staff)
        });
        let manager = |staff: Option<&Arc<Staff>>| parties.staff.get(staff?.manager.as_ref()?);
        let owners = manager(case.owner.as_ref().and_then(|owner| parties.staff.get(owner)));
        let engineers = manager(engineer.as_ref());
        let managers = match step {
            Step::Escalation => [owners.or(engineers), None],
            Step::Development => [owners, engineers],
        };
        let is_short = engineer.is_none() || managers.iter().all(Option::is_none);
        let people = engineer.iter().chain(managers.into_iter().flatten()).map(|staff| &staff.email);
        let mut told: Vec<String> = Vec::new();
        for address in people.chain(parties.routing.management.iter().filter(|_| is_short)) {
            if !told.iter().any(|known| known.eq_ignore_ascii_case(address)) {
                told.push(address.clone());
            }
        }
        told
    }

    /// Tells customers whose contracts end (R70), each once.
    fn notice_contracts(&mut self, turn: &mut Turn) {
        self.next_notice = None;
        let parties = Arc::clone(&self.parties);
        let Some(notice) = parties.routing.contract_notice else { return };
        let waits = |contract: &&Contract| {
            contract.is_valid(turn.at) && !self.noticed.contains(&(contract.id.clone(), contract.last_day))
        };
        let mut waiting: Vec<&Contract> = parties.contracts.values().filter(waits).collect();
        waiting.sort_by_key(|contract| contract.ends);
        let due = waiting.iter().take_while(|contract| contract.ends - notice <= turn.at).count();
        let now = due.min(MAX_NOTICES_A_TURN);
        self.next_notice = waiting.get(now).map(|contract| contract.ends - notice);
        for contract in waiting.into_iter().take(now) {
            self.notice_contract(Arc::new(contract.clone()), turn);
        }
    }

    fn notice_contract(&mut self, contract: Arc<Contract>, turn: &mut Turn) {
        let Contract { id, last_day, customer, .. } = &*contract;
        self.noticed.insert((id.clone(), *last_day));
        turn.duty.push(DutyChange::Noticed { contract: id.clone(), last_day: *last_day });
        let mut readers = self.readers(Some(customer), false);
        add_staff(&mut readers, &self.parties.routing.management);
        let thread = Thread::Contract { id: id.clone(), last_day: *last_day, customer: customer.clone() };
        let mark = LetterMark { kind: LetterKind::ContractEnds, number: 1 };
        turn.facts.push(Fact::ContractEnding(Arc::clone(&contract)));
        self.post(&readers, &thread, (mark, None), &Content::Contract(contract), turn);
    }

    /// What each rule says of a case as it stands, and who would be given it.
    pub(crate) fn trace(&self, reference: Reference, now: Time) -> Result<Trace, Refusal> {
        let Some(case) = self.case(reference) else {
            let known = reference.number() < self.next_number;
            return Err(if known { Refusal::NotRouted { reference } } else { Refusal::UnknownReference { reference } });
        };
        let rule = routing::first(case, &self.parties, now);
        let order = Order::of_watch(rule.and_then(|rule| rule.team.clone()), rule, Occasion::Opened);
        let chosen = rule.and_then(|_| self.best(case, &order));
        let assignment = case.assignment.as_ref();
        Ok(Trace {
            rules: routing::verdicts(case, &self.parties, now),
            team: order.team.clone().or_else(|| chosen.as_ref()?.0.team.clone()),
            chosen: chosen.map(|(staff, merits)| (staff.id.clone(), merits)),
            present: (
                assignment.and_then(|assignment| assignment.rule.clone()),
                case.queue().to_string(),
                case.owner.clone(),
            ),
        })
    }

    /// Everybody of the staff: whether he is off, whether he is on duty, and how many cases at work he has.
    pub fn staff<'a>(&'a self) -> impl Iterator<Item = (&'a Arc<Staff>, bool, bool, usize)> {
        let row = |staff: &'a Arc<Staff>| {
            (staff, self.duty.off.contains(&staff.id), self.duty.has(staff), self.loads.of(&staff.id))
        };
        self.parties.staff.values().map(row)
    }

    /// The centre that has the shift, and the next one with when that is.
    #[must_use]
    pub fn shift(&self, now: Time) -> (Option<&String>, Option<&(Time, String)>) {
        (self.duty.centre.as_ref(), self.duty.next(now))
    }

    /// Everybody but the customers.
    #[must_use]
    pub const fn parties(&self) -> &Arc<Parties> {
        &self.parties
    }
}

/// Before everything else: it is due at once.
const AT_ONCE: Time = Time::from_millis(i64::MIN);
