//! The outbox: sees to it that letters go out, one after the other within a thread, again and again until somebody has
//! taken or finally refused them.
//!
//! Mail and each messenger have a lane of their own; `reserve` has what goes out if another channel fails.

mod lane;
mod reserve;
#[cfg(test)]
mod tests;

pub use lane::Trouble;
pub use reserve::{FALL_BACK_AFTER, MAX_FALL_BACKS_A_TURN};

use super::fact::Fact;
use super::letter::{Delivery, Letter, LetterChange, LetterId, LetterLabel, LetterState, SavedLetters, Thread};
use super::notice::messenger;
use super::time::Time;
use super::turn::Turn;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use core::time::Duration;
use lane::Lane;
use reserve::Reserves;

/// How many letters of one lane are under way at once.
pub const MAX_IN_FLIGHT: usize = 32;
/// Wait after the first failed attempt; doubles with each further one.
pub const FIRST_RETRY: Duration = Duration::from_secs(15);
/// The longest wait between two attempts.
pub const LAST_RETRY: Duration = Duration::from_secs(900);

/// Letters on their way out.
#[derive(Clone, Debug)]
pub struct Outbox {
    next_id: LetterId,
    letters: BTreeMap<LetterId, Waiting>,
    /// Letters of one thread to one reader; only the first one may go.
    threads: BTreeMap<(Thread, String), VecDeque<LetterId>>,
    mail: Lane,
    /// Those of messengers that have letters, by their names.
    messengers: BTreeMap<String, Lane>,
    reserves: Reserves,
    /// Messengers that keep in mind what is wrong.
    mindful: BTreeSet<String>,
    /// Those of them that were told so and not yet that it is over: conversation and address.
    alerts: BTreeSet<(Thread, String)>,
}

#[derive(Clone, Debug)]
struct Waiting {
    label: LetterLabel,
    written_at: Time,
    attempts: u32,
}

/// How a lane does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// The messenger's name; `None` for mail.
    pub messenger: Option<String>,
    /// Letters that wait.
    pub waiting: usize,
    /// Since when nothing gets through, and why.
    pub trouble: Option<Trouble>,
}

impl Outbox {
    pub(crate) fn new(saved: SavedLetters, now: Time) -> Self {
        let mut outbox = Self {
            next_id: saved.next_id.max(1),
            letters: BTreeMap::new(),
            threads: BTreeMap::new(),
            mail: Lane::default(),
            messengers: BTreeMap::new(),
            reserves: Reserves::default(),
            mindful: BTreeSet::new(),
            alerts: saved.alerts.into_iter().collect(),
        };
        for letter in saved.waiting {
            let waiting = Waiting { label: letter.label, written_at: letter.written_at, attempts: letter.attempts };
            outbox.insert(waiting, now);
        }
        outbox.reserves = Reserves::restored(saved.reserves, |letter| outbox.letters.contains_key(&letter));
        outbox
    }

    /// The number that the next letter will have.
    pub(crate) const fn coming_id(&self) -> LetterId {
        self.next_id
    }

    pub(crate) fn next_id(&mut self) -> LetterId {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(crate) fn add(&mut self, letter: &Letter, turn: &mut Turn) {
        let label = letter.label();
        self.note_alert(&label, turn);
        self.insert(Waiting { label, written_at: letter.written_at, attempts: 0 }, turn.at);
    }

    fn insert(&mut self, waiting: Waiting, due: Time) {
        let id = waiting.label.id;
        let thread = self.threads.entry((waiting.label.thread.clone(), waiting.label.to.clone())).or_default();
        thread.push_back(id);
        let is_first = thread.len() == 1;
        let lane = self.lane(&waiting.label.to);
        lane.waiting += 1;
        if is_first {
            lane.put(due, id);
        }
        self.letters.insert(id, waiting);
    }

    /// The lane of a reader.
    fn lane(&mut self, to: &str) -> &mut Lane {
        match messenger(to) {
            None => &mut self.mail,
            Some(name) => self.messengers.entry(name.into()).or_default(),
        }
    }

    fn all_lanes(&self) -> impl Iterator<Item = &Lane> {
        self.messengers.values().chain([&self.mail])
    }

    /// How many letters wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// How many notices are held back in case another channel fails.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.reserves.len()
    }

