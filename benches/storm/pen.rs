//! Words and commits turns on a thread of its own, as the daemon does: those that end during a commit share the next one.

use core::time::Duration;
use nix::time::{ClockId, clock_gettime};
use ntuwatch::clock::Stopwatch;
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::time::{Calendar, ClockMark};
use ntuwatch::domain::turn::Turn;
use ntuwatch::store::{Commit, Entry, Store};
use ntuwatch::text::{self, SECRET, Stamp};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What was done since the last time that somebody asked.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    pub(crate) letters: usize,
    pub(crate) commits: usize,
    /// The longest commit, with its words.
    pub(crate) longest: Duration,
    /// CPU time for the words of letters and of the journal.
    pub(crate) words: Duration,
    /// CPU time of the store.
    pub(crate) store: Duration,
}

enum Order {
    Write(Box<Turn>),
    Settle(Sender<Tally>),
}

pub(crate) struct Pen {
    orders: Sender<Order>,
}

impl Pen {
    pub(crate) fn new(store: Store) -> Self {
        let (orders, inbox) = channel();
        thread::spawn(move || work(store, &inbox));
        Self { orders }
    }

    pub(crate) fn write(&self, turn: Turn) {
        self.orders.send(Order::Write(Box::new(turn))).expect("the pen writes");
    }

    /// Waits until everything is durable.
    pub(crate) fn settle(&self) -> Tally {
        let (report, told) = channel();
        self.orders.send(Order::Settle(report)).expect("the pen writes");
        told.recv().expect("the pen writes")
    }
}

fn work(mut store: Store, inbox: &Receiver<Order>) {
    let mut tally = Tally::default();
    while let Ok(first) = inbox.recv() {
        let mut turns = Vec::new();
        let mut report = None;
        for order in core::iter::once(first).chain(inbox.try_iter()) {
            match order {
                Order::Write(turn) => turns.push(*turn),
                Order::Settle(asked) => report = Some(asked),
            }
        }
        commit(&mut store, &turns, &mut tally);
        if let Some(report) = report {
            report.send(core::mem::take(&mut tally)).expect("who asks waits");
        }
    }
}

fn commit(store: &mut Store, turns: &[Turn], tally: &mut Tally) {
    if turns.is_empty() {
        return;
    }
    let (watch, begun, calendar) = (Stopwatch::start(), used(), Calendar::default());
    let stamp = Stamp::new(&[7; SECRET], "example.net", Some("support@example.net"));
    let words: Vec<_> = turns
        .iter()
        .map(|turn| {
            let mails: Vec<_> = turn.letters.iter().map(|letter| text::mail(letter, &stamp, &calendar)).collect();
            let told = turn.facts.iter().filter(|fact| !matches!(fact, Fact::VerdictChanged { .. }));
            let entries: Vec<_> = told.map(|fact| entry(fact, &calendar)).collect();
            let mark = ClockMark { at: turn.at, boot_id: String::new(), boot_ms: 0, unix_ms: turn.at.as_millis() };
            (mails, entries, mark)
        })
        .collect();
    let commits: Vec<_> = turns
        .iter()
        .zip(&words)
        .map(|(turn, (mails, entries, mark))| Commit { turn, mails, entries, mark, calendar_step: None })
        .collect();
    let worded = used();
    store.commit_all(&commits).expect("the disk has room");
    tally.words += worded - begun;
    tally.store += used() - worded;
    tally.commits += 1;
    tally.longest = tally.longest.max(watch.elapsed());
    for turn in turns {
        tally.cases += turn.cases.len();
        tally.letters += turn.letters.len() + turn.letter_changes.len();
    }
}

/// CPU time of this thread, user and system.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// As the daemon words it for the journal.
fn entry(fact: &Fact, calendar: &Calendar) -> Entry {
    let (device, topic) = fact.about();
    Entry {
        kind: text::kind(fact),
        device: device.map(str::to_owned),
        topic,
        text: text::sentence(fact, calendar),
        data: text::data(fact, calendar),
    }
}
