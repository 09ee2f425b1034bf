//! The reason for outage: what a customer is told of a fault when it is over, drawn from what was recorded of its case.
//!
//! A [`Dossier`] is what is recorded, as far as customers may read it: it has no place for an internal note, a name of
//! our staff, or a device that is not theirs (R48). [`Rfo::of`] draws the conclusions.

mod repair;
#[cfg(test)]
mod tests;

pub use repair::{Repair, Waited};

use super::desk::{Case, LetterKind, Level, Priority, PromiseKind, Reference, SiteCause, Stage, WaitingOn, Witness};
use super::time::Time;
use super::watch::{Finding, Interval, Obstacle, Reason, Verdict};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// What is recorded of a case.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The case.
    pub case: Case,
    /// As of when.
    pub at: Time,
    /// What happened, oldest first.
    pub events: Vec<(Time, Event)>,
    /// What the line did from its first loss on, or from the opening if that was before; oldest first. The last stretch
    /// may go on.
    pub ledger: Vec<Interval>,
}

/// Something that happened to a case and that its customer may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was opened.
    Opened,
    /// Somebody began, or went on, to work on it.
    Taken,
    /// The customer answered, whom the case had waited for.
    Resumed,
    /// The customer was told this.
    Told(String),
    /// The customer's mail server took a letter.
    Informed(LetterKind),
    /// Something was promised by hand.
    Promised(PromiseKind, Duration),
    /// An engineer is on site.
    Arrived,
    /// The supplier had something to say. What, is between him and our staff.
    SupplierSaid,
    /// What was promised has happened, after so much of its time.
    Kept(PromiseKind, Duration),
    /// What was promised has not happened in time.
    Missed(PromiseKind),
    /// It is with those above.
    Escalated(Level),
    /// It waits for somebody.
    Waits(WaitingOn),
    /// The line was lost altogether.
    Upgraded,
    /// The line was found degraded.
    Degraded,
    /// It was declared solved.
    Solved,
    /// It came back to work.
    Returned,
    /// It was closed.
    Closed,
    /// The line lost contact.
    Lost,
    /// The line lost contact while it was being maintained, as planned.
    LostAsPlanned,
    /// The line was back.
    Back,
    /// The loss was certain.
    Detected,
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The box itself witnesses it, or two witnesses agree.
    Firm,
    /// One witness supports it, or another one speaks against it.
    Likely,
    /// No witness supports any.
    None,
}

impl Confidence {
    /// As it is printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firm => "firm",
            Self::Likely => "likely",
            Self::None => "none",
        }
    }
}

/// A witness, without what is only our affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Testimony {
    /// The box started then.
    Booted(Time),
    /// The box has run since then, also while it could not be reached.
    RanOn(Time),
    /// What the line is reached through was lost meanwhile.
    Upstream,
    /// Other lines were lost with it.
    Shared,
    /// The box itself said this.
    Trapped(String, Time),
    /// A router on the way could not pass our probes on.
    Undelivered(Obstacle, Time),
}

impl From<&Witness> for Testimony {
    fn from(witness: &Witness) -> Self {
        match witness {
            Witness::Booted(at) => Self::Booted(*at),
            Witness::RanOn(at) => Self::RanOn(*at),
            Witness::Upstream(_) => Self::Upstream,
            Witness::Shared(_) => Self::Shared,
            Witness::Trapped { says, at } => Self::Trapped(says.clone(), *at),
            Witness::Undelivered { why, router: _, at } => Self::Undelivered(*why, *at),
        }
    }
}

/// A time without contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first lost probe was sent.
    pub from: Time,
    /// When the line was back, if it is.
    pub until: Option<Time>,
    /// LOSS within: what nobody could see is none.
    pub lost: Duration,
    /// Whether it was under a maintenance from the beginning.
    pub planned: bool,
}

