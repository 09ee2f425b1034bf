//! The bench's models of other monitors do on hand-made traces what those products' documentation says.

#[path = "../benches/verdicts/mod.rs"]
mod judges;

use core::time::Duration;
use judges::score::Score;
use judges::site::{Alarm, Ping, Report, Site};
use judges::{kuma, nagios, own, prometheus, zabbix};
use ntuwatch::domain::time::Time;
use ntuwatch::story::weather::{Absence, Asker, Climate, Fleet, Leave, Span, Trouble, Weather};
use std::sync::Arc;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
/// A node and the unit below it.
const UNIT: usize = 0;
const NODE: usize = 1;

const fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1_000)
}

const fn span(from: i64, until: i64) -> Span {
    Span { from: at(from), until: at(until) }
}

fn is_in(spans: &[Span], time: Time) -> bool {
    spans.iter().any(|span| span.from <= time && time < span.until)
}

/// Ten hours in which the unit is silent in some spans and the node in others.
#[derive(Clone, Default)]
struct Trace {
    unit: Vec<Span>,
    node: Vec<Span>,
    absences: Vec<Absence>,
}

impl Trace {
    fn unit(silent: &[Span]) -> Self {
        Self { unit: silent.to_vec(), ..Self::default() }
    }

    fn both(silent: &[Span]) -> Self {
        Self { unit: silent.to_vec(), node: silent.to_vec(), ..Self::default() }
    }

    fn away(mut self, kind: Leave, when: Span) -> Self {
        self.absences.push(Absence { span: when, kind });
        self
    }

