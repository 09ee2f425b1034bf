//! Caps that let through less than the intervals ask for: what comes of it, before anybody is asked.

use super::cap::{round_of, steady};
use super::correlation::MAX_DEPTH;
use super::device::Device;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// A cap that is too low for what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strain {
    /// Whose cap it is.
    pub device: String,
    /// Its `probe_rate`, in probes a second.
    pub rate: u32,
    /// What it lets through at a steady pace, in thousandths of probes a second.
    pub steady: u64,
    /// Devices that it holds, its own among them.
    pub devices: u64,
    /// What their intervals ask for, in thousandths of probes a second.
    pub wanted: u64,
    /// Their shortest interval.
    pub interval: Duration,
    /// How far apart their rounds come at the least.
    pub every: Duration,
}

/// What a cap holds.
#[derive(Clone, Debug, Default)]
struct Load {
    devices: u64,
    round: u32,
    interval: Option<Duration>,
    /// How many probes come every so many milliseconds.
    probes: BTreeMap<u64, u64>,
}

/// In so many milliseconds one probe is a thousandth of a probe a second.
const MILLI: u64 = 1_000_000;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl Load {
    fn add(&mut self, device: &Device) {
        let (rules, pace) = (&device.rules, &device.rules.pace);
        self.devices += 1;
        self.round = self.round.max(round_of(device));
        self.interval = self.interval.into_iter().chain([pace.interval]).min();
        let by_snmp = if rules.icmp { pace.snmp_interval.max(pace.interval) } else { pace.interval };
        let asked = [rules.icmp.then_some(pace.interval), rules.snmp.is_some().then_some(by_snmp)];
        for every in asked.into_iter().flatten() {
            *self.probes.entry(millis(every)).or_default() += 1;
        }
    }

    fn wanted(&self) -> u64 {
        self.probes.iter().map(|(every, count)| count * MILLI / every).sum()
    }

    /// How far apart rounds come that are held up, in milliseconds: whoever has a longer interval is not.
    fn every(&self, steady: u64) -> u64 {
        let (mut held_up, mut others, mut every) = (0, self.wanted(), 0);
        for (&interval, &count) in &self.probes {
            if interval >= every && held_up > 0 {
                break;
            }
            held_up += count;
            others -= count * MILLI / interval;
            every = (held_up * MILLI).div_ceil(steady.saturating_sub(others).max(1));
        }
        every
    }
}

/// Every cap among the devices that is too low for what it holds, in their order.
#[must_use]
pub fn strains(devices: &[Arc<Device>]) -> Vec<Strain> {
    let mut loads: BTreeMap<&str, Load> = BTreeMap::new();
    for device in devices.iter().filter(|device| device.rules.probe_rate.is_some()) {
        loads.insert(&device.id, Load::default());
    }
    if loads.is_empty() {
        return Vec::new();
    }
    let known: BTreeMap<&str, &Device> = devices.iter().map(|device| (device.id.as_str(), &**device)).collect();
    for device in devices {
        let up = |device: &&Device| known.get(device.upstream()?).copied();
        for cap in core::iter::successors(Some(&**device), up).take(MAX_DEPTH) {
            if let Some(load) = loads.get_mut(cap.id.as_str()) {
                load.add(device);
            }
        }
    }
    let strain = |device: &Arc<Device>| {
        let (rate, load) = (device.rules.probe_rate?, loads.get(device.id.as_str())?);
        let (steady, wanted) = (steady(rate, load.round), load.wanted());
        let (interval, every) = (load.interval?, Duration::from_millis(load.every(steady)));
        let strain =
            Strain { device: device.id.to_string(), rate, steady, devices: load.devices, wanted, interval, every };
        (wanted > steady).then_some(strain)
    };
    devices.iter().filter_map(strain).collect()
}
