//! One case: its facts, what follows from them, and which moves are open.
//!
//! Everything a case knows, its clocks included, is the sum of its own facts: [`Case::open`] takes the first one,
//! [`Case::apply`] each later one and cannot fail. Whether a move is open is decided before, by [`Case::decide`], which
//! writes out every pair of stage and move. It is the same table for cases of the watch and of people (R3).

use super::diagnosis::Diagnosis;
use super::facts::{CaseFact, Chosen, EscalatedBy, Heard, Opening, Outage, Step};
use super::promise::{Agreed, Level, PromiseKind, Promises};
use super::reference::Reference;
use super::rfo::{RfoState, RfoStep};
use super::words::{Actor, LetterKind, LetterMark, Move, NotOpen, Priority, WaitingOn};
use crate::domain::time::{Tally, Time};
use crate::domain::watch::{Finding, Reason, Verdict};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// See [`Case::solve_after`].
pub const MAX_PATIENCE: u32 = 64;

/// Everything known of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// As its facts began.
    pub opening: Arc<Opening>,
    /// When it was opened.
    pub opened_at: Time,
    /// P1 and up.
    pub priority: Priority,
    /// Where it stands.
    pub stage: Stage,
    /// The one who works on it, if somebody does.
    pub owner: Option<String>,
    /// What the line is doing.
    pub line: Line,
    /// Since when the line does that.
    pub line_since: Time,
    /// Whether the watch itself has seen the fault: only then the line's return shows that it is over.
    pub fault_seen: bool,
    /// The latest loss that the watch found after the opening.
    pub confirmed: Option<Outage>,
    /// How the line was found degraded the last time, if it was.
    pub finding: Option<Finding>,
    /// The shared cause that it belongs to, if any.
    pub umbrella: Option<Reference>,
    /// What happened, as far as witnesses tell.
    pub diagnosis: Option<Diagnosis>,
    /// How long the line has been back since its last loss; `None` before it is.
    pub back: Option<Tally>,
    /// When the line came back the last time.
    pub recovered_at: Option<Time>,
    /// LOSS since the first loss.
    pub downtime: Tally,
    /// How often it was declared solved.
    pub solved: u32,
    /// How often it came back to work after that.
    pub returned: u32,
    /// What is promised and not kept yet.
    pub promises: Promises,
    /// What is agreed with the customer, if that has changed since the opening.
    pub agreed: Option<Box<Agreed>>,
    /// How much of the time to repair was used up when it was declared solved: it counts on if the case comes back.
    pub repairing: Duration,
    /// How far it was escalated, why the last time, and how often in all.
    pub escalation: Option<Escalation>,
    /// The latest news that staff had for the customer.
    pub news: Option<News>,
    /// Its reasons for outage.
    pub rfo: RfoState,
    /// How it was given to whom it is with, if it ever was.
    pub assignment: Option<Assignment>,
    /// Who has heard that it takes too long.
    pub chase: Chase,
    /// Who was informed by the latest news, until that is settled.
    pub informed: Option<Informed>,
    /// The latest message that belongs to it, and how many do.
    pub heard: Option<(u32, Heard)>,
    /// The letter of this case that was written last in its present conversation: the next one answers it.
    pub last_letter: Option<LetterMark>,
}

/// How a case was given to whom it is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The rule that fired last.
    pub rule: Option<String>,
    /// The team that it is with.
    pub team: Option<String>,
    /// When it was given the last time.
    pub at: Time,
    /// How often it was given to somebody.
    pub times: u32,
    /// How often a person took it from the team that a rule had chosen to another one (R104).
    pub misroutes: u32,
}

/// Who has heard that a case takes too long (R57).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chase {
    /// The last step that was taken.
    pub step: Option<Step>,
    /// Since when the time to the next one runs: the opening, that step, or since it came back to work.
    pub since: Time,
}

/// News for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// From 1.
    pub number: u32,
    /// As the customer is to read it.
    pub text: String,
}