    fn judge(&self, judge: impl Fn(&Site, Ping<'_>) -> Report) -> Outcome {
        let site = Site { parents: vec![Some(NODE), None], absences: self.absences.clone(), until: at(10 * HOUR) };
        let report =
            judge(&site, &mut |device, time| !is_in(if device == UNIT { &self.unit } else { &self.node }, time));
        Outcome {
            raised: seconds(&report, UNIT, |alarm| Some(alarm.raised)),
            cleared: seconds(&report, UNIT, |alarm| alarm.cleared),
            node: seconds(&report, NODE, |alarm| Some(alarm.raised)).len(),
            letters: report.letters,
        }
    }

    fn nagios(&self) -> Outcome {
        self.judge(|site, ping| nagios::judge(site, &nagios::Settings::NAGIOS, ping))
    }

    fn icinga(&self) -> Outcome {
        self.judge(|site, ping| nagios::judge(site, &nagios::Settings::ICINGA, ping))
    }

    fn prometheus(&self) -> Outcome {
        self.judge(|site, ping| prometheus::judge(site, &prometheus::Settings::TEN_MINUTES, ping))
    }

    fn inhibited(&self) -> Outcome {
        self.judge(|site, ping| prometheus::judge(site, &prometheus::Settings::INHIBITED, ping))
    }

    fn zabbix(&self) -> Outcome {
        self.judge(|site, ping| zabbix::judge(site, &zabbix::Settings::TEN_MINUTES, ping))
    }

    fn kuma(&self) -> Outcome {
        self.judge(|site, ping| kuma::judge(site, &kuma::Settings::TEN_MINUTES, ping))
    }
}

#[derive(Debug)]
struct Outcome {
    /// Seconds at which the unit's alarms were raised, and were over.
    raised: Vec<i64>,
    cleared: Vec<i64>,
    /// Alarms about the node.
    node: usize,
    letters: u64,
}

fn seconds(report: &Report, device: usize, of: impl Fn(&Alarm) -> Option<Time>) -> Vec<i64> {
    let alarms = report.alarms.iter().filter(|alarm| alarm.device == device);
    alarms.filter_map(of).map(|time| time.as_millis() / 1_000).collect()
}

type Judge = fn(&Trace) -> Outcome;

/// All of them, with a name.
const ALL: [(&str, Judge); 6] = [
    ("nagios", Trace::nagios),
    ("icinga", Trace::icinga),
    ("prometheus", Trace::prometheus),
    ("inhibited", Trace::inhibited),
    ("zabbix", Trace::zabbix),
    ("kuma", Trace::kuma),
];

#[test]
fn an_hour_of_silence_makes_one_alarm_after_about_ten_minutes_and_one_recovery() {
    for (name, judge) in ALL {
        let outcome = judge(&Trace::unit(&[span(HOUR, 2 * HOUR)]));
        assert_eq!((outcome.raised.len(), outcome.cleared.len(), outcome.letters), (1, 1, 2), "{name}: {outcome:?}");
        let delay = outcome.raised[0] - HOUR;
        assert!((9 * MINUTE..=15 * MINUTE).contains(&delay), "{name}: {outcome:?}");
        assert!((0..=6 * MINUTE).contains(&(outcome.cleared[0] - 2 * HOUR)), "{name}: {outcome:?}");
    }
}

#[test]
fn eight_minutes_of_silence_make_no_alarm() {
    for (name, judge) in ALL {
        let outcome = judge(&Trace::unit(&[span(HOUR, HOUR + 8 * MINUTE)]));
        assert_eq!((outcome.raised.len(), outcome.letters), (0, 0), "{name}: {outcome:?}");
    }
}

#[test]
fn a_node_that_is_down_hides_its_units_from_those_who_know_of_parents() {
    let trace = Trace::both(&[span(HOUR, 3 * HOUR)]);
    for (name, judge) in ALL {
        let outcome = judge(&trace);
        let knows = !["prometheus", "kuma"].contains(&name);
        assert_eq!((outcome.raised.is_empty(), outcome.node), (knows, 1), "{name}: {outcome:?}");
    }
}

#[test]
fn a_unit_that_stays_down_when_its_node_is_back_gets_its_alarm_then() {
    let trace = Trace { unit: vec![span(HOUR, 4 * HOUR)], node: vec![span(HOUR, 2 * HOUR)], absences: Vec::new() };
    for (name, judge) in ALL {
        let outcome = judge(&trace);
        assert_eq!(outcome.raised.len(), 1, "{name}: {outcome:?}");
        let knows = !["prometheus", "kuma"].contains(&name);
        assert_eq!(outcome.raised[0] >= 2 * HOUR, knows, "{name}: {outcome:?}");
    }
}

/// Twenty-one checks at five and one minutes hold two short outages; two of them make four changes, 20 % of twenty.
#[test]
fn nagios_tells_nobody_of_a_host_that_flaps() {
    let short: Vec<Span> = (0..10).map(|n| span(HOUR + n * 780, HOUR + n * 780 + 6 * MINUTE)).collect();
    let trace = Trace::unit(&[short, vec![span(HOUR + 7_800, HOUR + 7_800 + 20 * MINUTE)]].concat());
    assert!(trace.nagios().raised.is_empty(), "{:?}", trace.nagios());
    assert_eq!(trace.icinga().raised.len(), 1, "without flap detection the long one is told");
}

#[test]
fn nagios_forgets_its_attempts_in_a_crash_and_not_at_a_stop() {
    let silent = Trace::unit(&[span(HOUR, 2 * HOUR)]);
    let gap = span(HOUR + 8 * MINUTE, HOUR + 9 * MINUTE);
    let (stopped, crashed) = (silent.clone().away(Leave::Stopped, gap), silent.away(Leave::Crashed, gap));
    let (stopped, crashed) = (stopped.icinga().raised[0], crashed.icinga().raised[0]);
    assert!(stopped <= HOUR + 12 * MINUTE && crashed >= HOUR + 18 * MINUTE, "{stopped}, {crashed}");
}

#[test]
fn prometheus_starts_its_ten_minutes_anew_after_a_restart() {
    let silent = Trace::unit(&[span(HOUR, 2 * HOUR)]);
    let restarted = silent.away(Leave::Stopped, span(HOUR + 9 * MINUTE, HOUR + 10 * MINUTE)).prometheus();
    assert_eq!(restarted.raised.len(), 1);
    assert!(restarted.raised[0] >= HOUR + 20 * MINUTE, "{restarted:?}");
}

#[test]
fn prometheus_repeats_no_letter_after_a_restart_and_never_resolves_what_ended_meanwhile() {
    let silent = Trace::unit(&[span(HOUR, 2 * HOUR)]);
    let during = silent.clone().away(Leave::Stopped, span(HOUR + 30 * MINUTE, HOUR + 32 * MINUTE)).prometheus();
    assert_eq!((during.raised.len(), during.letters), (1, 2), "{during:?}");
    let over = silent.away(Leave::Crashed, span(HOUR + 50 * MINUTE, 2 * HOUR + 5 * MINUTE)).prometheus();
    assert_eq!((over.raised.len(), over.cleared.len(), over.letters), (1, 1, 1), "{over:?}");
}

#[test]
fn alertmanager_repeats_after_four_hours_and_holds_a_resolution_for_its_interval() {
    let outcome = Trace::unit(&[span(HOUR, 6 * HOUR)]).prometheus();
    assert_eq!((outcome.raised.len(), outcome.letters), (1, 3), "{outcome:?}");
    let interrupted = Trace::unit(&[span(HOUR, 2 * HOUR), span(2 * HOUR + 40, 3 * HOUR)]).prometheus();
    assert_eq!(interrupted.raised.len(), 2, "a resolved alert needs its ten minutes again: {interrupted:?}");
}

/// All values of the last ten minutes are one value then.
#[test]
fn zabbix_believes_a_single_value_after_ten_minutes_without_a_server() {
    let trace = Trace::unit(&[span(2 * HOUR, 2 * HOUR + 90)]);
    let away = trace.away(Leave::Stopped, span(HOUR, 2 * HOUR));
    assert_eq!(away.zabbix().raised.len(), 1);
    assert!(away.kuma().raised.is_empty() && away.prometheus().raised.is_empty());
}

#[test]
fn kuma_goes_on_with_its_retries_after_a_restart() {
    let silent = Trace::unit(&[span(HOUR, 2 * HOUR)]);
    let restarted = silent.away(Leave::Crashed, span(HOUR + 5 * MINUTE, HOUR + 6 * MINUTE)).kuma();
    assert!((HOUR + 10 * MINUTE..HOUR + 14 * MINUTE).contains(&restarted.raised[0]), "{restarted:?}");
}

#[test]
fn a_score_counts_false_missed_and_late() {
    const DAY: Duration = Duration::from_secs(86_400);
    let fleet = Fleet { regions: 1, suppliers: 1, pops: 1, units_per_pop: 2, sentinels: 1 };
    let weather = Weather::new(fleet, &Climate { single: Climate::ROUGH.single, ..Climate::CALM }, 90 * DAY, 11);
    let long = |unit: usize| weather.outages(unit).iter().find(|outage| outage.length() > Duration::from_secs(1_200));
    let (outage, empty) = (*long(0).unwrap(), Score::of(&Report::default(), &weather));
    let due: u64 = empty.outages.iter().sum();
    assert!(due > 1 && empty.missed == empty.outages && empty.delays.is_empty());
    let alarm = |device, raised| Alarm { device, raised, cleared: Some(raised + Duration::from_secs(1)) };
    let right = alarm(0, outage.from + Duration::from_secs(605));
    let wrong = alarm(0, outage.from - Duration::from_secs(10));
    let report = Report { alarms: vec![wrong, right], letters: 4 };
    let score = Score::of(&report, &weather);
    assert_eq!((score.false_alarms, score.hasty, score.delay(0.5)), (1, 0, Some(Duration::from_secs(605))));
    assert_eq!(score.missed.iter().sum::<u64>(), due - 1);
    assert!((score.unit_months - 6.0).abs() < 1e-9 && (score.rate(3) - 5_000.0).abs() < 1e-6);
    assert!((score.letters_an_outage() - 4.0 / due as f64).abs() < 1e-9);
    let node = alarm(2, outage.from);
    let under = Score::of(&Report { alarms: vec![node], letters: 0 }, &weather);
    assert_eq!((under.under_node, under.missed.iter().sum::<u64>()), (1, due - 1));
    let is_short = |outage: &&Span| (61..600).contains(&outage.length().as_secs());
    let shorts = (0..2).filter_map(|unit| Some(alarm(unit, weather.outages(unit).iter().find(is_short)?.until)));
    let hasty = Score::of(&Report { alarms: shorts.take(1).collect(), letters: 1 }, &weather);
    assert_eq!((hasty.false_alarms, hasty.hasty), (0, 1));
    let mut sum = empty.clone();
    sum.add(&score);
    assert_eq!((sum.outages[1], sum.letters), (2 * empty.outages[1], 4));
}

/// The world of the bench, but small: the real core has no false alarm and misses nothing.
#[test]
fn ntuwatch_is_right() {
    let fleet = Fleet { regions: 2, suppliers: 2, pops: 2, units_per_pop: 5, sentinels: 1 };
    let climate = Climate { single: Trouble { a_month: 20.0, ..Climate::ROUGH.single }, ..Climate::ROUGH };
    let weather = Arc::new(Weather::new(fleet, &climate, Duration::from_secs(3 * 86_400), 1));
    let score = Score::of(&own::judge(&weather), &weather);
    assert!(score.outages.iter().sum::<u64>() > 5, "{score:?}");
    assert_eq!((score.false_alarms, score.hasty, score.missed), (0, 0, [0, 0]), "{score:?}");
    let mut asker = Asker::new(Arc::clone(&weather));
    let site = Site { parents: vec![None], absences: Vec::new(), until: weather.until() };
    let ping: Ping<'_> = &mut |device, time| matches!(asker.ask(device, time), ntuwatch::story::Fate::Answered(_));
    assert_eq!(kuma::judge(&site, &kuma::Settings::TEN_MINUTES, ping).letters, 0, "a node has no customer");
}
