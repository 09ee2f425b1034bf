//! The core against a naive model of its rules, in thousands of made-up worlds. `NTUWATCH_SEED=7` plays one of them;
//! `NTUWATCH_SEEDS=10000` plays that many.
#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a comparison looks at a few facts only")]

mod compare;
mod model;
mod trace;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 2_000;

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment which seeds to play")]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn the_core_and_the_model_agree() {
    let seeds = told("NTUWATCH_SEED").map_or_else(|| 0..told("NTUWATCH_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    let next = AtomicU64::new(seeds.start);
    let sum = Mutex::new(compare::Score::default());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let score = compare::compare(&trace::live(seed));
                    sum.lock().unwrap().add(seed, score);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    let discrepancies = sum.discrepancies.join("\n");
    assert!(sum.discrepancies.is_empty(), "{} discrepancies:\n{discrepancies}", sum.discrepancies.len());
    if seeds.end - seeds.start >= 100 {
        assert!(sum.is_rich(), "worlds in which too little happens prove nothing: {sum:?}");
    }
}