/// Who was informed by a letter, and what had been promised until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Informed {
    /// The letter.
    pub letter: LetterMark,
    /// Addresses whose mail servers took it, and did not return it since.
    pub readers: Vec<String>,
    /// What was promised: it counts again, as if nothing had been kept, when nobody was informed after all.
    pub before: Promises,
}

/// How far a case was escalated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How far.
    pub level: Level,
    /// Why the last time.
    pub why: EscalatedBy,
    /// How often in all.
    pub times: u32,
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody works on it yet.
    New,
    /// Its owner works on it.
    Working {
        /// Since when.
        since: Time,
    },
    /// It waits for somebody outside the team.
    Waiting {
        /// Since when.
        since: Time,
        /// For whom.
        on: WaitingOn,
    },
    /// Declared solved; the line is being watched.
    Solved {
        /// Since when.
        since: Time,
        /// By whom.
        by: Actor,
        /// The stability window.
        window: Window,
    },
    /// Over for good.
    Closed {
        /// Since when.
        since: Time,
        /// When it was declared solved the last time.
        solved_at: Time,
        /// The stability window that it passed.
        window: Window,
    },
}

/// The stability window: a length of observed time without the fault (R28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How much observed time closes the case.
    pub length: Duration,
    /// Observed time so far. Paused while nobody can see the line.
    pub observed: Tally,
}

/// What the line of a case is doing, as far as the case is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A verdict stands.
    Watched(Verdict, Reason),
    /// The unit was taken out of the inventory: nobody will look any more.
    Withdrawn,
}

impl Case {
    /// The case that begins with this fact.
    #[must_use]
    pub fn open(opening: impl Into<Arc<Opening>>, at: Time) -> Self {
        let opening = opening.into();
        let mut downtime = opening.loss;
        if !opening.line.0.is_lost() {
            downtime.pause(opening.line.1);
        }
        let mut case = Self {
            opened_at: at,
            priority: opening.priority,
            stage: Stage::New,
            owner: None,
            line: opening.line.0,
            line_since: opening.line.1,
            fault_seen: opening.first_loss.is_some() || opening.finding.is_some(),
            confirmed: None,
            finding: opening.finding,
            umbrella: None,
            diagnosis: None,
            back: None,
            recovered_at: None,
            downtime,
            solved: 0,
            returned: 0,
            promises: Promises::default(),
            agreed: None,
            repairing: Duration::ZERO,
            escalation: None,
            news: None,
            rfo: RfoState::default(),
            assignment: None,
            chase: Chase { step: None, since: at },
            informed: None,
            heard: None,
            last_letter: Some(LetterMark { kind: LetterKind::Opened, number: 1 }),
            opening,
        };
        case.pledge(at);
        case.promise(PromiseKind::FirstResponse, case.pledges().first_response, at);
        case
    }

    /// Whether a move is open in the present stage. The one transition table.
    ///
    /// # Errors
    /// Says why it is not.
    pub const fn decide(&self, wanted: Move) -> Result<(), NotOpen> {
        match (&self.stage, wanted) {
            (
                Stage::New | Stage::Working { .. } | Stage::Waiting { .. },
                Move::Take
                | Move::Note
                | Move::Tell
                | Move::Promise
                | Move::Arrive
                | Move::Supplier
                | Move::Assign
                | Move::Escalate
                | Move::Wait
                | Move::Solve
                | Move::Rfo,
            )
            | (Stage::Solved { .. }, Move::Note | Move::Tell | Move::Supplier | Move::Return | Move::Rfo) => Ok(()),
            (Stage::New | Stage::Working { .. } | Stage::Waiting { .. }, Move::Return) => Err(NotOpen::NotSolved),
            (
                Stage::Solved { .. },
                Move::Take | Move::Promise | Move::Arrive | Move::Assign | Move::Escalate | Move::Wait | Move::Solve,
            ) => Err(NotOpen::Solved),
            (
                Stage::Closed { .. },
                Move::Take
                | Move::Note
                | Move::Tell
                | Move::Promise
                | Move::Arrive
                | Move::Supplier
                | Move::Assign
                | Move::Escalate
                | Move::Wait
                | Move::Solve
                | Move::Return
                | Move::Rfo,
            ) => Err(NotOpen::Closed),
        }
    }

