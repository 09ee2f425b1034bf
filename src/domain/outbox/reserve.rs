//! Reserves: notices on a reader's next channel, written with the first one and held back. They go out if the first one
//! fails, or takes too long, and never if it arrives (R55).

use super::{Outbox, Waiting};
use crate::domain::fact::{Fact, Instead};
use crate::domain::letter::{Letter, LetterChange, LetterId, LetterLabel, LetterState, SavedReserve, Thread};
use crate::domain::notice::{Signal, messenger};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// How long a notice may wait to be taken by one channel before it goes out on the next one as well.
pub const FALL_BACK_AFTER: Duration = Duration::from_secs(120);
/// Notices that one turn lets go on their next channel because of the time; the rest follow in the next turn.
pub const MAX_FALL_BACKS_A_TURN: usize = 1_000;

/// Notices that are held back.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserves {
    held: BTreeMap<LetterId, Reserve>,
    /// Which ones stand in for a letter.
    behind: BTreeMap<LetterId, Vec<LetterId>>,
    /// When they go out at the latest.
    limits: BTreeSet<(Time, LetterId)>,
}

#[derive(Clone, Debug)]
struct Reserve {
    label: LetterLabel,
    written_at: Time,
    goes_at: Time,
    /// The letters for which it stands in and that are not taken yet.
    behind: Vec<LetterId>,
}

impl Reserves {
    pub(super) fn restored(saved: Vec<SavedReserve>, is_known: impl Fn(LetterId) -> bool) -> Self {
        let mut reserves = Self::default();
        let ids: BTreeSet<LetterId> = saved.iter().map(|reserve| reserve.label.id).collect();
        for SavedReserve { label, written_at, rank, mut behind } in saved {
            behind.retain(|&letter| is_known(letter) || ids.contains(&letter));
            reserves.hold(label, written_at, rank, behind);
        }
        reserves
    }

    fn hold(&mut self, label: LetterLabel, written_at: Time, rank: u32, behind: Vec<LetterId>) {
        let (id, goes_at) = (label.id, written_at + FALL_BACK_AFTER.saturating_mul(rank));
        behind.iter().for_each(|&letter| self.behind.entry(letter).or_default().push(id));
        self.limits.insert((goes_at, id));
        self.held.insert(id, Reserve { label, written_at, goes_at, behind });
    }

    /// When the next one goes out, if nothing happens before.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.limits.first().map(|(at, _)| *at)
    }

    pub(super) fn label(&self, id: LetterId) -> Option<&LetterLabel> {
        self.held.get(&id).map(|reserve| &reserve.label)
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    fn remove(&mut self, id: LetterId) -> Option<Reserve> {
        let reserve = self.held.remove(&id)?;
        self.limits.remove(&(reserve.goes_at, id));
        for letter in &reserve.behind {
            if let Some(others) = self.behind.get_mut(letter) {
                others.retain(|other| *other != id);
                if others.is_empty() {
                    self.behind.remove(letter);
                }
            }
        }
        Some(reserve)
    }

    /// A letter was taken: those that nobody needs any more.
    fn free(&mut self, letter: LetterId) -> Vec<LetterId> {
        let standing = self.behind.remove(&letter).unwrap_or_default();
        let mut idle = Vec::new();
        for id in standing {
            if let Some(reserve) = self.held.get_mut(&id) {
                reserve.behind.retain(|other| *other != letter);
                if reserve.behind.is_empty() {
                    idle.push(id);
                }
            }
        }
        idle
    }
}

impl Outbox {
    /// Holds a letter back behind others. It is in the turn already.
    pub(crate) fn reserve(&mut self, letter: &Letter, rank: u32, behind: Vec<LetterId>, turn: &mut Turn) {
        let saved = SavedReserve { label: letter.label(), written_at: letter.written_at, rank, behind };
        turn.letter_changes.push(change(letter.id, LetterState::Reserve));
        turn.reserves.push(saved.clone());
        self.reserves.hold(saved.label, saved.written_at, rank, saved.behind);
    }

