//! Power cuts at random moments change nothing but what nobody saw.

use crate::net::{V4, V6};
use crate::post::Letter;
use crate::world::{Setup, V2C, World, unit};
use ntuwatch::clock::Stopwatch;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::thread;
use std::time::Duration;

const LOST: [(&str, &str); 3] = [("dual", V4[0]), ("snmp", V4[1]), ("six", V6[0])];
const WELL: &str = "well";
/// Longer than a daemon takes to start, ask, conclude and write.
const LONGEST_LIFE: u64 = 1_800;

/// Random moments that can be had again.
struct Dice(u64);

impl Dice {
    /// Set NTUWATCH_E2E_SEED to have a run's moments again.
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has no command line")]
        let given = std::env::var("NTUWATCH_E2E_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed"));
        println!("NTUWATCH_E2E_SEED={seed}");
        Self(seed | 1)
    }

    /// Xorshift, after Marsaglia.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Crashes the daemon when the next letter comes, or just after: its delivery may not be committed yet.
fn crash_at_next_letter(world: &mut World, dice: &mut Dice) {
    let count = |folder: &Path| fs::read_dir(folder).unwrap().count();
    let (before, watch) = (count(&world.letters_folder()), Stopwatch::start());
    while count(&world.letters_folder()) == before {
        assert!(watch.elapsed() < Duration::from_secs(60), "no letter comes");
        thread::yield_now();
    }
    thread::sleep(Duration::from_micros(dice.below(8_000)));
    world.daemon.crash();
    world.restart();
}

/// Crashes the daemon `times` times.
fn storm(world: &mut World, dice: &mut Dice, times: u32) {
    for _ in 0..times {
        // Nothing is waited for here: the moment is the test.
        thread::sleep(Duration::from_millis(dice.below(LONGEST_LIFE)));
        world.daemon.crash();
        world.restart();
    }
}

#[test]
fn crashes_change_neither_cases_nor_letters() {
    let mut units: Vec<String> = LOST.iter().map(|(id, address)| unit(id, address, V2C)).collect();
    units[1] = unit(LOST[1].0, LOST[1].1, &format!("icmp = false\n{V2C}"));
    units.push(unit(WELL, V4[3], ""));
    let Some(mut world) = World::new(&Setup { units, ..Setup::default() }) else { return };
    let mut dice = Dice::new();
    let (ids, addresses) = (LOST.map(|(id, _)| id), LOST.map(|(_, address)| address));
    storm(&mut world, &mut dice, 2);
    ids.iter().for_each(|id| world.wait_for_verdict(id, "UP"));

    world.net.kill(&addresses);
    storm(&mut world, &mut dice, 2);
    crash_at_next_letter(&mut world, &mut dice);
    let first = ids.map(|id| world.wait_for_case(id, 1, "New")["reference"].clone());
    storm(&mut world, &mut dice, 1);
    world.net.revive(&addresses);
    storm(&mut world, &mut dice, 2);
    ids.iter().for_each(|id| drop(world.wait_for_case(id, 1, "Solved")));
    world.net.kill(&addresses);
    storm(&mut world, &mut dice, 2);
    crash_at_next_letter(&mut world, &mut dice);
    ids.iter().for_each(|id| drop(world.wait_for_case(id, 1, "Working")));
    storm(&mut world, &mut dice, 1);
    world.net.revive(&addresses);
    storm(&mut world, &mut dice, 4);
    ids.iter().for_each(|id| drop(world.wait_for_case(id, 1, "Closed")));
    storm(&mut world, &mut dice, 1);
    world.net.kill(&addresses);
    storm(&mut world, &mut dice, 2);
    crash_at_next_letter(&mut world, &mut dice);
    let second = ids.map(|id| world.wait_for_case(id, 2, "New"));
    for (case, first) in second.iter().zip(&first) {
        assert_eq!(case["previous"], *first);
    }
    storm(&mut world, &mut dice, 1);
    world.wait_for_empty_outbox();
    assert!(world.cases(WELL).is_empty());
    assert!(world.daemon.stop().0.success());

    let first = first.iter().map(|reference| (reference.as_str().unwrap(), FULL_LIFE));
    let second = second.iter().map(|case| (case["reference"].as_str().unwrap(), &FULL_LIFE[..1]));
    arrived_as_expected(&world.letters(), &first.chain(second).collect::<Vec<_>>());
    covers_every_second(&Connection::open(world.home().join("ntuwatch.db")).unwrap());
}

const FULL_LIFE: &[&str] = &["opened.1", "solved.1", "returned.1", "solved.2", "rfo.1", "closed.1"];

/// Each letter came, and none but these; one that came twice was the same one.
fn arrived_as_expected(arrived: &[Letter], cases: &[(&str, &[&str])]) {
    let mut expected = BTreeSet::new();
    for (reference, kinds) in cases {
        for to in ["it@acme.example", "noc@example.net"] {
            expected.extend(kinds.iter().map(|kind| (format!("{reference}.{kind}"), to)));
        }
    }
    let found: BTreeSet<_> = arrived.iter().map(|letter| (letter.mark(), letter.to())).collect();
    assert_eq!(found, expected);
    let mut by_id: BTreeMap<&str, &Letter> = BTreeMap::new();
    for letter in arrived {
        let same = *by_id.entry(letter.id()).or_insert(letter);
        assert_eq!((&letter.body, letter.header("Date")), (&same.body, same.header("Date")));
    }
    assert_eq!(by_id.len(), expected.len(), "one Message-ID for each letter and reader");
    println!("{} letters came {} times", by_id.len(), arrived.len());
}

/// The ledger has no gap and no overlap from a device's first second on.
fn covers_every_second(store: &Connection) {
    let mut broken = store
        .prepare(
            "SELECT device, since, before FROM (SELECT device, since,
                 lag(until) OVER (PARTITION BY device ORDER BY since) AS before
             FROM (SELECT device, since, until FROM ledger UNION ALL SELECT id, since, NULL FROM devices))
             WHERE since <> before",
        )
        .unwrap();
    let broken: Vec<(String, i64, i64)> =
        broken.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(broken, [], "(device, since, until of the one before)");
    let unseen: i64 = store
        .query_row(
            "SELECT count(*) FROM ledger WHERE verdict = 'UNOBSERVED' AND reason = 'daemon_stopped'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(unseen > 0, "what nobody saw while the daemon was away is told");
}