    /// Takes a fact into account. Facts come only after their move was found open, and never after `Closed`.
    pub fn apply(&mut self, fact: &CaseFact, now: Time) {
        assert!(!matches!(self.stage, Stage::Closed { .. }), "closed is final");
        match fact {
            CaseFact::Line { line, at } => self.line_is(*line, *at),
            CaseFact::Noted { .. } | CaseFact::Arrived { .. } | CaseFact::SupplierSaid { .. } => {}
            CaseFact::Told { text, .. } => {
                let number = self.news.as_ref().map_or(0, |before| before.number) + 1;
                self.news = Some(News { number, text: text.clone() });
                self.wrote(LetterKind::News, number);
            }
            CaseFact::Heard(heard) => self.hear(heard),
            CaseFact::Resumed { .. } => self.resume(now),
            CaseFact::Informed { to, letter } => self.inform(to, *letter),
            CaseFact::InformedRevoked { to, letter, .. } => self.revoke(to, *letter, now),
            CaseFact::Promised { kind, within, .. } => self.promise(*kind, Some(*within), now),
            CaseFact::Kept { kind, .. } => self.kept(*kind, now),
            CaseFact::Agreed(agreed) => self.agree(*agreed, now),
            CaseFact::Missed { kind, .. } => self.promises.miss(*kind),
            CaseFact::Escalated { level, why, .. } => self.escalated(*level, why, now),
            CaseFact::Assigned { to, team, why, misrouted, .. } => {
                self.given([to.as_ref(), team.as_ref()], why.as_ref(), *misrouted, now);
            }
            CaseFact::Overdue { step, .. } => self.chase = Chase { step: Some(*step), since: now },
            CaseFact::Taken { by } => {
                self.owner = Some(by.clone());
                self.resume(now);
            }
            CaseFact::Waits { by, on, .. } => {
                self.owner.get_or_insert_with(|| by.clone());
                self.wait(*on, now);
            }
            CaseFact::Confirmed(outage) => self.see(*outage),
            CaseFact::Degraded(finding) => {
                self.fault_seen = true;
                self.finding = Some(*finding);
            }
            CaseFact::Joined { umbrella } => self.umbrella = Some(*umbrella),
            CaseFact::Left => {
                self.umbrella = None;
                // What the umbrella's conversation had said is not there to be answered.
                self.last_letter = None;
            }
            CaseFact::Diagnosed(diagnosis) => self.diagnosis = Some(diagnosis.clone()),
            CaseFact::Upgraded(outage) => {
                self.see(*outage);
                self.priority = Priority::P1;
                self.owe_sooner(now);
                self.wrote(LetterKind::Upgraded, 1);
            }
            CaseFact::Solved { by, window, .. } => self.declare_solved(by, *window, now),
            CaseFact::Returned { by, outage, .. } => self.taken_back(by, *outage, now),
            CaseFact::RfoOrdered { by } => self.rfo_was_ordered(by, now),
            CaseFact::RfoIssued { number, .. } => {
                self.rfo_was_issued(*number);
                self.wrote(LetterKind::Rfo, *number);
            }
            CaseFact::RfoDelivered { .. } => self.rfo.step = RfoStep::Delivered,
            CaseFact::RfoUndelivered { .. } => self.rfo.step = RfoStep::Undelivered,
            CaseFact::Closed => {
                let Stage::Solved { since, mut window, .. } = self.stage else {
                    unreachable!("only a window closes a case")
                };
                window.observed.pause(now);
                self.downtime.pause(now);
                self.promises = Promises::default();
                self.stage = Stage::Closed { since: now, solved_at: since, window };
                self.wrote(LetterKind::Closed, 1);
            }
        }
    }

