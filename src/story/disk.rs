//! The simulated daemon's disk: what a turn leaves on it, and what a start finds there.

use crate::domain::desk::{
    Alarm, AlarmKind, Case, LetterKind, MailOutcome, Reference, SavedDesk, SavedDuty, SavedMailRoom, SavedPeople,
    SavedSurveys, SavedUmbrella, SurveyChange, Umbrella, Unreachable,
};
use crate::domain::letter::{Letter, LetterId, LetterState, SavedLetter, SavedLetters, SavedReserve, Thread};
use crate::domain::mail::{Incoming, MailId};
use crate::domain::maintenance::Maintenance;
use crate::domain::time::Time;
use crate::domain::turn::{DeviceRow, HeldLine, Turn};
use crate::domain::watch::{Chunk, Interval, Saved};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) devices: BTreeMap<String, DeviceRow>,
    pub(super) cases: BTreeMap<Reference, Arc<Case>>,
    pub(super) next_case: u64,
    pub(super) letters: BTreeMap<LetterId, (SavedLetter, LetterState)>,
    pub(super) written: Vec<Letter>,
    /// Every notice that was ever held back.
    pub(super) reserves: BTreeMap<LetterId, SavedReserve>,
    /// Messengers that were told that something is wrong: conversation and address.
    pub(super) alerts: BTreeSet<(Thread, String)>,
    pub(super) intervals: Vec<Interval>,
    pub(super) chunks: Vec<(String, Chunk)>,
    pub(super) umbrellas: BTreeMap<Reference, Umbrella>,
    pub(super) held: Vec<HeldLine>,
    pub(super) alarms: BTreeMap<AlarmKind, Alarm>,
    pub(super) maintenance: BTreeMap<String, Maintenance>,
    pub(super) duty: SavedDuty,
    pub(super) surveys: SavedSurveys,
    pub(super) people: SavedPeople,
    /// Customers, each time that one was asked how a case went.
    pub(super) asked: Vec<String>,
    /// What became of messages.
    pub(super) mails: BTreeMap<MailId, MailOutcome>,
    /// Messages that nobody has read yet.
    pub(super) unread: BTreeMap<MailId, Incoming>,
    pub(super) unreachable: BTreeMap<String, Unreachable>,
    pub(super) watched_until: Option<Time>,
}

impl Disk {
    /// Takes a turn over as a whole.
    pub(super) fn commit(&mut self, turn: &Turn) {
        for id in &turn.gone {
            self.devices.remove(id);
        }
        for row in &turn.devices {
            self.devices.insert(row.id.clone(), row.clone());
        }
        for case in &turn.cases {
            self.cases.insert(case.opening.reference, Arc::clone(case));
        }
        if let Some(next) = turn.next_case {
            self.next_case = next;
        }
        for letter in &turn.letters {
            let saved = SavedLetter { label: letter.label(), written_at: letter.written_at, attempts: 0 };
            self.letters.insert(letter.id, (saved, LetterState::Queued));
        }
        self.written.extend_from_slice(&turn.letters);
        self.reserves.extend(turn.reserves.iter().map(|reserve| (reserve.label.id, reserve.clone())));
        for (thread, to, letter) in &turn.alerts {
            let key = (thread.clone(), to.clone());
            match letter {
                Some(_) => drop(self.alerts.insert(key)),
                None => drop(self.alerts.remove(&key)),
            }
        }
        for change in &turn.letter_changes {
            if let Some((letter, state)) = self.letters.get_mut(&change.id) {
                letter.attempts = change.attempts;
                *state = change.state;
            }
        }
        for (letter, _) in &turn.bounced {
            if let Some((_, state)) = self.letters.get_mut(letter) {
                *state = LetterState::Bounced;
            }
        }
        for mail in &turn.mails {
            self.unread.remove(&mail.id);
            self.mails.insert(mail.id, mail.outcome);
        }
        for (address, unreachable) in &turn.addresses {
            match unreachable {
                Some(unreachable) => self.unreachable.insert(address.clone(), unreachable.clone()),
                None => self.unreachable.remove(address),
            };
        }
        self.intervals.extend_from_slice(&turn.intervals);
        self.chunks.extend_from_slice(&turn.chunks);
        self.umbrellas.extend(turn.umbrellas.iter().map(|umbrella| (umbrella.reference, umbrella.clone())));
        self.held.extend_from_slice(&turn.held);
        self.held.retain(|line| !turn.released.contains(&(line.case, line.mark)));
        for (alarm, stands) in &turn.alarms {
            if *stands {
                self.alarms.insert(alarm.kind, alarm.clone());
            } else {
                self.alarms.remove(&alarm.kind);
            }
        }
        for known in &turn.maintenance {
            self.maintenance.insert(known.window.id.clone(), (**known).clone());
        }
        turn.duty.iter().for_each(|change| self.duty.note(change));
        turn.surveys.iter().for_each(|change| self.surveys.note(change));
        turn.people.iter().for_each(|change| self.people.note(change));
        self.asked.extend(turn.surveys.iter().filter_map(|change| match change {
            SurveyChange::Sent(survey, _) => Some(survey.customer.clone()),
            SurveyChange::Answered { .. } | SurveyChange::Counted(..) => None,
        }));
        self.watched_until = Some(turn.at);
    }

