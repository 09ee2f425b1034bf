//! The writer: a thread of its own that commits turns and lets them be seen, while the loop goes on asking.
//!
//! Turns that end during a commit wait, and are committed together after it, in their order.

use super::Fatal;
use super::journal::{entry, log};
use super::registry::{Arrival, Kept, Registry};
use crate::clock::Stopwatch;
use crate::domain::desk::{LetterKind, Reference, RfoOrder};
use crate::domain::letter::{Content, Letter, LetterId, Mail};
use crate::domain::mail::Parcel;
use crate::domain::time::{Calendar, ClockMark, Time};
use crate::domain::turn::{Reply, Turn};
use crate::domain::watch::Slot;
use crate::store::{Commit, Entry, Store};
use crate::text::{self, Stamp};
use crate::web::board::{Board, Row, Summary};
use crate::web::metrics::Metrics;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Messages that are kept in one transaction.
const MAX_KEPT_AT_ONCE: usize = 256;
/// Bytes of messages after which no further one is kept in the same transaction.
const MAX_BYTES_AT_ONCE: usize = 32 << 20;

/// A turn that is over for the loop.
pub(super) struct Record {
    pub(super) turn: Turn,
    /// What wall clocks showed then.
    pub(super) calendar: Arc<Calendar>,
    pub(super) mark: ClockMark,
    pub(super) calendar_step: Option<(Time, i64)>,
}

/// What the board shows once the turns before it are on the disk.
pub(super) struct View {
    pub(super) rows: Rows,
    pub(super) summary: Summary,
    pub(super) drawn: Stopwatch,
}

/// Devices as the board shows them.
pub(super) enum Rows {
    All(Vec<Option<Row>>),
    Changed(Vec<(Slot, Option<Row>)>),
}

impl View {
    pub(super) fn show(self, board: &Board) {
        self.rows.show(board);
        board.set_summary_drawn(self.summary, self.drawn);
    }
}

impl Rows {
    pub(super) fn show(self, board: &Board) {
        match self {
            Self::All(rows) => board.replace(rows),
            Self::Changed(news) => board.update(news),
        }
    }
}

/// What is one transaction.
pub(super) struct Batch {
    records: Vec<Record>,
    view: View,
}

/// What is up to the loop once its cause is on the disk.
#[derive(Default)]
pub(super) struct Errands {
    /// Answers to people.
    pub(super) replies: Vec<Reply>,
    /// Letters to be handed over.
    pub(super) deliver: Vec<LetterId>,
    /// Reasons for outage to be written.
    pub(super) rfo_orders: Vec<RfoOrder>,
}

impl Errands {
    pub(super) const fn are_in(turn: &Turn) -> bool {
        !(turn.replies.is_empty() && turn.deliver.is_empty() && turn.rfo_orders.is_empty())
    }

    pub(super) fn take(turn: &mut Turn) -> Self {
        let mut errands = Self::default();
        errands.add(turn);
        errands
    }

    fn add(&mut self, turn: &mut Turn) {
        self.replies.append(&mut turn.replies);
        self.deliver.append(&mut turn.deliver);
        self.rfo_orders.append(&mut turn.rfo_orders);
    }
}

/// What the writer is told.
enum Order {
    Commit(Box<Batch>),
    /// A message has come in.
    Keep(Arrival),
}

/// The way of messages to the store. The writer ends only when every copy is gone.
#[derive(Clone)]
pub(super) struct LetterBox(Sender<Order>);

impl LetterBox {
    /// Lets a message be kept.
    pub(super) fn keep(&self, parcel: Parcel, at: Time, kept: Kept) {
        // A writer that has ended answers nobody: the message comes again.
        drop(self.0.send(Order::Keep(Arrival { parcel, at, kept })));
    }
}