    /// How many letters the engines hold.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.all_lanes().map(|lane| lane.in_flight).sum()
    }

    /// Mail, and each messenger that has letters.
    pub fn lanes(&self) -> impl Iterator<Item = LaneState> {
        let state =
            |messenger, lane: &Lane| LaneState { messenger, waiting: lane.waiting, trouble: lane.trouble.clone() };
        let messengers = self.messengers.iter().map(move |(name, lane)| state(Some(name.clone()), lane));
        core::iter::once(state(None, &self.mail)).chain(messengers)
    }

    /// When the oldest waiting letter was written.
    #[must_use]
    pub fn oldest(&self) -> Option<Time> {
        self.letters.values().next().map(|letter| letter.written_at)
    }

    /// When the next letter can go.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.all_lanes().filter_map(Lane::next_due).chain(self.reserves.next_due()).min()
    }

    /// Hands over what is due.
    pub(crate) fn hand_over(&mut self, turn: &mut Turn) {
        self.fall_back(turn);
        for lane in self.messengers.values_mut().chain([&mut self.mail]) {
            while let Some(id) = lane.take(turn.at) {
                turn.deliver.push(id);
            }
        }
    }

    /// The label of a letter that is not delivered yet.
    #[must_use]
    pub fn label(&self, id: LetterId) -> Option<&LetterLabel> {
        self.letters.get(&id).map(|letter| &letter.label)
    }

    /// The letters of a conversation that are not delivered yet.
    pub(crate) fn in_thread<'a>(&'a self, thread: &'a Thread) -> impl Iterator<Item = &'a LetterLabel> {
        let from = (thread.clone(), String::new());
        let letters = self.threads.range(from..).take_while(move |((of, _), _)| of == thread);
        letters.flat_map(|(_, letters)| letters).filter_map(|id| self.label(*id))
    }

    /// Takes note of what became of an attempt.
    pub(crate) fn attempted(&mut self, id: LetterId, delivery: Delivery, turn: &mut Turn) {
        let Some(letter) = self.letters.get_mut(&id) else { return };
        letter.attempts = letter.attempts.saturating_add(1);
        let attempts = letter.attempts;
        let label = letter.label.clone();
        let lane = self.lane(&label.to);
        lane.in_flight = lane.in_flight.saturating_sub(1);
        let (state, error, retry) = match delivery {
            Delivery::Sent => {
                lane.answers();
                turn.facts.push(Fact::LetterSent(label.clone()));
                (LetterState::Sent, None, None)
            }
            Delivery::Refused(why) => {
                lane.answers();
                turn.facts.push(Fact::LetterFailed { letter: label.clone(), why: why.clone() });
                (LetterState::Failed, Some(why), None)
            }
            Delivery::Deferred(why) => {
                lane.puts_off(&why, turn.at);
                (LetterState::Queued, Some(why), Some(turn.at + back_off(attempts)))
            }
            Delivery::Throttled { why, wait } => {
                lane.is_throttled(&why, wait, turn.at);
                (LetterState::Queued, Some(why), Some(turn.at))
            }
            Delivery::Unreachable(why) => {
                lane.is_gone(&why, turn.at);
                (LetterState::Queued, Some(why), Some(turn.at))
            }
        };
        if let Some(due) = retry {
            lane.put(due, id);
        }
        turn.letter_changes.push(LetterChange { id, state, attempts, error: error.clone() });
        match state {
            LetterState::Queued | LetterState::Reserve => {}
            LetterState::Failed => self.go_instead(&label, error.as_deref().unwrap_or_default(), turn),
            LetterState::Sent | LetterState::Spared | LetterState::Bounced => self.spare_behind(id, turn),
        }
        if retry.is_none() {
            self.done(id, label, turn.at);
        }
    }

    fn done(&mut self, id: LetterId, label: LetterLabel, now: Time) {
        self.letters.remove(&id);
        let lane = self.lane(&label.to);
        lane.waiting = lane.waiting.saturating_sub(1);
        let is_idle = lane.waiting == 0;
        let key = (label.thread, label.to);
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.retain(|&other| other != id);
            match thread.front().copied() {
                Some(next) => self.lane(&key.1).put(now, next),
                None => drop(self.threads.remove(&key)),
            }
        }
        if let Some(name) = messenger(&key.1).filter(|_| is_idle) {
            self.messengers.remove(name);
        }
    }
}

fn back_off(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_RETRY)
}