/// How long what lasted, from the first loss, or the opening, until it was solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lasted {
    /// LOSS.
    pub lost: Duration,
    /// Of that, under a planned maintenance.
    pub planned: Duration,
    /// DEGRADED.
    pub degraded: Duration,
    /// Our own side was broken.
    pub inconclusive: Duration,
    /// Nobody looked.
    pub unobserved: Duration,
}

/// A reason for outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rfo {
    /// The case as it stands.
    pub case: Case,
    /// As of when it was written.
    pub at: Time,
    /// Where the cause was.
    pub cause: SiteCause,
    /// How sure that is.
    pub confidence: Confidence,
    /// Who says so.
    pub witnesses: Vec<Testimony>,
    /// How the line was found degraded, if it was.
    pub finding: Option<Finding>,
    /// From the first loss until re-probes had confirmed it.
    pub detection: Option<Duration>,
    /// How long what lasted.
    pub lasted: Lasted,
    /// Each time without contact, oldest first, up to [`MAX_OUTAGES`].
    pub outages: Vec<Outage>,
    /// How many there were in all.
    pub outage_count: usize,
    /// What happened, oldest first, up to [`MAX_ENTRIES`].
    pub timeline: Vec<(Time, Event)>,
    /// How many entries there were in all.
    pub entry_count: usize,
    /// What was promised: when it was kept, after how much of its time, or when it was missed.
    pub promises: Vec<(Time, PromiseKind, Option<Duration>)>,
    /// The time to repair.
    pub repair: Repair,
}

/// Times without contact that a document lists. A flapping line has no end of them.
pub const MAX_OUTAGES: usize = 100;
/// Entries of a document's timeline.
pub const MAX_ENTRIES: usize = 400;

impl Dossier {
    /// Since when what is recorded matters.
    #[must_use]
    pub fn begins(case: &Case) -> Time {
        let lost = case.opening.first_loss.unwrap_or(case.opened_at);
        lost.min(case.opened_at)
    }

    /// Until when.
    fn ends(&self) -> Time {
        match &self.case.stage {
            Stage::Solved { since, .. } => *since,
            Stage::Closed { solved_at, .. } => *solved_at,
            Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => self.at,
        }
    }
}

impl Rfo {
    /// The conclusions of what is recorded.
    #[must_use]
    pub fn of(dossier: Dossier) -> Self {
        let (begins, ends) = (Dossier::begins(&dossier.case), dossier.ends());
        let lasted = lasted(&dossier.ledger, begins, ends);
        let mut outages = outages(&dossier.ledger, begins, dossier.at);
        let repair = Repair::of(dossier.case.ttr(), &dossier.events, &dossier.ledger, dossier.at);
        let promises = promises(&dossier.events);
        let Dossier { mut case, at, events, ledger: _ } = dossier;
        // What staff wrote for each other goes no further.
        Arc::make_mut(&mut case.opening).note = None;
        let (cause, witnesses) = match &case.diagnosis {
            Some(diagnosis) => (diagnosis.cause, diagnosis.witnesses.iter().map(Testimony::from).collect()),
            None => (SiteCause::Unknown, Vec::new()),
        };
        let mut timeline = timeline(&case, events, &outages);
        let (outage_count, entry_count) = (outages.len(), timeline.len());
        outages.truncate(MAX_OUTAGES);
        // What happened last says how it ended.
        timeline.drain(..entry_count.saturating_sub(MAX_ENTRIES));
        Self {
            cause,
            confidence: confidence(cause, &witnesses),
            witnesses,
            finding: case.finding.or(case.opening.finding),
            detection: case.opening.outage().map(|outage| outage.detected.since(outage.first_loss)),
            lasted,
            outages,
            outage_count,
            timeline,
            entry_count,
            promises,
            repair,
            case,
            at,
        }
    }

    /// Its case.
    #[must_use]
    pub fn reference(&self) -> Reference {
        self.case.opening.reference
    }

    /// The priority that it had in the end.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.case.priority
    }
}

