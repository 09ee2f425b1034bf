//! A fleet of made-up lines: who hangs below whom, and who supplies what.

use crate::domain::plan::Plan;
use crate::story::Story;
use core::fmt::Write as _;

/// How large a made-up fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// Regions; points of presence are spread over them.
    pub regions: usize,
    /// Suppliers of access lines; each has lines at every point of presence.
    pub suppliers: usize,
    /// Points of presence, each with one node.
    pub pops: usize,
    /// Units below each node.
    pub units_per_pop: usize,
    /// Sentinels.
    pub sentinels: usize,
}

impl Fleet {
    /// How many units there are.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.pops * self.units_per_pop
    }

    /// How many devices there are. Units come first in the plan, then nodes, then sentinels.
    #[must_use]
    pub const fn devices(&self) -> usize {
        self.units() + self.pops + self.sentinels
    }

    /// The point of presence of a unit or a node; `None` for a sentinel.
    #[must_use]
    pub const fn pop(&self, device: usize) -> Option<usize> {
        if device < self.units() {
            Some(device / self.units_per_pop)
        } else if device < self.units() + self.pops {
            Some(device - self.units())
        } else {
            None
        }
    }

    /// The node that a unit is reached through; `None` for a node or a sentinel.
    #[must_use]
    pub const fn upstream(&self, device: usize) -> Option<usize> {
        if device < self.units() { Some(self.units() + device / self.units_per_pop) } else { None }
    }

    /// The supplier of a unit's line.
    #[must_use]
    pub const fn supplier(&self, device: usize) -> Option<usize> {
        if device < self.units() && self.suppliers > 0 { Some(device % self.suppliers) } else { None }
    }

    /// The plan of a daemon that watches the fleet with the defaults of a story. Each unit has a customer of its own.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut text = String::new();
        let mut line = |words: core::fmt::Arguments<'_>| {
            text.write_fmt(words).expect("a string takes it");
            text.push('\n');
        };
        for unit in 0..self.units() {
            let pop = unit / self.units_per_pop;
            let region = pop % self.regions.max(1);
            let supplier = self.supplier(unit).map_or_else(String::new, |supplier| format!(" supplier=s{supplier}"));
            line(format_args!("unit u{unit} customer=c{unit} region=r{region} upstream=pop{pop}{supplier}"));
        }
        (0..self.pops).for_each(|pop| line(format_args!("node pop{pop}")));
        (0..self.sentinels).for_each(|sentinel| line(format_args!("sentinel sentinel{sentinel}")));
        Story::parse(&text).expect("a fleet describes itself in the language of stories").plan
    }
}