/// What became of a batch.
pub(super) enum Outcome {
    /// It is on the disk and can be seen. The rest is up to the loop: answers to people, and letters to be handed over.
    Committed(Errands),
    /// None of it is on the disk, for this reason.
    Failed(Box<Batch>, String),
}

/// The loop's way to the writer. Dropped, it waits for the store to be closed.
pub(super) struct Writer {
    orders: Option<Sender<Order>>,
    outcomes: Receiver<Outcome>,
    waiting: Vec<Record>,
    busy_since: Option<Stopwatch>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        store: Store,
        board: Arc<Board>,
        metrics: &'static Metrics,
        stamp: Stamp,
        registry: Registry,
    ) -> std::io::Result<Self> {
        let (orders, waiting) = channel();
        let (report, outcomes) = channel();
        let mut hand = Hand { registry, store, board, metrics, stamp };
        let work = move || hand.work(&waiting, &report);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(work)?;
        Ok(Self { orders: Some(orders), outcomes, waiting: Vec::new(), busy_since: None, thread: Some(thread) })
    }

    /// The way of messages to the store.
    pub(super) fn letter_box(&self) -> Result<LetterBox, Fatal> {
        self.orders.clone().map(LetterBox).ok_or_else(gone)
    }

    /// Whether a batch is under way.
    pub(super) const fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    /// For how long the batch has been under way.
    pub(super) fn busy_for(&self) -> Duration {
        self.busy_since.map_or(Duration::ZERO, Stopwatch::elapsed)
    }

    /// Whether turns wait for a batch of their own.
    pub(super) const fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Lets a turn wait.
    pub(super) fn queue(&mut self, record: Record) {
        self.waiting.push(record);
    }

    /// Sends everything on its way that waits. `view` is how things stand after it.
    pub(super) fn write(&mut self, view: View) -> Result<(), Fatal> {
        let records = std::mem::take(&mut self.waiting);
        self.busy_since = Some(Stopwatch::start());
        self.send(Batch { records, view })
    }

    /// Sends a batch on its way: a new one, or one that failed once more.
    pub(super) fn send(&self, batch: Batch) -> Result<(), Fatal> {
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(Order::Commit(Box::new(batch))).map_err(|_| gone())
    }

    /// What became of the batch under way, if that is known within `wait`.
    pub(super) fn outcome(&mut self, wait: Duration) -> Result<Option<Outcome>, Fatal> {
        match self.outcomes.recv_timeout(wait) {
            Ok(outcome) => {
                if matches!(outcome, Outcome::Committed(_)) {
                    self.busy_since = None;
                }
                Ok(Some(outcome))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes to the store has failed");
        }
    }
}

fn gone() -> Fatal {
    Fatal::Store("the thread that writes to the store has ended".to_owned())
}

/// The thread's side.
struct Hand {
    /// It has a reader: dropped before the store is.
    registry: Registry,
    store: Store,
    board: Arc<Board>,
    metrics: &'static Metrics,
    stamp: Stamp,
}

impl Hand {
    fn work(&mut self, orders: &Receiver<Order>, report: &Sender<Outcome>) {
        let mut behind = None;
        while let Some(order) = behind.take().or_else(|| orders.recv().ok()) {
            match order {
                Order::Commit(batch) => {
                    let at = batch.records.last().map(|record| record.turn.at);
                    if report.send(self.write(*batch)).is_err() {
                        return;
                    }
                    // The loop goes on meanwhile.
                    at.into_iter().for_each(|at| self.registry.tidy(&mut self.store, &self.board, at));
                }
                Order::Keep(arrival) => behind = self.keep(arrival, orders),
            }
        }
    }

