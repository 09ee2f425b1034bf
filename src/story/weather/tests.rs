//! A made-up world is the same for everybody, and its truth is what probes meet.

use super::*;
use crate::domain::desk::CaseFact;
use crate::domain::fact::Fact;
use crate::story::Sim;

const FLEET: Fleet = Fleet { regions: 2, suppliers: 2, pops: 3, units_per_pop: 5, sentinels: 2 };
const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn rough(seed: u64) -> Weather {
    Weather::new(FLEET, &Climate::ROUGH, WEEK, seed)
}

/// A climate in which nothing is lost but by outages and cuts.
fn clear() -> Climate {
    Climate { ordinary: Gilbert::NONE, poor: Gilbert::NONE, congested_share: 0.0, limited_share: 0.0, ..Climate::ROUGH }
}

/// The same trouble once a day.
fn daily(trouble: Trouble) -> Trouble {
    Trouble { a_month: 30.0, ..trouble }
}

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1_000)
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_one_another() {
    let (one, same, other) = (rough(7), rough(7), rough(8));
    assert_eq!(one.events(), same.events());
    assert_ne!(one.events(), other.events());
    let fates = |weather: &Weather| -> Vec<Fate> { (0..5_000).map(|s| weather.fate(3, at(s * 60))).collect() };
    assert_eq!(fates(&one), fates(&same));
    assert_ne!(fates(&one), fates(&other));
}

#[test]
fn a_longer_world_begins_like_a_shorter_one() {
    let (short, long) = (rough(7), Weather::new(FLEET, &Climate::ROUGH, 2 * WEEK, 7));
    for device in 0..FLEET.devices() {
        let whole = short.outages(device).iter().filter(|outage| outage.until < short.until());
        for outage in whole {
            assert!(long.outages(device).contains(outage));
        }
    }
}

#[test]
fn the_truth_is_what_probes_meet() {
    let weather = Weather::new(FLEET, &clear(), WEEK, 3);
    let cut = |at: Time| weather.cuts().iter().any(|cut| cut.from <= at && at < cut.until);
    for device in 0..FLEET.units() {
        let outages = weather.outages(device);
        assert!(outages.windows(2).all(|pair| pair[0].until < pair[1].from));
        for second in (0..WEEK.as_secs() as i64).step_by(61) {
            let out = outages.iter().any(|outage| outage.from <= at(second) && at(second) < outage.until);
            let answered = matches!(weather.fate(device, at(second)), Fate::Answered(_));
            assert_eq!(answered, !out && !cut(at(second)), "{device} at {second}");
        }
    }
    assert!((0..FLEET.units()).any(|device| !weather.outages(device).is_empty()));
}

#[test]
fn what_is_shared_is_shared() {
    let only = |climate: Climate| Weather::new(FLEET, &Climate { ..climate }, WEEK, 1);
    let pops = only(Climate { pop: daily(Climate::ROUGH.pop), ..Climate::CALM });
    for unit in 0..FLEET.units() {
        assert_eq!(pops.outages(unit), pops.outages(FLEET.upstream(unit).unwrap()));
    }
    assert!((0..FLEET.units()).any(|unit| !pops.outages(unit).is_empty()));
    let suppliers = only(Climate { supplier: daily(Climate::ROUGH.supplier), ..Climate::CALM });
    assert!(!suppliers.outages(0).is_empty());
    assert_eq!(suppliers.outages(0), suppliers.outages(2));
    assert_ne!(suppliers.outages(0), suppliers.outages(1));
    assert!((FLEET.units()..FLEET.devices()).all(|node| suppliers.outages(node).is_empty()));
}

#[test]
fn a_cut_uplink_silences_everything_and_is_nobody_s_outage() {
    let weather = Weather::new(FLEET, &Climate { uplink: Climate::ROUGH.uplink, ..Climate::CALM }, 8 * WEEK, 1);
    assert!(weather.cuts().len() > 2);
    for cut in weather.cuts() {
        let fates: Vec<Fate> = (0..FLEET.devices()).map(|device| weather.fate(device, cut.from)).collect();
        assert!(fates.iter().all(|fate| *fate == fates[0] && !matches!(fate, Fate::Answered(_))));
        assert_eq!(weather.visible(cut), Duration::ZERO);
    }
    assert!((0..FLEET.devices()).all(|device| weather.outages(device).is_empty()));
}