    fn given(&mut self, [to, team]: [Option<&String>; 2], why: Option<&Chosen>, misrouted: bool, now: Time) {
        let before = self.assignment.take();
        let was_with = before.as_ref().and_then(|before| before.team.as_ref());
        let (times, misroutes) = before.as_ref().map_or((0, 0), |before| (before.times, before.misroutes));
        let rule = why.and_then(|why| why.rule.clone()).or_else(|| before.as_ref()?.rule.clone());
        self.assignment = Some(Assignment {
            rule,
            team: team.or(was_with).cloned(),
            at: now,
            times: times + u32::from(to.is_some()),
            misroutes: misroutes + u32::from(misrouted),
        });
        // Where nobody is on duty, whoever has it goes on.
        self.owner = to.or(self.owner.as_ref()).cloned();
    }

    fn hear(&mut self, heard: &Heard) {
        let number = self.heard.as_ref().map_or(0, |(number, _)| *number) + 1;
        self.heard = Some((number, heard.clone()));
    }

    fn escalated(&mut self, level: Level, why: &EscalatedBy, now: Time) {
        let (before, times) = self.escalation.as_ref().map_or((None, 0), |before| (Some(before.level), before.times));
        let times = times + 1;
        self.escalation = Some(Escalation { level, why: why.clone(), times });
        // Above the last level nobody hears of more silence.
        if before < Some(level) {
            self.owe_more(now);
        }
        self.wrote(LetterKind::Escalated, times);
    }

    fn declare_solved(&mut self, by: &Actor, window: Duration, now: Time) {
        // No case leaves New without an owner (R17).
        self.owner.get_or_insert_with(|| String::from(by.name()));
        self.solved += 1;
        self.settle(now);
        let observed = if self.line.window_runs() { Tally::started(now) } else { Tally::default() };
        self.stage = Stage::Solved { since: now, by: by.clone(), window: Window { length: window, observed } };
        self.wrote(LetterKind::Solved, self.solved);
    }

    fn taken_back(&mut self, by: &Actor, outage: Option<Outage>, now: Time) {
        // A person's concern about a line that answers is not settled by the line answering.
        self.fault_seen = *by == Actor::Watch || self.line.is_faulty();
        self.back = None;
        self.rfo_is_void();
        self.returned += 1;
        self.chase.since = now;
        self.stage = Stage::Working { since: now };
        if let Some(outage) = outage {
            self.see(outage);
            self.priority = Priority::P1;
        }
        self.pledge(now);
        let kind = if *by == Actor::Watch { LetterKind::Returned } else { LetterKind::TakenBack };
        self.wrote(kind, self.returned);
    }

    const fn see(&mut self, outage: Outage) {
        self.fault_seen = true;
        self.confirmed = Some(outage);
    }

    const fn wrote(&mut self, kind: LetterKind, number: u32) {
        self.last_letter = Some(LetterMark { kind, number });
    }

    fn line_is(&mut self, line: Line, at: Time) {
        if self.line.is_lost() {
            self.downtime.pause(at);
        }
        if let Some(back) = &mut self.back {
            back.pause(at);
        }
        match line {
            Line::Watched(Verdict::Up, _) => {
                if self.fault_seen {
                    let back = self.back.get_or_insert_with(|| {
                        self.recovered_at = Some(at);
                        Tally::default()
                    });
                    back.run(at);
                }
            }
            Line::Watched(Verdict::Loss, _) => {
                self.downtime.run(at);
                self.back = None;
                self.diagnosis = None;
            }
            Line::Watched(Verdict::Degraded, _) => self.back = None,
            Line::Watched(Verdict::Inconclusive | Verdict::Unobserved, _) | Line::Withdrawn => {}
        }
        if let Stage::Solved { window, .. } = &mut self.stage {
            if line.window_runs() {
                window.observed.run(at);
            } else {
                window.observed.pause(at);
            }
        }
        self.line = line;
        self.line_since = at;
    }

    /// What the watch found first when it was degraded, if that is what the case is about.
    #[must_use]
    pub fn first_finding(&self) -> Option<&Finding> {
        let later = self.finding.as_ref().filter(|_| self.outage().is_none());
        self.opening.finding.as_ref().or(later)
    }