    /// What a daemon finds that starts.
    pub(super) fn load(&self) -> Saved {
        let is_closed = |case: &Case| case.stage.name() == "Closed";
        let closed_of = self.cases.values().filter(|case| is_closed(case));
        Saved {
            devices: self.devices.values().cloned().collect(),
            desk: SavedDesk {
                cases: self.cases.values().filter(|case| !is_closed(case)).map(|case| (**case).clone()).collect(),
                closed_of: closed_of.map(|case| (case.opening.unit.clone(), case.opening.reference)).collect(),
                umbrellas: self.saved_umbrellas(),
                closing: self
                    .cases
                    .values()
                    .filter(|case| is_closed(case) && self.held.iter().any(|line| line.case == case.opening.reference))
                    .map(|case| (**case).clone())
                    .collect(),
                alarms: self.alarms.values().cloned().collect(),
                next_number: self.next_case,
                rfo_letters: self.rfo_letters(),
                duty: self.duty.clone(),
                surveys: self.surveys.clone(),
                people: self.people.clone(),
                letters: SavedLetters {
                    next_id: self.letters.last_key_value().map_or(0, |(id, _)| id + 1),
                    waiting: self
                        .letters
                        .values()
                        .filter(|(_, state)| *state == LetterState::Queued)
                        .map(|(letter, _)| letter.clone())
                        .collect(),
                    reserves: self.reserves.values().filter(|reserve| self.is_held_back(reserve)).cloned().collect(),
                    alerts: self.alerts.iter().cloned().collect(),
                },
                mail: SavedMailRoom {
                    aside: self
                        .mails
                        .iter()
                        .filter(|(_, outcome)| **outcome == MailOutcome::Quarantined)
                        .map(|(id, _)| *id)
                        .collect(),
                    unreachable: self.unreachable.clone().into_iter().collect(),
                },
            },
            maintenance: self.maintenance.values().cloned().collect(),
            watched_until: self.watched_until,
        }
    }

    fn is_held_back(&self, reserve: &SavedReserve) -> bool {
        self.letters.get(&reserve.label.id).is_some_and(|(_, state)| *state == LetterState::Reserve)
    }

    fn rfo_letters(&self) -> Vec<(LetterId, Reference, u32)> {
        let is_queued = |id: &LetterId| self.letters.get(id).is_some_and(|(_, state)| *state == LetterState::Queued);
        let theirs = self
            .written
            .iter()
            .filter(|letter| letter.mark.kind == LetterKind::Rfo && letter.greeting.is_some() && is_queued(&letter.id));
        let lines = |letter: &Letter| -> Vec<_> {
            letter.lines().into_iter().map(|(reference, mark)| (letter.id, reference, mark.number)).collect()
        };
        theirs.flat_map(lines).collect()
    }

    fn saved_umbrellas(&self) -> Vec<SavedUmbrella> {
        let of = |reference: Reference| {
            let letters = self.letters.values().filter_map(|(letter, _)| match &letter.label.thread {
                Thread::Umbrella { reference: thread, customer } if *thread == reference => {
                    Some((customer.clone(), letter.label.mark))
                }
                Thread::Umbrella { .. }
                | Thread::Case { .. }
                | Thread::Maintenance { .. }
                | Thread::Alarm { .. }
                | Thread::Contract { .. }
                | Thread::Reach { .. } => None,
            });
            SavedUmbrella {
                umbrella: self.umbrellas[&reference].clone(),
                cases: self.cases.values().filter(|case| case.umbrella == Some(reference)).count(),
                held: self.held.iter().filter(|line| line.umbrella == reference).cloned().collect(),
                letters: letters.collect(),
            }
        };
        let is_needed = |umbrella: &Umbrella| {
            let has_open = |case: &Case| case.umbrella == Some(umbrella.reference) && case.stage.name() != "Closed";
            umbrella.closed_at.is_none()
                || self.cases.values().any(|case| has_open(case))
                || self.held.iter().any(|line| line.umbrella == umbrella.reference)
        };
        self.umbrellas.values().filter(|umbrella| is_needed(umbrella)).map(|umbrella| of(umbrella.reference)).collect()
    }
}
