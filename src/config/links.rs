//! What only shows when all files are read: duplicates, references to nothing, circles.

use super::fault::{Place, Report};
use super::inventory::{Inventory, Places};
use super::routes::Routes;
use super::works::Work;
use crate::domain::maintenance::Scope;
use crate::domain::plan::Canary;
use crate::domain::watch::{Device, GroupKind, MAX_MAINTENANCE, Role};
use std::collections::{HashMap, HashSet, hash_map};

/// What may be missing because a file could not be read; references to it are then not complained of.
#[derive(Clone, Copy, Default)]
pub(super) struct Gaps {
    pub(super) customers: bool,
    pub(super) devices: bool,
}

/// Notes every faulty link of the inventory, and of what refers to it.
pub(super) fn check(
    report: &Report,
    inventory: &Inventory<'_>,
    sentinels: &[(Device, Place)],
    canary: Option<(&Canary, [Place; 2])>,
    routes: &Routes,
    gaps: Gaps,
) {
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
        let upstream = device.upstream();
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
    // As above, a sentinel is none of them.
    let find = |id: &str| devices.get(id).and_then(|&(i, _)| entries.get(i)).map(|&(device, _)| device);
    check_works(report, inventory, find, gaps);
    let has_gaps = gaps.customers;
    inventory.book.check(report, (!has_gaps).then_some(&customers), has_gaps);
    let units = (!gaps.devices).then(|| inventory.units.iter().map(|(device, _)| device));
    routes.check(report, &inventory.book, units);
    if let Some((canary, places)) = canary {
        check_canary(report, canary, places, find(&canary.unit), gaps);
    }
}

fn check_works<'a>(
    report: &Report,
    inventory: &'a Inventory<'_>,
    find: impl Fn(&str) -> Option<&'a Device>,
    gaps: Gaps,
) {
    let works = &inventory.works;
    index(report, "maintenance", works.iter().map(|work| (work.window.id.as_str(), work.id)));
    if let Some(work) = works.get(MAX_MAINTENANCE) {
        report.fault(work.id, format!("more than {MAX_MAINTENANCE} [[maintenance]]: remove those that are over"));
    }
    if gaps.devices || works.is_empty() {
        return;
    }
    let groups = groups(inventory);
    for Work { window, scope: place, .. } in works {
        match &window.scope {
            Scope::Device(id) if !id.is_empty() && find(id).is_none() => {
                let message = format!("`scope` is `{id}`, but no [[node]] and no unit has this id");
                report.fault(*place, message);
            }
            Scope::Group(kind, name) if !groups.contains(&(*kind, name.as_str())) => {
                let kind = kind.name();
                report.fault(*place, format!("`scope` is {kind} {name:?}, but no unit has this {kind}"));
            }
            Scope::Device(_) | Scope::Group(..) => {}
        }
    }
}

/// Every group that a unit belongs to.
fn groups<'a>(inventory: &'a Inventory<'_>) -> HashSet<(GroupKind, &'a str)> {
    let mut groups = HashSet::new();
    for (device, _) in inventory.units.iter() {
        groups.extend(device.groups());
    }
    groups
}

fn check_canary(report: &Report, canary: &Canary, places: [Place; 2], device: Option<&Device>, gaps: Gaps) {
    let (Canary { unit, every }, [of_unit, of_every]) = (canary, places);
    let Some(device) = device else {
        if !gaps.devices {
            report.fault(of_unit, format!("`unit` is `{unit}`, but no unit has this id"));
        }
        return;
    };
    if !matches!(device.role, Role::Unit(_)) {
        return report.fault(of_unit, format!("`unit` is `{unit}`, which is a node: nodes have no cases of their own"));
    }
    // One outage has to be over, and its letter taken, before the next.
    let least = device.rules.pace.down_after * 2 + device.rules.pace.interval;
    if *every <= least {
        let rule = format!("must be longer than twice `down_after` and an `interval` of unit `{unit}` ({least:?})");
        report.fault(of_every, format!("`every` ({every:?}) {rule}"));
    }
}

/// Number and place of each id; one that comes again is a fault at the later place.
pub(super) fn index<'a>(
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
