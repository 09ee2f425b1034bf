//! The last five minutes of a device, one cell a scheduled round.

use alloc::boxed::Box;
use alloc::vec;
use core::time::Duration;

/// How far the strip looks back.
pub const STRIP_SPAN: Duration = Duration::from_secs(300);
/// Cells at the most, for devices with intervals under a second.
const MAX_CELLS: usize = 600;

/// What became of one scheduled round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Not sent, or not reached yet.
    Blank,
    Answered,
    Lost,
}

/// A ring of cells.
#[derive(Clone, Debug)]
pub(crate) struct Strip {
    cells: Box<[Cell]>,
    next: usize,
}

impl Strip {
    pub(crate) fn new(interval: Duration) -> Self {
        let cells = STRIP_SPAN.as_millis() / interval.as_millis().max(1);
        let cells = usize::try_from(cells).unwrap_or(MAX_CELLS).clamp(1, MAX_CELLS);
        Self { cells: vec![Cell::Blank; cells].into_boxed_slice(), next: 0 }
    }

    pub(crate) fn push(&mut self, cell: Cell) {
        self.cells[self.next] = cell;
        self.next = (self.next + 1) % self.cells.len();
    }

    /// Share of lost rounds among those sent; `None` if none was sent.
    pub(crate) fn loss(&self) -> Option<f64> {
        let count = |cell| self.cells.iter().filter(|&&c| c == cell).count() as f64;
        let (answered, lost) = (count(Cell::Answered), count(Cell::Lost));
        (answered + lost > 0.0).then(|| lost / (answered + lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_the_share_of_what_was_sent_in_the_last_five_minutes() {
        let mut strip = Strip::new(Duration::from_secs(10));
        assert_eq!(strip.loss(), None);
        strip.push(Cell::Blank);
        strip.push(Cell::Lost);
        for _ in 0..3 {
            strip.push(Cell::Answered);
        }
        assert_eq!(strip.loss(), Some(0.25));
        for _ in 0..30 {
            strip.push(Cell::Answered);
        }
        assert_eq!(strip.loss(), Some(0.0), "the lost round is more than five minutes old");
    }
}
