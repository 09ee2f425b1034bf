//! A strict reader of the Prometheus text exposition format, and what is counted.

use crate::cases::opening;
use crate::harness::{NOW, World};
use ntuwatch::domain::desk::{CaseFact, Opening, Priority, Reference};
use ntuwatch::domain::fact::Fact;
use ntuwatch::domain::maintenance::{Maintenance, NOTICE, Origin, Scope, Stage, Window};
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::{Finding, Symptom};
use ntuwatch::web;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Every sample: its series as it is written, and its value.
pub(crate) fn read(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut samples = BTreeMap::new();
    let mut families = BTreeSet::new();
    let mut family = String::new();
    let mut helped = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty(), "{line}");
            helped = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert_eq!(name, helped, "help comes first");
            assert!(families.insert(name.to_owned()), "all of {name} stands together");
            family = name.to_owned();
        } else {
            let (series, value) = sample(line);
            let name = series.split('{').next().unwrap();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(name == family || base == Some(&family), "{line} is not of {family}");
            assert!(samples.insert(series, value).is_none(), "{line} is there once");
        }
    }
    samples
}

fn sample(line: &str) -> (String, f64) {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let end = line.find(['{', ' ']).unwrap();
    assert!(is_name(&line[..end]), "{line}");
    let mut rest = &line[end..];
    if let Some(mut labels) = rest.strip_prefix('{') {
        loop {
            let (name, after) = labels.split_once("=\"").unwrap();
            assert!(is_name(name), "{line}");
            let close = close_quote(after);
            labels = &after[close + 1..];
            match labels.split_at(1) {
                (",", more) => labels = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => panic!("after a label: {line}"),
            }
        }
    }
    let value = rest.strip_prefix(' ').unwrap();
    let series = line[..line.len() - rest.len()].to_owned();
    (series, value.parse().unwrap_or_else(|e| panic!("{e}: {line}")))
}

/// Where a label value ends; only `\\`, `\"` and `\n` are escapes.
fn close_quote(text: &str) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        match (escaped, c) {
            (true, '\\' | '"' | 'n') => escaped = false,
            (true, _) => panic!("bad escape in {text}"),
            (false, '\\') => escaped = true,
            (false, '"') => return place,
            (false, _) => {}
        }
    }
    panic!("no end of a label in {text}")
}

/// What the loop counts of a turn. No other test counts turns, so the counters move by what this one says.
#[test]
fn a_turn_is_counted_once_it_may_be_seen() {
    let world = World::new(None);
    let finding = Finding { symptom: Symptom::Flapping, measured: 4, limit: 3, over: Duration::from_secs(3_600) };
    let opening = Opening { priority: Priority::P2, finding: Some(finding), ..opening(1, "acme-1", 0, None) };
    let slow = Finding { symptom: Symptom::Slow, ..finding };
    let fact = CaseFact::Degraded(slow);
    let case = |fact| Fact::Case { reference: Reference::from_number(1), unit: "acme-1".to_owned(), fact };
    let planned = |id: &str, ahead: Duration, emergency, stage| {
        let (from, until) = (NOW + ahead, NOW + ahead + Duration::from_secs(60));
        let scope = Scope::Device("pop-lon".to_owned());
        let window = Window { id: id.to_owned(), scope, from, until, emergency, note: None };
        let origin = Origin::Config;
        Fact::MaintenancePlanned(Arc::new(Maintenance {
            window,
            origin,
            revision: 1,
            planned_at: NOW,
            announced_at: NOW,
            stage,
        }))
    };
    let mut turn = Turn::new(NOW);
    turn.traps_ignored = 7;
    turn.facts = vec![
        Fact::CaseOpened(Arc::new(opening)),
        case(fact.clone()),
        case(fact),
        case(CaseFact::Closed),
        planned("long ahead", NOTICE, false, Stage::Planned),
        planned("soon", NOTICE - Duration::from_secs(1), false, Stage::Planned),
        planned("now", Duration::ZERO, true, Stage::Planned),
        planned("called off", Duration::ZERO, false, Stage::Cancelled),
        Fact::CanarySang { unit: "canary-1".to_owned(), took: Duration::from_secs(700) },
    ];
    let series = [
        (r#"ntuwatch_cases_opened_total{priority="P2"}"#, 1.0),
        (r#"ntuwatch_degraded_total{symptom="flapping"}"#, 1.0),
        (r#"ntuwatch_degraded_total{symptom="rtt_limit"}"#, 2.0),
        (r#"ntuwatch_maintenance_announced_total{notice="kept"}"#, 1.0),
        (r#"ntuwatch_maintenance_announced_total{notice="short"}"#, 1.0),
        (r#"ntuwatch_maintenance_announced_total{notice="emergency"}"#, 1.0),
        ("ntuwatch_traps_ignored_total", 7.0),
        ("ntuwatch_canary_last_success_timestamp_seconds", 1_800_000_000.0),
    ];
    let before = read(&world.metrics().body);
    web::metrics::install().count(&turn);
    let after = read(&world.metrics().body);
    for (name, step) in series {
        assert_eq!(after[name] - before[name], step, "{name}");
    }
}
