//! How many cases there are, kept up to date with each of them: there may be a hundred thousand to count.

use super::{Case, Priority, Stage};

/// Cases that are not closed, by priority and stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseCounts([[usize; Stage::NAMES.len()]; Priority::ALL.len()]);

impl CaseCounts {
    pub(super) fn enter(&mut self, case: &Case) {
        *self.of(case) += 1;
    }

    pub(super) fn leave(&mut self, case: &Case) {
        *self.of(case) -= 1;
    }

    fn of(&mut self, case: &Case) -> &mut usize {
        &mut self.0[case.priority as usize][case.stage.index()]
    }

    /// Every priority with every stage of an open case, and how many cases are there.
    pub fn iter(&self) -> impl Iterator<Item = (Priority, &'static str, usize)> {
        let [open @ .., _closed] = Stage::NAMES;
        let all = Priority::ALL.into_iter().zip(self.0);
        all.flat_map(move |(priority, counts)| {
            open.into_iter().zip(counts).map(move |(stage, count)| (priority, stage, count))
        })
    }
}
