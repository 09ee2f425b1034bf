//! Caps on the probes that go to what is reached through one device.

use super::*;

/// A node with so many units behind it, of which every tenth has an agent, and a few units elsewhere.
fn fleet(units: u32, probe_rate: Option<u32>) -> Vec<Device> {
    let node = Device { role: Role::Node, ..unit("pop") };
    let rules = Rules { probe_rate, ..(*node.rules).clone() };
    let behind = |n| {
        let unit = Device { upstream: Some(Arc::new("pop".into())), ..unit(&format!("unit-{n}")) };
        if n % 10 == 0 { with_snmp(unit) } else { unit }
    };
    let elsewhere = (0..40).map(|n| unit(&format!("elsewhere-{n}")));
    [Device { rules: Arc::new(rules), ..node }].into_iter().chain((0..units).map(behind)).chain(elsewhere).collect()
}

fn sentinel() -> Device {
    let pace = Pace { interval: SENTINEL_INTERVAL, timeout: SENTINEL_TIMEOUT, ..PACE };
    with_pace(pace, Device { role: Role::Sentinel(Place::Far), ..unit("core") })
}

/// The most probes that went to the slots below `count` within a second.
fn most_in_a_second(sent: &[(Time, Slot)], count: u32) -> usize {
    let sent: Vec<Time> = sent.iter().filter(|(_, slot)| slot.0 < count).map(|&(at, _)| at).collect();
    (0..sent.len()).map(|i| sent.partition_point(|&at| at < sent[i] + SECOND) - i).max().unwrap_or(0)
}

/// The longest that a device was not asked.
fn longest_gap(sent: &[(Time, Slot)], of: u32) -> Duration {
    let sent: Vec<Time> = sent.iter().filter(|(_, slot)| slot.0 == of).map(|&(at, _)| at).collect();
    sent.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or(Duration::MAX)
}

#[test]
fn a_cap_that_is_too_low_makes_rounds_come_further_apart_for_all_alike() {
    let (units, rate) = (600, 40);
    let fleet = fleet(units, Some(rate));
    let shared: Vec<Arc<Device>> = fleet.iter().cloned().map(Arc::new).collect();
    let strain = &strains(&shared)[0];
    assert_eq!((strain.devices, strain.wanted, strain.rate, strain.interval), (601, 61_100, rate, PACE.interval));
    let mut bench = Bench::new(fleet);
    bench.run(120, |_| answered());
    bench.sent.clear();
    bench.run(720, |_| answered());
    let sent = &bench.sent;
    assert!(most_in_a_second(sent, units + 1) <= rate as usize, "{}", most_in_a_second(sent, units + 1));
    let gaps = (0..=units).map(|slot| longest_gap(sent, slot));
    let (least, most) = (gaps.clone().min().unwrap(), gaps.max().unwrap());
    assert!(most <= strain.every.mul_f64(1.1) + SECOND, "{most:?}, {:?}", strain.every);
    assert!(least >= strain.every.mul_f64(0.9), "{least:?}, {:?}", strain.every);
    assert!((units + 1..units + 41).all(|slot| longest_gap(sent, slot) <= PACE.interval + SECOND / 10));
    let verdicts = bench.watch.devices().map(|(slot, _)| bench.watch.evidence(slot).verdict());
    assert!(verdicts.into_iter().all(|verdict| verdict == Verdict::Up), "late is not lost");
}

#[test]
fn a_cap_that_is_high_enough_holds_nothing_up() {
    let mut bench = Bench::new(fleet(600, Some(100)));
    bench.run(300, |_| answered());
    assert!(strains(&bench.watch.devices().map(|(_, device)| Arc::clone(device)).collect::<Vec<_>>()).is_empty());
    let most = most_in_a_second(&bench.sent, 601);
    assert!(most <= 100, "{most}");
    let slowest = (0..641).map(|slot| longest_gap(&bench.sent, slot)).max().unwrap();
    assert!(slowest <= PACE.interval + SECOND, "{slowest:?}");
}

#[test]
fn losses_are_confirmed_at_once_and_become_faults_in_time() {
    let (units, rate) = (600, 40);
    let mut fleet = fleet(units, Some(rate));
    fleet.push(sentinel());
    let mut bench = Bench::new(fleet);
    let dead = Slot(77);
    bench.run(100, |_| answered());
    bench.run_all(1_000, |slot, _| Some(if slot == dead { Outcome::LOST } else { answered() }));
    let case = bench.watch.desk().cases().next().unwrap();
    let (first_loss, detected) = (case.opening.first_loss.unwrap(), case.opening.detected.unwrap());
    assert!(detected.since(first_loss) <= SECOND * 4, "{:?}", detected.since(first_loss));
    assert!(first_loss.since(Time::from_millis(100_000)) <= SECOND * 17);
    assert_eq!(case.opened_at.since(first_loss), PACE.down_after);
    assert_eq!(bench.watch.desk().cases().count(), 1);

    // all of them at once, and nobody elsewhere
    let behind = |slot: Slot| slot.0 <= units;
    bench.sent.clear();
    bench.run_all(1_800, |slot, _| Some(if behind(slot) { Outcome::LOST } else { answered() }));
    assert_eq!(bench.watch.desk().cases().count(), units as usize, "each line has its case");
    assert!(most_in_a_second(&bench.sent, units + 1) <= rate as usize);
    assert!((units + 1..units + 41).all(|slot| longest_gap(&bench.sent, slot) <= PACE.interval + SECOND / 10));
}

#[test]
fn whoever_waits_goes_on_waiting_when_the_plan_changes() {
    let mut bench = Bench::new(fleet(600, Some(20)));
    for minute in 1..10 {
        bench.run(minute * 60, |_| answered());
        // now and then without any cap: whoever waits is asked
        let rate = if minute % 4 == 0 { None } else { Some(20 + u32::try_from(minute).unwrap()) };
        bench.step(Input::Planned(plan(fleet(600, rate)).into()));
    }
    let slowest = (0..641).map(|slot| longest_gap(&bench.sent, slot)).max().unwrap();
    assert!(slowest <= SECOND * 40, "{slowest:?}");
}
