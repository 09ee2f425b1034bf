//! Letters on their way out.

use super::*;
use crate::domain::desk::{LetterKind, LetterMark, Reference};
use crate::domain::letter::{SavedLetter, SavedReserve};
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
    Outbox::new(SavedLetters { next_id: 1_000, waiting, ..SavedLetters::default() }, at(0))
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
    let mut outbox = Outbox::new(SavedLetters { next_id: 11, waiting, ..SavedLetters::default() }, at(100));
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

/// A letter to a messenger about this case.
fn to_messenger(id: LetterId, case: u64, name: &str) -> SavedLetter {
    let mut letter = saved(id, case);
    letter.label.to = crate::domain::notice::hook(name);
    letter
}

fn throttled(seconds: u64) -> Delivery {
    Delivery::Throttled { why: "429".into(), wait: Duration::from_secs(seconds) }
}

/// The messenger's name and since when nothing gets through.
fn troubles(outbox: &Outbox) -> Vec<(Option<String>, Time)> {
    outbox.lanes().filter_map(|lane| Some((lane.messenger, lane.trouble?.since))).collect()
}

fn with(waiting: Vec<SavedLetter>) -> Outbox {
    Outbox::new(SavedLetters { next_id: 1_000, waiting, ..SavedLetters::default() }, at(0))
}

#[test]
fn what_one_lane_suffers_holds_up_no_other() {
    let mut outbox = with(vec![to_messenger(1, 1, "chat"), saved(2, 1), to_messenger(3, 1, "pager"), saved(4, 2)]);
    assert_eq!(handed(&mut outbox, 0), [1, 3, 2, 4], "one thread, three readers: none waits for another");
    end(&mut outbox, 1, 1, unreachable());
    end(&mut outbox, 3, 1, throttled(60));
    end(&mut outbox, 2, 1, Delivery::Sent);
    assert_eq!(troubles(&outbox), [(Some("chat".into()), at(1)), (Some("pager".into()), at(1))]);
    assert_eq!(handed(&mut outbox, 15), NONE);
    assert_eq!(handed(&mut outbox, 16), [1], "the chat's own pause is over");
    end(&mut outbox, 1, 17, deferred());
    assert_eq!(handed(&mut outbox, 60), [1], "put off twice: 30 s");
    assert_eq!(handed(&mut outbox, 61), [3], "and not a moment before the pager wants it");
    end(&mut outbox, 1, 61, Delivery::Sent);
    end(&mut outbox, 3, 61, Delivery::Sent);
    assert_eq!((troubles(&outbox), outbox.messengers.len()), (vec![], 0), "an idle lane is forgotten");
    let mut outbox = with(vec![saved(1, 1), to_messenger(2, 2, "chat")]);
    handed(&mut outbox, 0);
    end(&mut outbox, 1, 1, unreachable());
    assert_eq!(troubles(&outbox), [(None, at(1))]);
    end(&mut outbox, 2, 1, Delivery::Sent);
}

#[test]
fn each_lane_has_as_many_under_way_as_allowed() {
    let count = MAX_IN_FLIGHT as u64 + 1;
    let mail = (1..=count).map(|id| saved(id, id));
    let chat = (1..=count).map(|id| to_messenger(count + id, id, "chat"));
    let mut outbox = with(mail.chain(chat).collect());
    assert_eq!((handed(&mut outbox, 0).len(), outbox.in_flight()), (2 * MAX_IN_FLIGHT, 2 * MAX_IN_FLIGHT));
    end(&mut outbox, 1, 1, Delivery::Sent);
    assert_eq!(handed(&mut outbox, 1), [count]);
}

#[test]
fn a_receiver_can_throttle_for_a_quarter_of_an_hour_at_the_most() {
    let mut outbox = with(vec![to_messenger(1, 1, "chat")]);
    handed(&mut outbox, 0);
    end(&mut outbox, 1, 0, throttled(1_000_000));
    assert_eq!(outbox.next_due(), Some(at(900)));
}

