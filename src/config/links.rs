//! What only shows when all files are read: duplicates, references to nothing, circles.

use super::fault::{Place, Report};
use super::inventory::{Entry, Inventory};
use crate::domain::watch::{Device, Role};
use std::collections::HashMap;
use std::collections::hash_map;

/// What may be missing because a file could not be read; references to it are then not complained of.
#[derive(Clone, Copy, Default)]
pub(super) struct Gaps {
    pub(super) customers: bool,
    pub(super) devices: bool,
}

/// Notes every faulty link of the inventory.
pub(super) fn check(report: &Report, inventory: &Inventory<'_>, sentinels: &[(Device, Place)], gaps: Gaps) {
    let entries: Vec<&Entry> = inventory.units.iter().chain(&inventory.nodes).collect();
    let customers = unique(report, "customer", inventory.customers.iter().map(|(c, place)| (c.id.as_str(), *place)));
    let sentinel_ids = sentinels.iter().map(|(device, place)| (device.id.as_str(), *place));
    let device_ids = entries.iter().map(|entry| (entry.device.id.as_str(), entry.id));
    unique(report, "device", device_ids.chain(sentinel_ids));

    let by_id: HashMap<&str, usize> = entries.iter().enumerate().map(|(i, e)| (e.device.id.as_str(), i)).collect();
    for entry in &entries {
        if let Role::Unit(circuit) = &entry.device.role
            && !gaps.customers
            && !circuit.customer.is_empty()
            && !customers.contains_key(circuit.customer.as_str())
        {
            let id = &circuit.customer;
            report.fault(entry.customer, format!("customer `{id}` is unknown: add a [[customer]] with this id"));
        }
        if let Some(id) = &entry.device.upstream
            && !gaps.devices
            && !by_id.contains_key(id.as_str())
        {
            report.fault(entry.upstream, format!("upstream `{id}` is unknown: add a [[node]] or a unit with this id"));
        }
    }
    let upstream = |i: usize| by_id.get(entries.get(i)?.device.upstream.as_deref()?).copied();
    for circle in circles(entries.len(), upstream) {
        let members: Vec<&Entry> = circle.into_iter().filter_map(|i| entries.get(i).copied()).collect();
        report_circle(report, members);
    }
}

/// The places of the ids; an id that comes again is a fault at the later place.
fn unique<'a>(report: &Report, what: &str, ids: impl Iterator<Item = (&'a str, Place)>) -> HashMap<&'a str, Place> {
    let mut places = HashMap::new();
    for (id, place) in ids.filter(|(id, _)| !id.is_empty()) {
        match places.entry(id) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(place);
            }
            hash_map::Entry::Occupied(mut entry) => {
                let (first, again) = (place.min(*entry.get()), place.max(*entry.get()));
                entry.insert(first);
                let other = report.line_name(first);
                report.fault(again, format!("{what} id `{id}` is taken at {other}: ids must be unique"));
            }
        }
    }
    places
}

/// The circles in a graph of `count` points of which each leads to at most one other.
fn circles(count: usize, next: impl Fn(usize) -> Option<usize>) -> Vec<Vec<usize>> {
    // The walk on which a point was first seen.
    let mut walks: Vec<Option<usize>> = vec![None; count];
    let mut circles = Vec::new();
    for start in 0..count {
        let mut at = Some(start);
        while let Some(i) = at {
            match walks.get_mut(i) {
                Some(walk @ None) => {
                    *walk = Some(start);
                    at = next(i);
                }
                Some(Some(walk)) if *walk == start => {
                    let rest = core::iter::successors(next(i), |&j| next(j)).take_while(|&j| j != i);
                    circles.push(core::iter::once(i).chain(rest).collect());
                    break;
                }
                Some(Some(_)) | None => break,
            }
        }
    }
    circles
}

fn report_circle(report: &Report, mut members: Vec<&Entry>) {
    let first = members.iter().enumerate().min_by_key(|(_, e)| e.upstream).map_or(0, |(i, _)| i);
    members.rotate_left(first);
    let Some(start) = members.first() else { return };
    let path: Vec<&str> = members.iter().chain([start]).map(|e| e.device.id.as_str()).collect();
    let path = path.join(" -> ");
    report.fault(start.upstream, format!("upstreams go in a circle: {path}: one of them must be reached another way"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_found_once() {
        let next = [Some(1), Some(2), Some(1), Some(3), None, Some(4), Some(0)];
        assert_eq!(circles(7, |i| next[i]), [vec![1, 2], vec![3]]);
    }
}
