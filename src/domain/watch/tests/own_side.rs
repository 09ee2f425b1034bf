//! Our own side: sentinels, pauses, and too many losses at once.

use super::*;

fn sentinel() -> Device {
    let pace = Pace { interval: SENTINEL_INTERVAL, timeout: SENTINEL_TIMEOUT, ..PACE };
    with_pace(pace, Device { role: Role::Sentinel(Place::Far), ..unit("core") })
}

#[test]
fn a_pause_of_the_daemon_is_no_silence_of_the_sentinels() {
    let mut bench = Bench::new(vec![unit("a"), sentinel()]);
    bench.run(100, |_| answered());
    for _ in 0..20 {
        bench.in_flight.clear();
        bench.turn.at = bench.turn.at + Duration::from_millis(4_900);
        bench.step(Input::Tick);
        assert_eq!(bench.watch.isolation().cut_off(), None);
        bench.run(bench.turn.at.as_millis() as u64 / 1_000 + 10, |_| answered());
    }
    let until = bench.turn.at.as_millis() as u64 / 1_000 + 10;
    bench.run(until, |_| not_sent());
    assert_eq!(bench.watch.isolation().cut_off().map(|(_, why)| why), Some(Reason::SendsFailing));
    bench.run(until + 100, |_| answered());
    bench.run(until + 110, |_| Outcome::LOST);
    assert_eq!(bench.watch.isolation().cut_off().map(|(_, why)| why), Some(Reason::SentinelsSilent));
}

fn units(count: usize) -> Vec<Device> {
    (0..count).map(|n| unit(&format!("u-{n}"))).collect()
}

#[test]
fn what_sentinels_have_judged_is_not_judged_again_without_them() {
    let mut devices = units(40);
    devices.push(sentinel());
    let mut bench = Bench::new(devices);
    bench.run(100, |_| answered());
    bench.run_all(200, |slot, _| Some(if slot.index() < 40 { Outcome::LOST } else { answered() }));
    assert_eq!(bench.verdict(), (Verdict::Loss, Reason::NoAnswer));
    bench.step(Input::Planned(plan(units(40)).into()));
    bench.run(300, |_| Outcome::LOST);
    assert_eq!((bench.watch.isolation().cut_off(), bench.verdict()), (None, (Verdict::Loss, Reason::NoAnswer)));
}

#[test]
fn a_mass_loss_outlasts_a_stall_and_ends_with_its_fleet() {
    let mut bench = Bench::new(units(40));
    bench.run(100, |_| answered());
    bench.run(200, |_| Outcome::LOST);
    let why = |bench: &Bench| bench.watch.isolation().cut_off().map(|(_, why)| why);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Inconclusive));
    bench.in_flight.clear();
    bench.turn.at = bench.turn.at + SECOND * 60;
    bench.step(Input::Tick);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Unobserved));
    bench.run(300, |_| Outcome::LOST);
    assert_eq!((why(&bench), bench.verdict().0), (Some(Reason::MassLoss), Verdict::Inconclusive));
    bench.step(Input::Planned(plan(units(5)).into()));
    assert_eq!(why(&bench), None, "so few are no crowd");
}