/// A notice by three channels: letter 1 to the chat, 2 to the pager if that fails, 3 by mail in the end.
fn by_three() -> Outbox {
    let reserve = |letter: SavedLetter, rank, behind: LetterId| SavedReserve {
        label: letter.label,
        written_at: at(0),
        rank,
        behind: vec![behind],
    };
    let reserves = vec![reserve(to_messenger(2, 1, "pager"), 1, 1), reserve(saved(3, 1), 2, 2)];
    let waiting = vec![to_messenger(1, 1, "chat")];
    Outbox::new(SavedLetters { next_id: 1_000, waiting, reserves, ..SavedLetters::default() }, at(0))
}

fn states(outbox: &mut Outbox, id: LetterId, seconds: i64, delivery: Delivery) -> Vec<(LetterId, LetterState)> {
    let mut turn = Turn::new(at(seconds));
    outbox.attempted(id, delivery, &mut turn);
    turn.letter_changes.into_iter().map(|change| (change.id, change.state)).collect()
}

#[test]
fn what_was_taken_spares_all_that_stands_behind_it() {
    let mut outbox = by_three();
    assert_eq!((handed(&mut outbox, 0), outbox.reserved(), outbox.len()), (vec![1], 2, 1));
    let spared = [(1, LetterState::Sent), (2, LetterState::Spared), (3, LetterState::Spared)];
    assert_eq!(states(&mut outbox, 1, 119, Delivery::Sent), spared);
    assert_eq!((outbox.reserved(), outbox.next_due()), (0, None));
}

#[test]
fn what_was_refused_goes_on_the_next_channel_at_once() {
    let mut outbox = by_three();
    handed(&mut outbox, 0);
    let changes = states(&mut outbox, 1, 1, Delivery::Refused("404".into()));
    assert_eq!(changes, [(1, LetterState::Failed), (2, LetterState::Queued)]);
    assert_eq!((handed(&mut outbox, 1), outbox.reserved()), (vec![2], 1));
    assert_eq!(states(&mut outbox, 2, 2, Delivery::Sent), [(2, LetterState::Sent), (3, LetterState::Spared)]);
}

#[test]
fn what_is_not_taken_in_time_goes_on_the_next_channel_and_stays_on_the_first() {
    let mut outbox = by_three();
    handed(&mut outbox, 0);
    end(&mut outbox, 1, 0, throttled(500));
    assert_eq!(outbox.next_due(), Some(at(120)));
    assert_eq!(handed(&mut outbox, 119), NONE);
    assert_eq!(handed(&mut outbox, 120), [2]);
    end(&mut outbox, 2, 121, throttled(500));
    assert_eq!(handed(&mut outbox, 239), NONE);
    assert_eq!(handed(&mut outbox, 240), [3]);
    end(&mut outbox, 3, 241, Delivery::Sent);
    assert_eq!(handed(&mut outbox, 500), [1], "a receiver that is back misses nothing");
    assert_eq!(states(&mut outbox, 1, 501, Delivery::Sent), [(1, LetterState::Sent)], "each once");
}

#[test]
fn reserves_keep_their_time_over_a_restart_and_one_that_stands_behind_nothing_goes() {
    let outbox = by_three();
    assert_eq!(outbox.reserves.next_due(), Some(at(120)));
    let orphan = SavedReserve { label: saved(2, 1).label, written_at: at(0), rank: 1, behind: vec![77] };
    let saved = SavedLetters { next_id: 9, reserves: vec![orphan], ..SavedLetters::default() };
    let mut outbox = Outbox::new(saved, at(60));
    assert_eq!(handed(&mut outbox, 119), NONE);
    assert_eq!(handed(&mut outbox, 120), [2]);
}

#[test]
fn one_turn_lets_so_many_fall_back_and_the_next_one_the_others() {
    let count = MAX_FALL_BACKS_A_TURN as u64 + 1;
    let waiting = (1..=count).map(|id| to_messenger(id, id, "chat")).collect();
    let reserve = |id: LetterId| SavedReserve {
        label: saved(count + id, id).label,
        written_at: at(0),
        rank: 1,
        behind: vec![id],
    };
    let reserves = (1..=count).map(reserve).collect();
    let mut outbox = Outbox::new(SavedLetters { next_id: 9_999, waiting, reserves, ..SavedLetters::default() }, at(0));
    handed(&mut outbox, 120);
    assert_eq!((outbox.reserved(), outbox.next_due()), (1, Some(at(120))));
    handed(&mut outbox, 120);
    assert_eq!(outbox.reserved(), 0);
}
