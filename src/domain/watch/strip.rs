//! The last hours of a device, one byte a scheduled round: how long its answer took, or why there was none.
//!
//! Sums over the newest part, the window, are kept up to date with each cell, so that a window costs the same however
//! long it is.

use crate::domain::time::Time;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

/// Cells at the most, for devices with intervals under a second.
pub const MAX_CELLS: usize = 16_384;
/// The fewest rounds that a window looks at.
pub const MIN_WINDOW: u16 = 20;
/// Cells are written to the store by the hour.
const CHUNK: Duration = Duration::from_secs(3_600);
/// A chunk is written if at least one in so many of its cells shows something.
const NOTEWORTHY: usize = 100;

/// What became of one scheduled round, in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(u8);

impl Cell {
    /// Not sent, or nobody was there to send it.
    pub const BLANK: Self = Self(0);
    /// Lost, in a line that answers otherwise.
    pub const LOST: Self = Self(1);
    /// Lost, as part of a confirmed LOSS: that is another matter than a lossy line.
    pub const DARK: Self = Self(2);
    /// The shortest round trip: up to 8 us. Each doubling takes ten steps, so a cell is right to within 5 %.
    const FIRST: u8 = 3;
    const STEPS: u64 = 10;
    const SHORTEST: u32 = 3;

    /// A round that was answered after `rtt`.
    #[must_use]
    pub fn answered(rtt: Duration) -> Self {
        let us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX).clamp(1 << Self::SHORTEST, (1 << 28) - 1);
        let octave = us.ilog2();
        let step = ((us - (1 << octave)) * Self::STEPS) >> octave;
        let number = u64::from(octave - Self::SHORTEST) * Self::STEPS + step;
        Self(Self::FIRST.saturating_add(u8::try_from(number).unwrap_or(u8::MAX)))
    }

    /// The cell that is written so in the store.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// As it is written in the store.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// The round trip, if the round was answered: the middle of what the cell stands for.
    #[must_use]
    pub fn rtt(self) -> Option<Duration> {
        let number = u64::from(self.0.checked_sub(Self::FIRST)?);
        let octave = 1 << (u64::from(Self::SHORTEST) + number / Self::STEPS);
        let doubled = 2 * octave * Self::STEPS + octave * (2 * (number % Self::STEPS) + 1);
        Some(Duration::from_micros(doubled / (2 * Self::STEPS)))
    }
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) answered: u16,
    /// Without those of a confirmed LOSS.
    pub(crate) lost: u16,
    /// Answers slower than the strip's limit.
    pub(crate) slow: u16,
}

impl Sums {
    /// How many rounds say something of the line.
    pub(crate) const fn known(self) -> u16 {
        self.answered + self.lost
    }
}

/// Cells for the store: those of a device from a time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// When the first of its rounds was due.
    pub from: Time,
    /// From one round to the next.
    pub interval: Duration,
    /// One byte a round.
    pub cells: Vec<u8>,
}

/// How many of the rounds that were sent were lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// So many.
    pub lost: u16,
    /// Of so many: at most [`MAX_CELLS`].
    pub sent: u16,
}

impl Lost {
    /// As a share; `None` if none was sent.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.sent > 0).then(|| f64::from(self.lost) / f64::from(self.sent))
    }
}

/// The end of every so many rounds, found without a division and kept small: each round of each device asks for it.
#[derive(Clone, Copy, Debug)]
struct End {
    every: u16,
    /// Rounds that there must be for the next one; 0: the newest round was the last of so many.
    left: u16,
}

impl End {
    /// `every`: at most [`MAX_CELLS`].
    fn new(every: i64, rounds: i64) -> Self {
        let small = |rounds: i64| u16::try_from(rounds).unwrap_or(u16::MAX);
        Self { every: small(every), left: small(every - rounds.rem_euclid(every)) }
    }

    const fn is_reached(self) -> bool {
        self.left == 0
    }

    const fn pass(&mut self) {
        if self.is_reached() {
            self.left = self.every;
        }
    }

    /// So many rounds are new, and there are `rounds` of them now.
    fn note(&mut self, new: i64, rounds: impl FnOnce() -> i64) {
        self.pass();
        match u16::try_from(new) {
            Ok(new) if new <= self.left => self.left -= new,
            Ok(_) | Err(_) => {
                let every = i64::from(self.every);
                *self = Self::new(every, rounds());
                if self.left == self.every {
                    self.left = 0;
                }
            }
        }
    }
}

