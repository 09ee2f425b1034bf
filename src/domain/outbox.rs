//! The outbox: sees to it that letters go out, one after the other within a thread, again and again until somebody has
//! taken or finally refused them.

use super::fact::Fact;
use super::letter::{Delivery, Letter, LetterChange, LetterId, LetterLabel, LetterState, SavedLetters, Thread};
use super::time::Time;
use super::turn::Turn;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use core::time::Duration;

/// How many letters the mail engine holds at once.
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
    /// Firsts of their threads by when they are due.
    ready: BTreeSet<(Time, LetterId)>,
    in_flight: usize,
    /// While the server can't be talked to: until when, after how many failures.
    pause: Option<(Time, u32)>,
}

#[derive(Clone, Debug)]
struct Waiting {
    label: LetterLabel,
    written_at: Time,
    attempts: u32,
}

impl Outbox {
    pub(crate) fn new(saved: SavedLetters, now: Time) -> Self {
        let mut outbox = Self {
            next_id: saved.next_id.max(1),
            letters: BTreeMap::new(),
            threads: BTreeMap::new(),
            ready: BTreeSet::new(),
            in_flight: 0,
            pause: None,
        };
        for letter in saved.waiting {
            let waiting = Waiting { label: letter.label, written_at: letter.written_at, attempts: letter.attempts };
            outbox.insert(waiting, now);
        }
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

    pub(crate) fn add(&mut self, letter: &Letter, now: Time) {
        self.insert(Waiting { label: letter.label(), written_at: letter.written_at, attempts: 0 }, now);
    }

    fn insert(&mut self, waiting: Waiting, due: Time) {
        let id = waiting.label.id;
        let thread = self.threads.entry((waiting.label.thread.clone(), waiting.label.to.clone())).or_default();
        thread.push_back(id);
        if thread.len() == 1 {
            self.ready.insert((due, id));
        }
        self.letters.insert(id, waiting);
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

    /// How many letters the mail engine holds.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// When the oldest waiting letter was written.
    #[must_use]
    pub fn oldest(&self) -> Option<Time> {
        self.letters.values().next().map(|letter| letter.written_at)
    }

    /// When the next letter can go.
    pub(crate) fn next_due(&self) -> Option<Time> {
        if self.in_flight >= self.limit() {
            return None;
        }
        let (due, _) = self.ready.first()?;
        Some(self.pause.map_or(*due, |(until, _)| until.max(*due)))
    }

    /// How many letters may be under way. While the server can't be talked to, one tries out whether it is back.
    const fn limit(&self) -> usize {
        if self.pause.is_some() { 1 } else { MAX_IN_FLIGHT }
    }

    /// Hands over what is due.
    pub(crate) fn hand_over(&mut self, turn: &mut Turn) {
        while self.next_due().is_some_and(|due| due <= turn.at) {
            let Some((_, id)) = self.ready.pop_first() else { return };
            self.in_flight += 1;
            turn.deliver.push(id);
        }
    }

    /// The label of a letter that is not delivered yet.
    pub(crate) fn label(&self, id: LetterId) -> Option<&LetterLabel> {
        self.letters.get(&id).map(|letter| &letter.label)
    }

    /// Takes note of what became of an attempt.
    pub(crate) fn attempted(&mut self, id: LetterId, delivery: Delivery, turn: &mut Turn) {
        let Some(letter) = self.letters.get_mut(&id) else { return };
        self.in_flight = self.in_flight.saturating_sub(1);
        letter.attempts = letter.attempts.saturating_add(1);
        let attempts = letter.attempts;
        let label = letter.label.clone();
        let (state, error, retry) = match delivery {
            Delivery::Sent => {
                self.pause = None;
                turn.facts.push(Fact::LetterSent(label.clone()));
                (LetterState::Sent, None, None)
            }
            Delivery::Refused(why) => {
                self.pause = None;
                turn.facts.push(Fact::LetterFailed { letter: label.clone(), why: why.clone() });
                (LetterState::Failed, Some(why), None)
            }
            Delivery::Deferred(why) => {
                self.pause = None;
                (LetterState::Queued, Some(why), Some(turn.at + back_off(attempts)))
            }
            Delivery::Unreachable(why) => {
                self.pause = Some(self.longer_pause(turn.at));
                (LetterState::Queued, Some(why), Some(turn.at))
            }
        };
        turn.letter_changes.push(LetterChange { id, state, attempts, error });
        match retry {
            Some(due) => {
                self.ready.insert((due, id));
            }
            None => self.done(id, label, turn.at),
        }
    }

    /// The letters that were under way when the server went away make one failure, not many.
    fn longer_pause(&self, now: Time) -> (Time, u32) {
        match self.pause {
            Some((until, failures)) if now < until => (until, failures),
            Some((_, failures)) => (now + back_off(failures.saturating_add(1)), failures.saturating_add(1)),
            None => (now + back_off(1), 1),
        }
    }

    fn done(&mut self, id: LetterId, label: LetterLabel, now: Time) {
        self.letters.remove(&id);
        let key = (label.thread, label.to);
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.retain(|&other| other != id);
            match thread.front() {
                Some(&next) => {
                    self.ready.insert((now, next));
                }
                None => {
                    self.threads.remove(&key);
                }
            }
        }
    }
}

fn back_off(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::{LetterKind, LetterMark, Reference};
    use crate::domain::letter::SavedLetter;
    use alloc::vec;
    use alloc::vec::Vec;

    const NONE: [LetterId; 0] = [];

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn saved(id: LetterId, case: u64) -> SavedLetter {
        let label = LetterLabel {
            id,
            thread: Thread::Case { reference: Reference::from_number(case), unit: "u".into() },
            mark: LetterMark { kind: LetterKind::Opened, number: 1 },
            to: "it@acme.example".into(),
        };
        SavedLetter { label, written_at: at(0), attempts: 0 }
    }

    /// An outbox with letters 1, 2, … of these cases.
    fn outbox(cases: impl IntoIterator<Item = u64>) -> Outbox {
        let waiting = (1..).zip(cases).map(|(id, case)| saved(id, case)).collect();
        Outbox::new(SavedLetters { next_id: 1_000, waiting }, at(0))
    }

    /// What is handed over at that time.
    fn handed(outbox: &mut Outbox, seconds: i64) -> Vec<LetterId> {
        let mut turn = Turn::new(at(seconds));
        outbox.hand_over(&mut turn);
        turn.deliver
    }

    /// Lets an attempt end at that time; what the store is to remember of it.
    fn end(outbox: &mut Outbox, id: LetterId, seconds: i64, delivery: Delivery) -> LetterChange {
        let mut turn = Turn::new(at(seconds));
        outbox.attempted(id, delivery, &mut turn);
        turn.letter_changes.remove(0)
    }

    fn deferred() -> Delivery {
        Delivery::Deferred("450 later".into())
    }

    fn unreachable() -> Delivery {
        Delivery::Unreachable("connection refused".into())
    }

    #[test]
    fn letters_of_a_thread_go_one_after_the_other_and_threads_side_by_side() {
        let mut outbox = outbox([7, 7, 8]);
        assert_eq!(handed(&mut outbox, 0), [1, 3]);
        assert_eq!(handed(&mut outbox, 0), NONE, "each once");
        assert_eq!(end(&mut outbox, 1, 1, deferred()).state, LetterState::Queued);
        assert_eq!(handed(&mut outbox, 10), NONE, "the second waits for the first");
        assert_eq!(handed(&mut outbox, 16), [1]);
        assert_eq!(end(&mut outbox, 1, 17, Delivery::Refused("550 no".into())).state, LetterState::Failed);
        assert_eq!(handed(&mut outbox, 17), [2], "a refused letter does not hold up the next one");
        end(&mut outbox, 2, 18, Delivery::Sent);
        end(&mut outbox, 3, 18, Delivery::Sent);
        assert!(outbox.is_empty() && outbox.threads.is_empty() && outbox.next_due().is_none());
    }

    #[test]
    fn a_deferred_letter_waits_longer_each_time_up_to_a_quarter_of_an_hour() {
        let mut outbox = outbox([1]);
        let mut now = 0;
        for wait in [15, 30, 60, 120, 240, 480, 900, 900, 900] {
            assert_eq!(handed(&mut outbox, now), [1]);
            let change = end(&mut outbox, 1, now, deferred());
            assert_eq!(change.error.as_deref(), Some("450 later"));
            assert_eq!(outbox.next_due(), Some(at(now + wait)));
            now += wait;
        }
        assert_eq!(back_off(u32::MAX), LAST_RETRY);
    }

    #[test]
    fn no_more_are_under_way_than_allowed() {
        let mut outbox = outbox(1..=MAX_IN_FLIGHT as u64 + 1);
        assert_eq!(handed(&mut outbox, 0).len(), MAX_IN_FLIGHT);
        assert_eq!((outbox.in_flight(), outbox.next_due()), (MAX_IN_FLIGHT, None));
        end(&mut outbox, 1, 1, Delivery::Sent);
        assert_eq!(handed(&mut outbox, 1), [MAX_IN_FLIGHT as u64 + 1]);
    }

    #[test]
    fn while_the_server_is_away_one_letter_tries_and_all_that_were_under_way_make_one_failure() {
        let mut outbox = outbox(1..=4);
        assert_eq!(handed(&mut outbox, 0).len(), 4);
        (1..=4).for_each(|id| drop(end(&mut outbox, id, 1, unreachable())));
        assert_eq!(outbox.next_due(), Some(at(16)), "one failure: 15 s");
        assert_eq!(handed(&mut outbox, 15), NONE);
        assert_eq!(handed(&mut outbox, 16), [1], "one tries");
        end(&mut outbox, 1, 20, unreachable());
        assert_eq!(outbox.next_due(), Some(at(50)), "two failures: 30 s");
        let next = handed(&mut outbox, 50);
        assert_eq!(next.len(), 1);
        assert_eq!(end(&mut outbox, next[0], 51, Delivery::Sent).attempts, 2);
        assert_eq!(handed(&mut outbox, 51).len(), 3, "it is back: all the others at once");
    }

    #[test]
    fn after_a_restart_everything_is_due_again_in_its_order() {
        let mut waiting: Vec<_> = vec![saved(5, 1), saved(9, 1), saved(10, 2)];
        waiting[0].attempts = 3;
        let mut outbox = Outbox::new(SavedLetters { next_id: 11, waiting }, at(100));
        assert_eq!(outbox.next_id(), 11);
        assert_eq!((outbox.in_flight(), outbox.oldest(), outbox.len()), (0, Some(at(0)), 3));
        assert_eq!(handed(&mut outbox, 100), [5, 10]);
        assert_eq!(end(&mut outbox, 5, 100, deferred()).attempts, 4, "attempts are counted on");
        assert_eq!(outbox.next_due(), Some(at(220)));
    }

    #[test]
    fn a_report_on_a_letter_that_is_done_changes_nothing() {
        let mut outbox = outbox([1]);
        handed(&mut outbox, 0);
        end(&mut outbox, 1, 1, Delivery::Sent);
        let mut turn = Turn::new(at(2));
        outbox.attempted(1, deferred(), &mut turn);
        assert!(!turn.is_durable() && outbox.in_flight() == 0);
    }
}