    /// What the watch found later, if it did.
    #[must_use]
    pub fn later_finding(&self) -> Option<&Finding> {
        self.finding.as_ref().filter(|finding| self.first_finding() != Some(finding))
    }

    /// The loss that this case is about at present, if the watch knows of one.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        self.confirmed.or_else(|| self.opening.outage())
    }

    /// When the unit last answered before the loss, or else before the case was opened.
    #[must_use]
    pub fn last_contact(&self) -> Option<Time> {
        self.outage().map_or(self.opening.last_contact, |outage| outage.last_contact)
    }

    /// Whether a person who gives it to this team takes it from another one that a rule had chosen (R104).
    #[must_use]
    pub fn is_bounced_to(&self, team: Option<&String>) -> bool {
        let Some(Assignment { rule: Some(_), team: Some(chosen), .. }) = &self.assignment else { return false };
        team.is_some_and(|team| team != chosen)
    }

    /// The queue that it is in: the team that it is with, or where it was opened.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.assignment.as_ref().and_then(|assignment| assignment.team.as_ref()).unwrap_or(&self.opening.queue)
    }

    /// Whether it is being worked on, or waits to be.
    #[must_use]
    pub const fn is_at_work(&self) -> bool {
        match &self.stage {
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => true,
            Stage::Solved { .. } | Stage::Closed { .. } => false,
        }
    }

    /// How long the line must be back before the watch declares the case solved: twice as long with each return but the
    /// first, up to [`MAX_PATIENCE`] times, so that a line that goes on and off makes no letters without end.
    #[must_use]
    pub fn solve_after(&self) -> Duration {
        let times = 1_u32.checked_shl(self.returned.saturating_sub(1)).unwrap_or(MAX_PATIENCE);
        self.opening.solve_after * times.min(MAX_PATIENCE)
    }

    /// When the watch will declare it solved, if the line stays as it is.
    #[must_use]
    pub fn solve_due(&self) -> Option<Time> {
        match &self.stage {
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => {
                self.back.and_then(|back| back.reaches(self.solve_after()))
            }
            Stage::Solved { .. } | Stage::Closed { .. } => None,
        }
    }

    /// When the window will be over, if the line stays as it is.
    #[must_use]
    pub fn close_due(&self) -> Option<Time> {
        match &self.stage {
            Stage::Solved { window, .. } => window.observed.reaches(window.length),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Closed { .. } => None,
        }
    }

    /// The stability window with when it began, while it runs and after.
    #[must_use]
    pub const fn window(&self) -> Option<(Time, Window)> {
        match &self.stage {
            Stage::Solved { since, window, .. } => Some((*since, *window)),
            Stage::Closed { solved_at, window, .. } => Some((*solved_at, *window)),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => None,
        }
    }

    /// When the window ended, or will at the earliest as things stand at `now`.
    #[must_use]
    pub fn window_ends(&self, now: Time) -> Option<Time> {
        match &self.stage {
            Stage::Solved { window, .. } => {
                let left = window.length.saturating_sub(window.observed.total(now));
                Some(self.close_due().unwrap_or_else(|| now + left))
            }
            Stage::Closed { since, .. } => Some(*since),
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => None,
        }
    }

    /// How much of the window nobody could see the line, as of `now`: the window is that much longer.
    #[must_use]
    pub fn blind_in_window(&self, now: Time) -> Duration {
        let until = match &self.stage {
            Stage::Closed { since, .. } => *since,
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } | Stage::Solved { .. } => now,
        };
        self.window()
            .map_or(Duration::ZERO, |(since, window)| until.since(since).saturating_sub(window.observed.total(until)))
    }
}