/// A ring of cells, of which the newest ones are the window. Rounds are counted back from the newest one, which is 0.
#[derive(Clone, Debug)]
pub(crate) struct Strip {
    cells: Box<[Cell]>,
    /// From one round to the next, in milliseconds.
    interval: i64,
    /// When the newest round was due.
    newest: Time,
    /// Where its cell is.
    head: u16,
    /// Rounds that the sums are of: fewer than a window after that began anew.
    summed: u16,
    /// Rounds that are not in the store, of those that there are cells of.
    unwritten: u16,
    window_end: End,
    chunk_end: End,
    sums: Sums,
    slow_over: Cell,
    knows_slow: bool,
}

impl Strip {
    /// A strip for rounds due at `phase`, which is less than an interval, and every `interval` from there.
    pub(crate) fn new(phase: Time, interval: Duration, history: Duration, window: Duration, now: Time) -> Self {
        let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let window = usize::try_from(rounds_in(window, interval)).unwrap_or(MAX_CELLS);
        let window = window.clamp(usize::from(MIN_WINDOW), MAX_CELLS / 2);
        let len = usize::try_from(rounds_in(history, interval)).unwrap_or(MAX_CELLS).clamp(window + 1, MAX_CELLS);
        let first = (now.as_millis() - phase.as_millis()).div_euclid(interval);
        Self {
            cells: vec![Cell::BLANK; len].into_boxed_slice(),
            interval,
            newest: Time::from_millis(phase.as_millis().saturating_add((first - 1).saturating_mul(interval))),
            head: 0,
            summed: 0,
            unwritten: 0,
            window_end: End::new(window as i64, first),
            chunk_end: End::new(rounds_in(CHUNK, interval).clamp(1, len as i64), first),
            sums: Sums::default(),
            slow_over: Cell(u8::MAX),
            knows_slow: false,
        }
    }

    /// By how many rounds that one is newer than the newest which was sent at `at`.
    fn newer(&self, at: Time) -> i64 {
        let since = at.as_millis() - self.newest.as_millis();
        // Most often it is the next one.
        if (0..self.interval).contains(&(since - self.interval)) { 1 } else { since.div_euclid(self.interval) }
    }

    fn time_of(&self, back: usize) -> Time {
        let back = i64::try_from(back).unwrap_or(i64::MAX).saturating_mul(self.interval);
        Time::from_millis(self.newest.as_millis().saturating_sub(back))
    }

    /// Where the cell of a round is that is not older than the oldest.
    fn place(&self, back: usize) -> usize {
        let head = usize::from(self.head);
        if back <= head { head - back } else { head + self.cells.len() - back }
    }

    /// The cells of the newest rounds: `count`, or all.
    fn latest(&self, count: usize) -> impl Iterator<Item = Cell> {
        let (end, len) = (usize::from(self.head) + 1, self.cells.len());
        let count = count.min(len);
        let wrapped = count.saturating_sub(end);
        self.cells[len - wrapped..].iter().chain(&self.cells[end - (count - wrapped)..end]).copied()
    }

    /// Notes what became of the round sent at `sent`. Rounds that nobody sent before it are blank.
    pub(crate) fn push(&mut self, sent: Time, cell: Cell) {
        let new = self.newer(sent);
        if new <= 0 {
            self.window_end.pass();
            self.chunk_end.pass();
            return;
        }
        if new > self.cells.len() as i64 {
            self.cells.fill(Cell::BLANK);
            self.unwritten = u16::try_from(self.cells.len()).unwrap_or(u16::MAX);
            self.restart_window();
        } else {
            (1..new).for_each(|_| self.put(Cell::BLANK));
        }
        self.put(cell);
        let Self { newest, interval, .. } = *self;
        self.newest = Time::from_millis(newest.as_millis().saturating_add(new.saturating_mul(interval)));
        let rounds = || self.newest.as_millis().div_euclid(interval) + 1;
        self.window_end.note(new, rounds);
        self.chunk_end.note(new, rounds);
    }

