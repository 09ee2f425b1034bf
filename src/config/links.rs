//! What only shows when all files are read: duplicates, references to nothing, circles.

use super::fault::{Place, Report};
use super::inventory::{Inventory, Places};
use crate::domain::watch::{Device, Role};
use std::collections::{HashMap, hash_map};

/// What may be missing because a file could not be read; references to it are then not complained of.
#[derive(Clone, Copy, Default)]
pub(super) struct Gaps {
    pub(super) customers: bool,
    pub(super) devices: bool,
}

/// Notes every faulty link of the inventory.
pub(super) fn check(report: &Report, inventory: &Inventory<'_>, sentinels: &[(Device, Place)], gaps: Gaps) {
    let entries: Vec<(&Device, Places)> = inventory.units.iter().chain(inventory.nodes.iter()).collect();
    let customers = index(report, "customer", inventory.customers.iter().map(|(c, place)| (c.id.as_str(), *place)));
    let sentinel_ids = sentinels.iter().map(|(device, place)| (device.id.as_str(), *place));
    let device_ids = entries.iter().map(|&(device, places)| (device.id.as_str(), places.id));
    let devices = index(report, "device", device_ids.chain(sentinel_ids));

    let mut upstreams: Vec<Option<usize>> = Vec::with_capacity(entries.len());
    for &(device, places) in &entries {
        if let Role::Unit(circuit) = &device.role
            && !gaps.customers
            && !circuit.customer.is_empty()
            && !customers.contains_key(circuit.customer.as_str())
        {
            let id = &circuit.customer;
            report.fault(places.customer, format!("customer `{id}` is unknown: add a [[customer]] with this id"));
        }
        let upstream = device.upstream.as_deref();
        // A sentinel is nobody's upstream.
        let parent = upstream.and_then(|id| devices.get(id)).map(|&(i, _)| i).filter(|&i| i < entries.len());
        if let (Some(id), None, false) = (upstream, parent, gaps.devices) {
            report.fault(places.upstream, format!("upstream `{id}` is unknown: add a [[node]] or a unit with this id"));
        }
        upstreams.push(parent);
    }
    for circle in circles(&upstreams) {
        report_circle(report, circle.into_iter().filter_map(|i| entries.get(i).copied()).collect());
    }
}

/// Number and place of each id; one that comes again is a fault at the later place.
fn index<'a>(
    report: &Report,
    what: &str,
    ids: impl Iterator<Item = (&'a str, Place)>,
) -> HashMap<&'a str, (usize, Place)> {
    let mut index = HashMap::with_capacity(ids.size_hint().0);
    for (number, (id, place)) in ids.enumerate().filter(|(_, (id, _))| !id.is_empty()) {
        match index.entry(id) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert((number, place));
            }
            hash_map::Entry::Occupied(mut entry) => {
                let (one, other) = (*entry.get(), (number, place));
                let (first, again) = if one.1 <= other.1 { (one, other) } else { (other, one) };
                entry.insert(first);
                let other = report.line_name(first.1);
                report.fault(again.1, format!("{what} id `{id}` is taken at {other}: ids must be unique"));
            }
        }
    }
    index
}

/// The circles among points that each lead to at most one other.
fn circles(next: &[Option<usize>]) -> Vec<Vec<usize>> {
    // The walk on which a point was first seen.
    let mut walks: Vec<Option<usize>> = vec![None; next.len()];
    let next = |i: usize| next.get(i).copied().flatten();
    let mut circles = Vec::new();
    for start in 0..walks.len() {
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

fn report_circle(report: &Report, mut members: Vec<(&Device, Places)>) {
    let first = members.iter().enumerate().min_by_key(|(_, (_, places))| places.upstream).map_or(0, |(i, _)| i);
    members.rotate_left(first);
    let Some(start) = members.first() else { return };
    let path: Vec<&str> = members.iter().chain([start]).map(|(device, _)| device.id.as_str()).collect();
    let path = path.join(" -> ");
    report
        .fault(start.1.upstream, format!("upstreams go in a circle: {path}: one of them must be reached another way"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_found_once() {
        let next = [Some(1), Some(2), Some(1), Some(3), None, Some(4), Some(0)];
        assert_eq!(circles(&next), [vec![1, 2], vec![3]]);
    }
}