impl Line {
    /// Whether the line is lost.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        match self {
            Self::Watched(verdict, _) => matches!(verdict, Verdict::Loss),
            Self::Withdrawn => false,
        }
    }

    /// Whether the line is lost or degraded.
    #[must_use]
    pub const fn is_faulty(self) -> bool {
        match self {
            Self::Watched(verdict, _) => matches!(verdict, Verdict::Loss | Verdict::Degraded),
            Self::Withdrawn => false,
        }
    }

    /// Whether a stability window runs. A withdrawn unit can't be observed any more: plain time must do.
    #[must_use]
    pub const fn window_runs(self) -> bool {
        match self {
            Self::Watched(verdict, _) => verdict.is_observed(),
            Self::Withdrawn => true,
        }
    }
}

impl Stage {
    /// The names of all stages, in the order of a case's life.
    pub const NAMES: [&str; 5] = ["New", "Working", "Waiting", "Solved", "Closed"];

    /// As it is stored, printed and labelled.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        Self::NAMES[self.index()]
    }

    /// Its place in [`Self::NAMES`].
    pub(super) const fn index(&self) -> usize {
        match self {
            Self::New => 0,
            Self::Working { .. } => 1,
            Self::Waiting { .. } => 2,
            Self::Solved { .. } => 3,
            Self::Closed { .. } => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::Channel;
    use crate::domain::desk::Pledges;
    use crate::domain::watch::{Circuit, Symptom, Terms};
    use alloc::sync::Arc;

    const HOUR: Duration = Duration::from_secs(3_600);
    const UP: Line = Line::Watched(Verdict::Up, Reason::Answered);
    const LOSS: Line = Line::Watched(Verdict::Loss, Reason::NoAnswer);
    const BLIND: Line = Line::Watched(Verdict::Unobserved, Reason::Stopped);

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    /// A case of the watch, opened at 600 s on a line that was lost at 0 s.
    fn case() -> Case {
        let opening = Opening {
            reference: Reference::from_number(1),
            origin: Actor::Watch,
            channel: Channel::Monitoring,
            priority: Priority::P1,
            unit: "u".into(),
            circuit: Circuit {
                customer: Arc::new("acme".into()),
                order: "SO-1".into(),
                terms: Arc::new(Terms {
                    service: "DIA".into(),
                    region: "EMEA".into(),
                    ttr: HOUR,
                    supplier: None,
                    pop: None,
                    access: None,
                    rate: None,
                }),
            },
            queue: "Support".into(),
            note: None,
            last_contact: None,
            first_loss: Some(at(0)),
            detected: Some(at(3)),
            loss: Tally::started(at(0)),
            line: (LOSS, at(0)),
            finding: None,
            solve_after: Duration::from_secs(300),
            pledges: Pledges::default(),
            previous: None,
        };
        Case::open(opening, at(600))
    }

    fn line(line: Line, since: i64) -> CaseFact {
        CaseFact::Line { line, at: at(since) }
    }

    fn solved() -> CaseFact {
        CaseFact::Solved { by: Actor::Watch, note: None, window: 24 * HOUR }
    }

    fn after(facts: &[(CaseFact, i64)]) -> Case {
        let mut case = case();
        facts.iter().for_each(|(fact, now)| case.apply(fact, at(*now)));
        case
    }

    #[test]
    fn a_case_that_becomes_a_p1_has_its_next_news_sooner() {
        let pledges = Pledges { update_p1: Some(HOUR), update_p2: Some(4 * HOUR), ..Pledges::default() };
        let mut case = Case::open(Opening { priority: Priority::P2, pledges, ..(*case().opening).clone() }, at(0));
        let due = |case: &Case| case.promises.next_due();
        assert_eq!(due(&case), Some((at(4 * 3_600), PromiseKind::Update)));
        let outage = Outage { last_contact: None, first_loss: at(0), detected: at(1) };
        let mut late = case.clone();
        case.apply(&CaseFact::Upgraded(outage), at(600));
        assert_eq!(due(&case), Some((at(4_200), PromiseKind::Update)));
        // What is due before that stays so.
        late.apply(&CaseFact::Upgraded(outage), at(13_000));
        assert_eq!(due(&late), Some((at(4 * 3_600), PromiseKind::Update)));
    }

    #[test]
    fn a_repair_counts_on_when_its_case_comes_back() {
        let pledges = Pledges { repair: true, ..Pledges::default() };
        let mut case = Case::open(Opening { pledges, ..(*case().opening).clone() }, at(0));
        let ttr = case.opening.circuit.terms.ttr;
        case.apply(&solved(), at(600));
        assert_eq!(case.promises, Promises::default(), "a solved case owes nothing");
        case.apply(&CaseFact::Returned { by: Actor::Watch, note: None, outage: None }, at(1_000));
        assert_eq!(case.promises.next_due(), Some((at(1_000) + ttr - Duration::from_secs(600), PromiseKind::Repair)));
    }

    #[test]
    fn the_transition_table() {
        let taken = CaseFact::Taken { by: "ann".into() };
        let waits = CaseFact::Waits { by: "ann".into(), on: WaitingOn::Supplier, note: None };
        let stages = [
            ("New", after(&[])),
            ("Working", after(&[(taken, 700)])),
            ("Waiting", after(&[(waits, 700)])),
            ("Solved", after(&[(solved(), 700)])),
            ("Closed", after(&[(solved(), 700), (CaseFact::Closed, 90_000)])),
        ];
        assert_eq!(stages.each_ref().map(|(name, _)| *name), Stage::NAMES);
        let (open, at_work) = (Ok(()), Err(NotOpen::NotSolved));
        let (in_window, over) = (Err(NotOpen::Solved), Err(NotOpen::Closed));
        // Take, Note, Tell, Promise, Arrive, Supplier, Assign, Escalate, Wait, Solve, Return, Rfo
        let worked_on = [open, open, open, open, open, open, open, open, open, open, at_work, open];
        let watched =
            [in_window, open, open, in_window, in_window, open, in_window, in_window, in_window, in_window, open, open];
        let table = [worked_on, worked_on, worked_on, watched, [over; Move::ALL.len()]];
        for ((name, case), row) in stages.iter().zip(table) {
            assert_eq!(case.stage.name(), *name);
            assert_eq!(Move::ALL.map(|wanted| case.decide(wanted)), row, "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "closed is final")]
    fn nothing_happens_to_a_closed_case() {
        after(&[(solved(), 700), (CaseFact::Closed, 90_000), (line(UP, 90_001), 90_001)]);
    }

    #[test]
    fn the_watch_solves_after_five_minutes_that_it_saw() {
        assert_eq!(case().solve_due(), None);
        assert_eq!(after(&[(line(UP, 1_000), 1_000)]).solve_due(), Some(at(1_300)));
        let blind = after(&[(line(UP, 1_000), 1_000), (line(BLIND, 1_100), 1_100)]);
        assert_eq!(blind.solve_due(), None);
        let back = after(&[(line(UP, 1_000), 1_000), (line(BLIND, 1_100), 1_100), (line(UP, 2_000), 2_000)]);
        assert_eq!((back.solve_due(), back.recovered_at), (Some(at(2_200)), Some(at(1_000))));
        let again = after(&[(line(UP, 1_000), 1_000), (line(LOSS, 1_100), 1_103), (line(UP, 1_150), 1_150)]);
        assert_eq!((again.solve_due(), again.recovered_at), (Some(at(1_450)), Some(at(1_150))));
        assert_eq!(again.downtime.total(at(9_999)), Duration::from_secs(1_050));
        let returned = |times| Case { returned: times, ..case() }.solve_after().as_secs();
        assert_eq!(
            [0, 1, 2, 3, 7, 8, 40, u32::MAX].map(returned),
            [300, 300, 600, 1_200, 19_200, 19_200, 19_200, 19_200]
        );
    }

    #[test]
    fn the_window_counts_what_was_seen() {
        let solved = [(line(UP, 1_000), 1_000), (solved(), 1_300)];
        assert_eq!(after(&solved).close_due(), Some(at(1_300 + 86_400)));
        let [up, done] = solved;
        let blind = after(&[up.clone(), done.clone(), (line(BLIND, 2_300), 2_300)]);
        assert_eq!((blind.close_due(), blind.window_ends(at(5_300))), (None, Some(at(5_300 + 85_400))));
        let facts = [up.clone(), done.clone(), (line(BLIND, 2_300), 2_300), (line(LOSS, 5_300), 5_303)];
        assert_eq!(after(&facts).close_due(), Some(at(5_300 + 85_400)), "a loss is seen, too");
        assert_eq!(after(&facts).blind_in_window(at(9_000)), Duration::from_secs(3_000));
        let withdrawn = after(&[up, done, (line(Line::Withdrawn, 2_300), 2_300)]);
        assert_eq!(withdrawn.close_due(), Some(at(1_300 + 86_400)));
    }

    #[test]
    fn a_returned_case_forgets_the_window_and_the_watch_settles_only_what_it_saw() {
        let returned = |by| CaseFact::Returned { by, note: None, outage: None };
        let up = || (line(UP, 1_000), 1_000);
        let concern = after(&[up(), (solved(), 1_300), (returned(Actor::Staff("ann".into())), 2_000)]);
        assert_eq!((concern.stage.name(), concern.close_due(), concern.fault_seen), ("Working", None, false));
        let mut still = concern;
        still.apply(&line(BLIND, 2_100), at(2_100));
        still.apply(&line(UP, 2_200), at(2_200));
        assert_eq!(still.solve_due(), None, "a line that answers does not settle a person's concern");
        let fault = after(&[up(), (solved(), 1_300), (line(LOSS, 2_000), 2_003), (returned(Actor::Watch), 2_600)]);
        assert_eq!((fault.fault_seen, fault.returned, fault.solved), (true, 1, 1));
        assert_eq!(fault.last_letter, Some(LetterMark { kind: LetterKind::Returned, number: 1 }));
    }

    #[test]
    fn a_case_that_returns_is_about_its_latest_loss_and_keeps_the_first() {
        let second = Outage { last_contact: Some(at(1_990)), first_loss: at(2_000), detected: at(2_003) };
        let returned = CaseFact::Returned { by: Actor::Watch, note: None, outage: Some(second) };
        let first = case().opening.outage();
        assert_eq!((case().outage(), first.map(|outage| outage.first_loss)), (first, Some(at(0))));
        let again =
            after(&[(line(UP, 1_000), 1_000), (solved(), 1_300), (line(LOSS, 2_000), 2_003), (returned, 2_600)]);
        assert_eq!((again.outage(), again.last_contact()), (Some(second), Some(at(1_990))));
        assert_eq!(again.opening.outage(), first);
    }

    #[test]
    fn a_case_keeps_why_it_was_opened_beside_what_is_found_later() {
        let finding = |symptom| Finding { symptom, measured: 3, limit: 3, over: HOUR };
        let (flapping, lossy) = (finding(Symptom::Flapping), finding(Symptom::Loss));
        // Found as it was lost once more.
        let opening = Opening { priority: Priority::P2, finding: Some(flapping), ..(*case().opening).clone() };
        let mut opened = Case::open(opening, at(600));
        assert_eq!((opened.first_finding(), opened.later_finding()), (Some(&flapping), None));
        opened.apply(&CaseFact::Degraded(lossy), at(700));
        assert_eq!((opened.first_finding(), opened.later_finding()), (Some(&flapping), Some(&lossy)));
        let lost = after(&[(CaseFact::Degraded(lossy), 700)]);
        assert_eq!((lost.first_finding(), lost.later_finding()), (None, Some(&lossy)), "it is about a loss");
    }

    #[test]
    fn no_case_leaves_new_without_an_owner() {
        assert_eq!(after(&[]).owner, None);
        assert_eq!(after(&[(solved(), 700)]).owner.as_deref(), Some("ntuwatch"));
        let taken = |by: &str, now| (CaseFact::Taken { by: by.into() }, now);
        assert_eq!(after(&[taken("ann", 700), taken("bob", 800)]).owner.as_deref(), Some("bob"));
    }
}