    fn put(&mut self, cell: Cell) {
        if self.summed == self.window() {
            let gone = self.cells[self.place(usize::from(self.summed) - 1)];
            self.count(gone, -1);
        } else {
            self.summed += 1;
        }
        let len = self.cells.len();
        self.unwritten += u16::from(usize::from(self.unwritten) < len);
        self.head = if usize::from(self.head) + 1 < len { self.head + 1 } else { 0 };
        self.cells[usize::from(self.head)] = cell;
        self.count(cell, 1);
    }

    fn count(&mut self, cell: Cell, by: i16) {
        let add = |sum: &mut u16| *sum = sum.wrapping_add_signed(by);
        if cell == Cell::LOST {
            add(&mut self.sums.lost);
        } else if cell.0 >= Cell::FIRST {
            add(&mut self.sums.answered);
            if cell > self.slow_over {
                add(&mut self.sums.slow);
            }
        }
    }

    /// The loss since `since` is confirmed: what was lost of it is no random loss.
    pub(crate) fn darken(&mut self, since: Time) {
        self.take_back(since, Cell::DARK);
    }

    /// Since `since` our own side was broken: what was lost then says nothing.
    pub(crate) fn blank(&mut self, since: Time) {
        self.take_back(since, Cell::BLANK);
    }

    fn take_back(&mut self, since: Time, into: Cell) {
        // A round is due up to an interval before the next one, and was sent then.
        let rounds = usize::try_from(1 - self.newer(since)).unwrap_or(0);
        for back in 0..rounds.min(self.cells.len()) {
            let place = self.place(back);
            if self.cells[place] == Cell::LOST {
                self.cells[place] = into;
                if back < usize::from(self.summed) {
                    self.count(Cell::LOST, -1);
                }
            }
        }
    }

    /// The newest round was lost by the one method alone, and the device answers by another: that says nothing of its line.
    pub(crate) fn excuse_newest(&mut self) {
        let place = self.place(0);
        if self.cells[place] == Cell::LOST {
            self.cells[place] = Cell::BLANK;
            if self.summed > 0 {
                self.count(Cell::LOST, -1);
            }
        }
    }

    /// What came before counts no more.
    pub(crate) fn restart_window(&mut self) {
        self.summed = 0;
        self.sums = Sums::default();
    }

    /// Whether it was told which answers are slow.
    pub(crate) const fn knows_slow(&self) -> bool {
        self.knows_slow
    }

    /// It has to be told anew which answers are slow.
    pub(crate) const fn forget_slow(&mut self) {
        self.knows_slow = false;
    }

    /// Sets the round trip from which on an answer is slow; `None`: none is.
    pub(crate) fn set_slow_over(&mut self, limit: Option<Duration>) {
        self.knows_slow = true;
        let limit = limit.map_or(Cell(u8::MAX), Cell::answered);
        if limit != self.slow_over {
            self.slow_over = limit;
            self.sums.slow = self.over(self.window(), limit);
        }
    }

    /// As [`Self::latest`], of those alone that the sums are of.
    fn latest_summed(&self, count: u16) -> impl Iterator<Item = Cell> {
        self.latest(usize::from(count.min(self.summed)))
    }

    fn over(&self, count: u16, limit: Cell) -> u16 {
        self.latest_summed(count).map(|cell| u16::from(cell.0 >= Cell::FIRST && cell > limit)).sum()
    }

    /// The sums of the window.
    pub(crate) const fn sums(&self) -> Sums {
        self.sums
    }

    /// How many rounds a window has.
    pub(crate) const fn window(&self) -> u16 {
        self.window_end.every
    }