    /// Keeps a message and those that have come in behind it in one transaction. Gives the order behind them that is another.
    fn keep(&mut self, first: Arrival, orders: &Receiver<Order>) -> Option<Order> {
        let (mut bytes, mut arrivals, mut behind) = (first.parcel.raw.len(), vec![first], None);
        while arrivals.len() < MAX_KEPT_AT_ONCE && bytes < MAX_BYTES_AT_ONCE && behind.is_none() {
            match orders.try_recv() {
                Ok(Order::Keep(arrival)) => {
                    bytes += arrival.parcel.raw.len();
                    arrivals.push(arrival);
                }
                Ok(other @ Order::Commit(_)) => behind = Some(other),
                Err(_) => break,
            }
        }
        self.registry.keep(&mut self.store, &self.board, arrivals);
        behind
    }

    fn write(&mut self, batch: Batch) -> Outcome {
        match self.commit(&batch.records) {
            Ok(()) => self.show(batch),
            Err(why) => Outcome::Failed(Box::new(batch), why),
        }
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), String> {
        let words = records.iter().map(|record| self.words(record, records));
        let words: Vec<(Vec<Mail>, Vec<Entry>)> = words.collect::<Result<_, String>>()?;
        let commits: Vec<Commit<'_>> = records
            .iter()
            .zip(&words)
            .map(|(record, (mails, entries))| Commit {
                turn: &record.turn,
                mails,
                entries,
                mark: &record.mark,
                calendar_step: record.calendar_step,
            })
            .collect();
        let watch = Stopwatch::start();
        match self.store.commit_all(&commits) {
            Ok(()) => {
                self.metrics.committed(watch.elapsed());
                Ok(())
            }
            Err(error) => {
                self.metrics.commit_failed();
                Err(error.to_string())
            }
        }
    }

    fn words(&self, record: &Record, batch: &[Record]) -> Result<(Vec<Mail>, Vec<Entry>), String> {
        let Record { turn, calendar, .. } = record;
        let mail = |letter: &Letter| {
            if let Content::PassedOn { original, from, .. } = &letter.content {
                let original = self.store.letter(*original).map_err(|error| error.to_string())?;
                return Ok(text::mail_passed_on(letter, from, &original, &self.stamp, calendar));
            }
            let documents = self.documents(letter, batch)?;
            Ok(text::mail_with(letter, &documents, &self.stamp, calendar))
        };
        let mails = turn.letters.iter().map(mail).collect::<Result<_, String>>()?;
        Ok((mails, turn.facts.iter().filter_map(|fact| entry(fact, calendar)).collect()))
    }

    /// The reasons for outage that a letter brings, as text; of many lines it tells only the heads.
    fn documents(&self, letter: &Letter, batch: &[Record]) -> Result<Vec<String>, String> {
        if letter.mark.kind != LetterKind::Rfo {
            return Ok(Vec::new());
        }
        let lines = letter.lines();
        if lines.len() > text::MAX_DOCUMENTS_A_LETTER {
            return Ok(Vec::new());
        }
        lines.into_iter().map(|(reference, mark)| self.document(reference, mark.number, batch)).collect()
    }

    /// From this batch, or from the disk if its letter has waited for others.
    fn document(&self, reference: Reference, number: u32, batch: &[Record]) -> Result<String, String> {
        let mut of_batch = batch.iter().flat_map(|record| &record.turn.rfos);
        let found = of_batch.find(|(order, _)| (order.reference, order.number) == (reference, number));
        let json = match found {
            Some((_, document)) => document.json.clone(),
            None => self.store.rfo(reference, number).map_err(|error| error.to_string())?,
        };
        let document =
            serde_json::from_str(&json).map_err(|error| format!("reason for outage {reference}: {error}"))?;
        Ok(text::rfo::text(&document))
    }

    /// Lets be seen what is on the disk now.
    fn show(&self, Batch { records, view }: Batch) -> Outcome {
        view.show(&self.board);
        let mut errands = Errands::default();
        for Record { mut turn, calendar, .. } in records {
            self.metrics.count(&turn);
            turn.facts.iter().for_each(|fact| log(fact, &calendar));
            errands.add(&mut turn);
        }
        Outcome::Committed(errands)
    }
}