    /// A letter was taken: whatever stands only behind it is spared.
    pub(super) fn spare_behind(&mut self, letter: LetterId, turn: &mut Turn) {
        let mut idle = self.reserves.free(letter);
        while let Some(id) = idle.pop() {
            let Some(reserve) = self.reserves.remove(id) else { continue };
            // Who was alerted in another's place has to hear that it is over.
            if self.has_to_hear(&reserve.label) {
                self.let_go(reserve, Instead::Alerted, turn);
                continue;
            }
            turn.letter_changes.push(change(id, LetterState::Spared));
            idle.extend(self.reserves.free(id));
        }
    }

    /// A letter will never be taken: whatever stands behind it goes out.
    pub(super) fn go_instead(&mut self, letter: &LetterLabel, why: &str, turn: &mut Turn) {
        for id in self.reserves.behind.get(&letter.id).cloned().unwrap_or_default() {
            if let Some(reserve) = self.reserves.remove(id) {
                let instead = Instead::Refused { of: letter.to.clone(), why: why.into() };
                self.let_go(reserve, instead, turn);
            }
        }
    }

    /// Lets those go whose letters have not been taken in time.
    pub(super) fn fall_back(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_FALL_BACKS_A_TURN {
            let Some(&(_, id)) = self.reserves.limits.first().filter(|(at, _)| *at <= turn.at) else { return };
            let Some(reserve) = self.reserves.remove(id) else { return };
            let late = reserve.behind.iter().filter_map(|letter| self.known(*letter));
            let of: Vec<String> = late.map(|label| label.to.clone()).collect();
            self.let_go(reserve, Instead::Late { of }, turn);
        }
    }

    fn let_go(&mut self, reserve: Reserve, instead: Instead, turn: &mut Turn) {
        let Reserve { label, written_at, .. } = reserve;
        turn.letter_changes.push(change(label.id, LetterState::Queued));
        turn.facts.push(Fact::NoticeFellBack { letter: label.clone(), instead });
        self.note_alert(&label, turn);
        self.insert(Waiting { label, written_at, attempts: 0 }, turn.at);
    }

    /// The label of a letter that is not delivered yet, or is held back.
    fn known(&self, id: LetterId) -> Option<&LetterLabel> {
        self.label(id).or_else(|| self.reserves.label(id))
    }

    /// Messengers that keep in mind what is wrong.
    pub(crate) fn set_mindful<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        self.mindful = names.cloned().collect();
    }

    /// Remembers whom a letter that goes out alerts, or whom it tells that it is over.
    pub(super) fn note_alert(&mut self, letter: &LetterLabel, turn: &mut Turn) {
        if !messenger(&letter.to).is_some_and(|name| self.mindful.contains(name)) {
            return;
        }
        let key = (letter.thread.clone(), letter.to.clone());
        match Signal::of(&letter.thread, letter.mark.kind) {
            Signal::Begins => {
                self.alerts.insert(key.clone());
                turn.alerts.push((key.0, key.1, Some(letter.id)));
            }
            Signal::Over if self.alerts.remove(&key) => turn.alerts.push((key.0, key.1, None)),
            Signal::Over | Signal::WorkedOn | Signal::Says => {}
        }
    }

    fn has_to_hear(&self, letter: &LetterLabel) -> bool {
        !self.alerts.is_empty()
            && Signal::of(&letter.thread, letter.mark.kind) == Signal::Over
            && self.alerts.contains(&(letter.thread.clone(), letter.to.clone()))
    }

    /// Whether some messenger was alerted and has not heard that it is over.
    pub(crate) fn has_alerts(&self) -> bool {
        !self.alerts.is_empty()
    }

    /// Whether a messenger was alerted in a conversation and has not heard that it is over.
    pub(crate) fn has_alerted(&self, thread: &Thread) -> bool {
        self.has_alerts() && self.alerted(thread).next().is_some()
    }

    /// The addresses of messengers that were alerted in a conversation and have not heard that it is over.
    pub(crate) fn alerted<'a>(&'a self, thread: &'a Thread) -> impl Iterator<Item = String> + use<'a> {
        let from = (thread.clone(), String::new());
        self.alerts.range(from..).take_while(move |(of, _)| of == thread).map(|(_, to)| to.clone())
    }
}

const fn change(id: LetterId, state: LetterState) -> LetterChange {
    LetterChange { id, state, attempts: 0, error: None }
}