fn promises(events: &[(Time, Event)]) -> Vec<(Time, PromiseKind, Option<Duration>)> {
    let promise = |(at, event): &(Time, Event)| match event {
        Event::Kept(kind, took) => Some((*at, *kind, Some(*took))),
        Event::Missed(kind) => Some((*at, *kind, None)),
        Event::Opened
        | Event::Taken
        | Event::Resumed
        | Event::Told(_)
        | Event::Informed(_)
        | Event::Promised(..)
        | Event::Arrived
        | Event::SupplierSaid
        | Event::Escalated(_)
        | Event::Waits(_)
        | Event::Upgraded
        | Event::Degraded
        | Event::Solved
        | Event::Returned
        | Event::Closed
        | Event::Lost
        | Event::LostAsPlanned
        | Event::Back
        | Event::Detected => None,
    };
    events.iter().filter_map(promise).collect()
}

fn confidence(cause: SiteCause, witnesses: &[Testimony]) -> Confidence {
    let count = |which: fn(&Testimony) -> bool| witnesses.iter().filter(|witness| which(witness)).count();
    let booted = count(|witness| matches!(witness, Testimony::Booted(_)));
    let ran_on = count(|witness| matches!(witness, Testimony::RanOn(_)));
    let others = count(|witness| matches!(witness, Testimony::Upstream | Testimony::Shared));
    let firm = match cause {
        SiteCause::Unknown => return Confidence::None,
        // The box was there all the time, or it was not.
        SiteCause::Site => ran_on == 0,
        SiteCause::AccessLine => booted == 0,
        SiteCause::Upstream => others > 1 && booted == 0,
    };
    if firm { Confidence::Firm } else { Confidence::Likely }
}

/// The part of a stretch between two times.
fn within(stretch: &Interval, from: Time, until: Time) -> Duration {
    stretch.until.min(until).since(stretch.from.max(from))
}

fn lasted(ledger: &[Interval], from: Time, until: Time) -> Lasted {
    let mut lasted = Lasted::default();
    for stretch in ledger {
        let length = within(stretch, from, until);
        match stretch.verdict {
            Verdict::Up => {}
            Verdict::Degraded => lasted.degraded += length,
            Verdict::Loss => {
                lasted.lost += length;
                if stretch.reason == Reason::Maintenance {
                    lasted.planned += length;
                }
            }
            Verdict::Inconclusive => lasted.inconclusive += length,
            Verdict::Unobserved => lasted.unobserved += length,
        }
    }
    lasted
}

/// From one contact to the next, what was lost between them. What nobody could see ends no outage and begins none.
fn outages(ledger: &[Interval], from: Time, now: Time) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut open: Option<Outage> = None;
    for stretch in ledger.iter().filter(|stretch| stretch.until > from) {
        match stretch.verdict {
            Verdict::Loss => {
                let planned = stretch.reason == Reason::Maintenance;
                let begins = stretch.from.max(from);
                let outage = open.get_or_insert(Outage { from: begins, until: None, lost: Duration::ZERO, planned });
                outage.lost += within(stretch, from, now);
            }
            Verdict::Up | Verdict::Degraded => {
                outages.extend(open.take().map(|outage| Outage { until: Some(stretch.from), ..outage }));
            }
            Verdict::Inconclusive | Verdict::Unobserved => {}
        }
    }
    outages.extend(open);
    outages
}

/// What happened, with what the line did.
fn timeline(case: &Case, mut events: Vec<(Time, Event)>, outages: &[Outage]) -> Vec<(Time, Event)> {
    for outage in outages {
        events.push((outage.from, if outage.planned { Event::LostAsPlanned } else { Event::Lost }));
        events.extend(outage.until.map(|until| (until, Event::Back)));
    }
    events.extend(case.opening.outage().map(|outage| (outage.detected, Event::Detected)));
    let order = |event: &Event| u8::from(!matches!(event, Event::Lost | Event::LostAsPlanned | Event::Back));
    events.sort_by_key(|(at, event)| (*at, order(event)));
    events
}