#[test]
fn the_monitor_is_away_once_at_a_time() {
    let weather = Weather::new(FLEET, &Climate::ROUGH, 20 * WEEK, 5);
    assert!(weather.absences().windows(2).all(|pair| pair[0].span.until < pair[1].span.from));
    for kind in [Leave::Stopped, Leave::Crashed, Leave::Suspended] {
        assert!(weather.absences().iter().any(|absence| absence.kind == kind));
    }
}

#[test]
fn bad_spells_lose_more_than_good_ones_and_neither_all() {
    let weather =
        Weather::new(FLEET, &Climate { poor: Climate::ROUGH.poor, poor_share: 1.0, ..Climate::CALM }, WEEK, 2);
    let bad = weather.lines[0].bad.clone();
    let (mut lost, mut sent) = ([0.0; 2], [0.0; 2]);
    for second in 0..WEEK.as_secs() as i64 {
        let spell = usize::from(place(&bad, at(second)).is_some());
        sent[spell] += 1.0;
        lost[spell] += f64::from(u8::from(weather.fate(0, at(second)) == Fate::Lost));
    }
    assert!((lost[0] / sent[0] - 0.02).abs() < 0.005, "{lost:?} of {sent:?}");
    assert!((lost[1] / sent[1] - 0.7).abs() < 0.05, "{lost:?} of {sent:?}");
}

#[test]
fn a_limited_box_answers_one_echo_at_a_time_and_remembers_only_who_asked() {
    let climate = Climate { limited_share: 1.0, ..Climate::CALM };
    let weather = Arc::new(Weather::new(FLEET, &climate, WEEK, 2));
    let mut asker = Asker::new(Arc::clone(&weather));
    let answered = |fate: Fate| matches!(fate, Fate::Answered(_));
    assert!(answered(asker.ask(0, at(10))));
    assert!(!answered(asker.ask(0, at(10) + Duration::from_millis(900))), "at least a second apart");
    assert!(answered(Asker::new(Arc::clone(&weather)).ask(0, at(10) + Duration::from_millis(900))));
    assert!(answered(asker.ask(0, at(20))), "at most five seconds apart");
}

#[test]
fn events_say_the_same_as_fates() {
    let weather = Weather::new(FLEET, &clear(), WEEK, 4);
    let events = weather.events();
    assert!(events.is_sorted_by_key(|(at, _)| *at));
    let mut silent = vec![false; FLEET.devices()];
    for pair in events.windows(2) {
        if let Change::Line { device, line } = pair[0].1 {
            silent[device] = line.loss >= 1.0;
        }
        if pair[1].0 > pair[0].0 {
            for (device, silent) in silent.iter().enumerate().take(FLEET.units()) {
                assert_eq!(!matches!(weather.fate(device, pair[0].0), Fate::Answered(_)), *silent);
            }
        }
    }
}

#[test]
fn a_simulated_daemon_lives_in_it() {
    let climate = Climate { pop: daily(Climate::ROUGH.pop), ..Climate::CALM };
    let weather = Arc::new(Weather::new(FLEET, &climate, Duration::from_secs(86_400), 6));
    let whole = Span { from: BEGINNING, until: weather.until() };
    let outages: Vec<&Span> = (0..FLEET.units()).flat_map(|unit| weather.outages(unit)).collect();
    let long = outages.iter().filter(|outage| outage.shared(&whole) > Duration::from_secs(630)).count();
    let mut sim = Sim::in_world(weather.plan(), BEGINNING, Box::new(Asker::new(Arc::clone(&weather))));
    sim.run_to(weather.until());
    assert!(long > 0);
    let is_return = |fact: &Fact| matches!(fact, Fact::Case { fact: CaseFact::Returned { .. }, .. });
    let returns = sim.take_facts().iter().filter(|(_, fact)| is_return(fact)).count();
    assert_eq!(sim.cases().count() + returns, long, "{outages:?}");
}
