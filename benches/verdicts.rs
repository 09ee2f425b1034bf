//! Who is right: ntuwatch and small models of its peers judge the same fleet in the same weather, and the truth judges
//! them.
//!
//!     cargo bench --bench verdicts -- --seed 1 --seeds 4 --weeks 3

#[path = "verdicts/mod.rs"]
mod judges;
#[path = "support/table.rs"]
mod table;

use core::time::Duration;
use judges::score::Score;
use judges::site::{Ping, Report, Site};
use judges::{kuma, nagios, own, prometheus, zabbix};
use ntuwatch::domain::time::Time;
use ntuwatch::story::Fate;
use ntuwatch::story::weather::{Asker, Climate, Fleet, Weather};
use std::sync::Arc;
use std::thread;
use table::Table;

const FLEET: Fleet = Fleet { regions: 4, suppliers: 5, pops: 20, units_per_pop: 20, sentinels: 3 };
/// As many worlds as a machine of the kind that this is made on has processors.
const AT_ONCE: usize = 2;

/// A judge with the name of its row, and its settings in words.
const JUDGES: [(&str, Judge, &str); 7] = [
    ("ntuwatch", Judge::Own, "10 s, 3 lost rounds confirm, down_after 10m, solve_after 5m, 3 sentinels at 1 s"),
    (
        "Nagios",
        Judge::Nagios(nagios::Settings::NAGIOS),
        "check_interval 5m, retry_interval 1m, max_check_attempts 10, flap thresholds 5 and 20 %, parents, 5 packets",
    ),
    (
        "Icinga 2",
        Judge::Nagios(nagios::Settings::ICINGA),
        "check_interval 1m, retry_interval 1m, max_check_attempts 10, no flap detection, parents, 5 packets",
    ),
    (
        "Prometheus",
        Judge::Prometheus(prometheus::Settings::TEN_MINUTES),
        "scrape and evaluation 15s, probe_success == 0 for 10m, group_wait 30s, group_interval 5m, repeat_interval 4h",
    ),
    (
        "Prometheus, inhibited",
        Judge::Prometheus(prometheus::Settings::INHIBITED),
        "the same, and a node's alert (for 2m) inhibits its units'",
    ),
    (
        "Zabbix",
        Judge::Zabbix(zabbix::Settings::TEN_MINUTES),
        "icmpping each 1m, 3 packets, max(10m)=0, depends on the node's max(#3)=0",
    ),
    ("Uptime Kuma", Judge::Kuma(kuma::Settings::TEN_MINUTES), "ping each 60s, 10 retries each 60s, 1 packet"),
];

#[derive(Clone, Copy)]
enum Judge {
    Own,
    Nagios(nagios::Settings),
    Prometheus(prometheus::Settings),
    Zabbix(zabbix::Settings),
    Kuma(kuma::Settings),
}

/// What may be said on the command line.
struct Arguments {
    seed: u64,
    seeds: u64,
    weeks: u64,
}

impl Arguments {
    fn read(words: impl Iterator<Item = String>) -> Self {
        let mut arguments = Self { seed: 1, seeds: 4, weeks: 3 };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let place = match word.as_str() {
                "--seed" => &mut arguments.seed,
                "--seeds" => &mut arguments.seeds,
                "--weeks" => &mut arguments.weeks,
                // What cargo adds.
                _ => continue,
            };
            *place = words.next().and_then(|number| number.parse().ok()).expect("a number follows");
        }
        arguments
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its result")]
fn main() {
    let Arguments { seed, seeds, weeks } = Arguments::read(std::env::args().skip(1));
    let mut scores = vec![Score::default(); JUDGES.len()];
    let worlds: Vec<u64> = (seed..seed + seeds).collect();
    for some in worlds.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|&seed| scope.spawn(move || judge_world(seed, weeks))).collect();
            for world in running {
                for (sum, score) in scores.iter_mut().zip(world.join().expect("no judge panics")) {
                    sum.add(&score);
                }
            }
        });
    }
    let whole = &scores[0];
    println!(
        "{} units, {weeks} weeks, seeds {seed} to {}: {:.0} unit-months with {} outages of 10 to 15 min and {} longer ones.\n\
         Counts are for 10,000 unit-months.\n",
        FLEET.units(),
        seed + seeds - 1,
        whole.unit_months,
        whole.outages[0],
        whole.outages[1],
    );
    print(&scores);
    println!();
    for (name, _, words) in JUDGES {
        println!("{name}: {words}");
    }
}

fn print(scores: &[Score]) {
    let mut table = Table::new(&[
        "judge",
        "false P1",
        "P1 below 10 min",
        "missed 10-15 min",
        "missed longer",
        "only the node's alarm",
        "delay median",
        "delay p90",
        "letters/outage",
        "letters",
    ]);
    for ((name, _, _), score) in JUDGES.iter().zip(scores) {
        let delay = |share| score.delay(share).map_or_else(|| "-".to_owned(), minutes);
        table.row(
            name,
            [
                format!("{:.0}", score.rate(score.false_alarms)),
                format!("{:.0}", score.rate(score.hasty)),
                format!("{:.0}", score.rate(score.missed[0])),
                format!("{:.0}", score.rate(score.missed[1])),
                format!("{:.0}", score.rate(score.under_node)),
                delay(0.5),
                delay(0.9),
                format!("{:.2}", score.letters_an_outage()),
                format!("{:.0}", score.rate(score.letters)),
            ],
        );
    }
    table.print();
}

fn minutes(duration: Duration) -> String {
    format!("{}m{:02}s", duration.as_secs() / 60, duration.as_secs() % 60)
}

/// All judges on one world.
fn judge_world(seed: u64, weeks: u64) -> Vec<Score> {
    let length = Duration::from_secs(weeks * 7 * 86_400);
    let weather = Arc::new(Weather::new(FLEET, &Climate::ROUGH, length, seed));
    JUDGES.iter().map(|(_, judge, _)| Score::of(&report(*judge, &weather), &weather)).collect()
}

fn report(judge: Judge, weather: &Arc<Weather>) -> Report {
    let site = Site {
        parents: (0..FLEET.units() + FLEET.pops).map(|device| FLEET.upstream(device)).collect(),
        absences: weather.absences().to_vec(),
        until: weather.until(),
    };
    let mut asker = Asker::new(Arc::clone(weather));
    let ping: Ping<'_> = &mut |device: usize, at: Time| matches!(asker.ask(device, at), Fate::Answered(_));
    match judge {
        Judge::Own => own::judge(weather),
        Judge::Nagios(settings) => nagios::judge(&site, &settings, ping),
        Judge::Prometheus(settings) => prometheus::judge(&site, &settings, ping),
        Judge::Zabbix(settings) => zabbix::judge(&site, &settings, ping),
        Judge::Kuma(settings) => kuma::judge(&site, &settings, ping),
    }
}