    /// How long a window is: longer than was wished if that were too few rounds.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_millis(self.interval.unsigned_abs()) * u32::from(self.window())
    }

    /// The sums of the newer half of the window.
    pub(crate) fn late_half(&self) -> Sums {
        let half = self.window() / 2;
        let count = |which: fn(Cell) -> bool| self.latest_summed(half).map(|cell| u16::from(which(cell))).sum();
        Sums {
            answered: count(|cell| cell.0 >= Cell::FIRST),
            lost: count(|cell| cell == Cell::LOST),
            slow: self.over(half, self.slow_over),
        }
    }

    /// The round trip that `percent` of the window's answers do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: u32) -> Option<Duration> {
        let mut counts = [0_u32; 256];
        self.latest_summed(self.window()).for_each(|cell| counts[usize::from(cell.0)] += 1);
        let answers = &counts[usize::from(Cell::FIRST)..];
        let rank = (answers.iter().sum::<u32>() * percent).div_ceil(100);
        let mut seen = 0;
        let found = answers.iter().position(|&count| {
            seen += count;
            count > 0 && seen >= rank
        })?;
        Cell(Cell::FIRST + u8::try_from(found).unwrap_or(0)).rtt()
    }

    /// The rounds sent and lost over `span`, confirmed losses included.
    pub(crate) fn loss(&self, span: Duration) -> Lost {
        let mut loss = Lost::default();
        for cell in self.latest(self.rounds_of(span)) {
            loss.sent += u16::from(cell != Cell::BLANK);
            loss.lost += u16::from(cell == Cell::LOST || cell == Cell::DARK);
        }
        loss
    }

    /// How many rounds are looked at for what is to be known of a span: one at least.
    fn rounds_of(&self, span: Duration) -> usize {
        usize::try_from(rounds_in(span, self.interval)).unwrap_or(usize::MAX).max(1)
    }

    /// Whether the newest round completed a window, counted from round 0.
    pub(crate) const fn window_is_full(&self) -> bool {
        self.window_end.is_reached()
    }

    /// Whether it completed an hour.
    pub(crate) const fn chunk_is_full(&self) -> bool {
        self.chunk_end.is_reached()
    }

    /// Whether the last hour shows something.
    pub(crate) fn is_noteworthy(&self) -> bool {
        let rounds = usize::from(self.chunk_end.every);
        let shows =
            |cell: &Cell| *cell == Cell::LOST || *cell == Cell::DARK || cell.0 >= Cell::FIRST && *cell > self.slow_over;
        let found = self.latest(rounds.min(usize::from(self.unwritten))).filter(shows).count();
        found * NOTEWORTHY >= rounds && found > 1
    }

    /// The cells that are not in the store yet, at most those of `span`.
    pub(crate) fn take_unwritten(&mut self, span: Duration) -> Option<Chunk> {
        let unwritten = core::mem::take(&mut self.unwritten);
        let cells: Vec<u8> = self.latest(self.rounds_of(span).min(usize::from(unwritten))).map(Cell::byte).collect();
        let says_something = cells.iter().any(|&cell| Cell(cell) != Cell::BLANK);
        says_something.then(|| Chunk {
            from: self.time_of(cells.len() - 1),
            interval: Duration::from_millis(self.interval.unsigned_abs()),
            cells,
        })
    }

    /// How long a chunk is.
    pub(crate) const fn chunk() -> Duration {
        CHUNK
    }
}

