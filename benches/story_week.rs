//! A simulated week of 1,000 units at 10 s: what a story costs.
//!
//! The calm week has nothing but answers. In the lively one every line loses one probe in a hundred, and every day a
//! tenth of the units is down for an hour.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/table.rs"]
mod table;

use core::fmt::Write as _;
use ntuwatch::story::{Print, Story, run};
use std::io::{self, Write};
use table::Table;

const UNITS: u64 = 1_000;
const DAYS: u64 = 7;
/// Each unit every 10 s, the sentinel every second. Re-probes come on top and are not counted.
const SCHEDULED: u64 = (UNITS / 10 + 1) * DAYS * 86_400;

/// Counts lines.
#[derive(Default)]
struct Lines(u64);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let mut table = Table::new(&["1,000 units for a week", "CPU s", "ns/probe", "simulated/real", "facts"]);
    for (name, story) in [("calm", calm()), ("lively", lively())] {
        let story = Story::parse(&story).expect("the bench's own story is in order");
        let mut facts = Lines::default();
        let before = cpu::used();
        let outcome = run(&story, Print::Json, &mut facts).expect("counting never fails");
        let took = cpu::used() - before;
        assert!(outcome.unmet.is_empty(), "{:?}", outcome.unmet);
        table.row(
            name,
            [
                format!("{:.1}", took.as_secs_f64()),
                format!("{:.0}", took.as_nanos() as f64 / SCHEDULED as f64),
                format!("{:.0}", (DAYS * 86_400) as f64 / took.as_secs_f64()),
                facts.0.to_string(),
            ],
        );
    }
    table.print();
}

fn calm() -> String {
    format!(
        "units acme-lon- 1..{UNITS} customer=acme\nsentinel core\nat 0s all answer 12ms\n\
         at {0}h expect cases 0\nuntil {0}h\n",
        DAYS * 24
    )
}

fn lively() -> String {
    let mut story = format!("units acme-lon- 1..{UNITS} customer=acme\nsentinel core\nat 0s acme-lon-* lose 1%\n");
    for day in 0..DAYS {
        // acme-lon-10 to -19, -100 to -199
        let (down, up) = (day * 24 + 9, day * 24 + 10);
        writeln!(story, "at {down}h acme-lon-1* silent\nat {up}h acme-lon-1* lose 1%").expect("a string takes it");
    }
    writeln!(story, "until {}h", DAYS * 24).expect("a string takes it");
    story
}
