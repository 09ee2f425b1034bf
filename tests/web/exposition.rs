//! A strict reader of the Prometheus text exposition format.

use std::collections::{BTreeMap, BTreeSet};

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