/// How many rounds fit into a span.
fn rounds_in(span: Duration, interval: i64) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX) / interval
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const INTERVAL: Duration = Duration::from_secs(10);

    const fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A strip of an hour with a window of ten minutes, its first round due at 3 s.
    fn strip() -> Strip {
        Strip::new(at(3), INTERVAL, SECOND * 3_600, SECOND * 600, at(0))
    }

    /// Rounds 0 and on, as they come.
    fn filled(cells: impl IntoIterator<Item = Cell>) -> Strip {
        let mut strip = strip();
        cells.into_iter().zip(0..).for_each(|(cell, round)| strip.push(at(3 + 10 * round), cell));
        strip
    }

    const fn sums(answered: u16, lost: u16, slow: u16) -> Sums {
        Sums { answered, lost, slow }
    }

    #[test]
    fn a_cell_keeps_a_round_trip_to_within_five_percent() {
        for us in [8_u64, 9, 100, 999, 12_345, 40_000, 1_000_000, 59_000_000, 268_000_000] {
            let kept = Cell::answered(Duration::from_micros(us)).rtt().unwrap().as_micros() as f64;
            assert!((kept / us as f64 - 1.0).abs() <= 0.0501, "{us}: {kept}");
        }
        assert!(
            Cell::answered(Duration::ZERO) < Cell::answered(ms(1)) && Cell::answered(ms(1)) < Cell::answered(ms(2))
        );
        assert_eq!(Cell::answered(Duration::MAX), Cell::answered(Duration::from_secs(3_600)));
        assert_eq!([Cell::BLANK, Cell::LOST, Cell::DARK].map(Cell::rtt), [None; 3]);
    }

    #[test]
    fn the_sums_are_those_of_the_window() {
        let slow = Cell::answered(ms(900));
        let mut strip = filled((0..200).map(|round| match round % 4 {
            0 => Cell::LOST,
            1 => slow,
            _ => Cell::answered(ms(10)),
        }));
        assert_eq!(strip.sums(), sums(45, 15, 0));
        strip.set_slow_over(Some(ms(500)));
        assert_eq!(strip.sums(), sums(45, 15, 15));
        for round in 200..260 {
            strip.push(at(3 + 10 * round), Cell::answered(ms(10)));
        }
        assert_eq!(strip.sums(), sums(60, 0, 0));
    }

    #[test]
    fn what_nobody_sent_is_blank_and_no_round_counts_twice() {
        let mut strip = filled([Cell::LOST; 5]);
        strip.push(at(43), Cell::answered(ms(1)));
        assert_eq!(strip.sums(), sums(0, 5, 0), "the round of 43 s is known");
        strip.push(at(103), Cell::LOST);
        assert_eq!(strip.take_unwritten(SECOND * 3_600).unwrap().cells, [0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
        strip.push(at(1_000_003), Cell::LOST);
        assert_eq!(strip.sums(), sums(0, 1, 0));
    }

    #[test]
    fn nothing_is_left_of_what_is_older_than_the_strip() {
        // Losses that lie outside the window, where rounds come to lie that are a strip and a half younger.
        let mut strip = filled((0..360).map(|round| if round < 180 { Cell::LOST } else { Cell::answered(ms(10)) }));
        strip.push(at(3 + 10 * (360 + 540)), Cell::LOST);
        assert_eq!((strip.sums(), strip.late_half()), (sums(0, 1, 0), sums(0, 1, 0)));
    }

    #[test]
    fn a_confirmed_loss_is_no_random_loss() {
        let mut strip = filled([Cell::answered(ms(10)), Cell::LOST, Cell::answered(ms(10)), Cell::LOST, Cell::LOST]);
        strip.darken(at(33));
        assert_eq!(strip.sums(), sums(2, 1, 0));
        assert_eq!(strip.loss(SECOND * 300), Lost { lost: 3, sent: 5 }, "but it was lost");
        strip.restart_window();
        strip.darken(at(0));
        assert_eq!(strip.sums(), sums(0, 0, 0));
        strip.push(at(53), Cell::LOST);
        assert_eq!((strip.sums(), strip.late_half()), (sums(0, 1, 0), sums(0, 1, 0)));
    }

    #[test]
    fn an_end_is_where_so_many_rounds_are_full() {
        let mut rounds = 1_017;
        let mut end = End::new(60, rounds);
        for new in [1, 2, 59, 60, 61, 1, 120, 300, 70_000, 3, 57].into_iter().cycle().take(2_000) {
            rounds += new;
            end.note(new, || rounds);
            assert_eq!(end.is_reached(), rounds % 60 == 0, "{rounds} after {new}");
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let strip = filled((1..=20).map(|n| Cell::answered(ms(n * 10))));
        let near = |percent| strip.percentile(percent).unwrap().as_secs_f64() * 1000.0;
        for (percent, expected) in [(50, 100.0), (95, 190.0), (100, 200.0)] {
            assert!((near(percent) / expected - 1.0).abs() < 0.051, "{percent}: {}", near(percent));
        }
        assert_eq!(filled([Cell::LOST; 3]).percentile(95), None);
    }

    #[test]
    fn a_chunk_is_written_once_and_only_if_it_shows_something() {
        let mut strip = filled([Cell::answered(ms(10)); 359]);
        assert!(!strip.chunk_is_full());
        strip.push(at(3 + 3_590), Cell::LOST);
        assert!(strip.chunk_is_full() && !strip.is_noteworthy(), "one lost probe an hour is no news");
        for round in 360..364 {
            strip.push(at(3 + 10 * round), Cell::LOST);
        }
        assert!(strip.is_noteworthy());
        let chunk = strip.take_unwritten(SECOND * 40).unwrap();
        assert_eq!((chunk.from, chunk.interval, chunk.cells), (at(3 + 3_600), INTERVAL, vec![1; 4]));
        assert_eq!(strip.take_unwritten(SECOND * 3_600), None);
        strip.push(at(3 + 3_650), Cell::DARK);
        assert_eq!(strip.take_unwritten(SECOND * 3_600).unwrap().cells, [0, 2]);
    }
}
