//! From the text of a story to its plan and its events.

use super::grammar::{Action, Event, Expectation, Misspelt, Story};
use super::people::People;
use super::post::{About, Post};
use super::words::{action, count_within, maintenance, pairs, permille, probe_rate, rate};
use crate::domain::desk::{Level, Matrix, TierPledges};
use crate::domain::maintenance::{Scope, Window};
use crate::domain::party::Customer;
use crate::domain::party::Tier;
use crate::domain::plan::{Canary, Plan, Stability};
use crate::domain::time::Time;
use crate::domain::watch::{
    Circuit, Device, Host, Limits, Pace, Place, Role, Rules, Secret, SnmpAccess, SnmpVersion, Terms,
};
use crate::text::parse_duration as duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub(super) type Keys<'a> = BTreeMap<&'a str, &'a str>;

/// The keys that a `config` line may set, with their defaults.
#[derive(Clone, Copy)]
struct Settings {
    pace: Pace,
    limits: Limits,
    stability: Stability,
    pledges: TierPledges,
}

/// Devices above each other, at the most.
const MAX_LEVELS: usize = 64;
/// Devices that a story may have: as many as the daemon is made for.
const MAX_DEVICES: usize = 1_000_000;

/// Committed rate of a line whose WAN interface the story speaks of, in bits a second.
const DEFAULT_RATE: u64 = 100_000_000;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: Pace {
                interval: Duration::from_secs(10),
                snmp_interval: Duration::from_secs(60),
                timeout: Duration::from_secs(1),
                down_after: Duration::from_secs(10 * MINUTE),
                solve_after: Duration::from_secs(5 * MINUTE),
                history: Duration::from_secs(3 * HOUR),
            },
            limits: Limits::DEFAULT,
            stability: Stability { p1: Duration::from_secs(24 * HOUR), p2: Duration::from_secs(72 * HOUR) },
            pledges: TierPledges::default(),
        }
    }
}

impl Settings {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let limits = &mut self.limits;
        match key {
            "loss" => limits.loss = permille(value)?,
            "errors" => limits.errors = permille(value)?,
            "load" => limits.load = permille(value)?,
            "flaps" => limits.flaps = count_within(value)?,
            "reboots" => limits.reboots = count_within(value)?,
            "rtt" if value == "off" => limits.rtt = None,
            "rtt" => limits.rtt = Some(duration(value)?),
            "rtt_factor" if value == "off" => limits.rtt_factor = None,
            "rtt_factor" => limits.rtt_factor = Some(value.parse().map_err(|_| format!("{value:?} is no number"))?),
            "good_windows" => limits.good_windows = value.parse().map_err(|_| format!("{value:?} is no number"))?,
            _ if self.pledge(key, value)? => {}
            _ => {
                let length = self.length(key)?;
                *length = duration(value)?;
            }
        }
        Ok(())
    }

    /// Sets what is promised to everybody, or, by `gold.update_p1` and the like, to customers of a tier. Whether it is one.
    fn pledge(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let (tier, key) = key.split_once('.').map_or((None, key), |(tier, key)| (Some(tier), key));
        let chosen = Tier::ALL.into_iter().filter(|known| tier.is_none_or(|tier| tier == known.name()));
        for tier in chosen {
            let pledges = &mut self.pledges.0[tier as usize];
            match key {
                "first_response" => pledges.first_response = pledge(value)?,
                "update_p1" => pledges.update_p1 = pledge(value)?,
                "update_p2" => pledges.update_p2 = pledge(value)?,
                "update_p3" => pledges.update_p3 = pledge(value)?,
                "supplier" => pledges.supplier = pledge(value)?,
                "rfo" => pledges.rfo = pledge(value)?,
                "repair" => pledges.repair = on_or_off(value)?,
                "rfo_p1" => pledges.rfo_p1 = required(value)?,
                "rfo_p2" => pledges.rfo_p2 = required(value)?,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn length(&mut self, key: &str) -> Result<&mut Duration, String> {
        Ok(match key {
            "window" => &mut self.limits.window,
            "history" => &mut self.pace.history,
            "interval" => &mut self.pace.interval,
            "snmp_interval" => &mut self.pace.snmp_interval,
            "timeout" => &mut self.pace.timeout,
            "down_after" => &mut self.pace.down_after,
            "solve_after" => &mut self.pace.solve_after,
            "p1" => &mut self.stability.p1,
            "p2" => &mut self.stability.p2,
            _ => {
                return Err(format!(
                    "unknown setting {key:?}: use interval, snmp_interval, timeout, down_after, solve_after, history, p1, \
                     p2, first_response, update_p1, update_p2, update_p3, supplier, rfo, repair, rfo_p1, rfo_p2 (of a tier: gold.update_p1), window, good_windows, loss, rtt, rtt_factor, flaps, reboots, errors or load"
                ));
            }
        })
    }
}

fn pledge(value: &str) -> Result<Option<Duration>, String> {
    if value == "off" { Ok(None) } else { duration(value).map(Some) }
}

fn on_or_off(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{value:?} is neither on nor off")),
    }
}

fn required(value: &str) -> Result<bool, String> {
    match value {
        "required" => Ok(true),
        "on_request" => Ok(false),
        _ => Err(format!("{value:?} is neither required nor on_request")),
    }
}

/// Devices with the lines that they come from.
type Devices = Vec<(usize, Device)>;

#[derive(Default)]
struct Draft {
    settings: Settings,
    units: Devices,
    nodes: Devices,
    sentinels: Devices,
    maintenance: Vec<(usize, Scope, Range<Duration>, bool)>,
    canary: Option<(usize, Canary)>,
    people: People,
    events: Vec<Event>,
    until: Duration,
}

impl Story {
    /// Reads a story.
    ///
    /// # Errors
    /// All lines that are not of the language.
    pub fn parse(text: &str) -> Result<Self, Vec<Misspelt>> {
        let mut draft = Draft::default();
        let mut faults = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let plain = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = plain.split_whitespace().collect();
            if let Err(message) = draft.take(number, &words) {
                faults.push(Misspelt { line: number, message });
            }
        }
        draft.add_upstreams();
        draft.add_agents();
        draft.check(&mut faults);
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() { Ok(draft.finish()) } else { Err(faults) }
    }
}

impl Draft {
    fn take(&mut self, line: usize, words: &[&str]) -> Result<(), String> {
        if self.people.take(words, |words| pairs(words).map(drop))? {
            return Ok(());
        }
        match words {
            [] => Ok(()),
            ["config", keys @ ..] => {
                // What is said of a tier counts more than what is said of everybody.
                let (of_tiers, of_all): (Vec<_>, Vec<_>) =
                    pairs(keys)?.into_iter().partition(|(key, _)| key.contains('.'));
                for (key, value) in of_all.into_iter().chain(of_tiers) {
                    self.settings.set(key, value)?;
                }
                Ok(())
            }
            ["unit", id, keys @ ..] => {
                let unit = self.unit(id, &pairs(keys)?)?;
                self.units.push((line, unit));
                Ok(())
            }
            ["units", prefix, range, keys @ ..] => self.add_units(line, prefix, range, &pairs(keys)?),
            ["node", id, keys @ ..] => {
                let node = self.device(id, Role::Node, &pairs(keys)?)?;
                self.nodes.push((line, node));
                Ok(())
            }
            ["sentinel", id, keys @ ..] => {
                let sentinel = self.sentinel(id, keys)?;
                self.sentinels.push((line, sentinel));
                Ok(())
            }
            ["at", time, rest @ ..] => {
                let event = Event { at: duration(time)?, line, action: action(rest)? };
                self.until = self.until.max(event.at);
                self.events.push(event);
                Ok(())
            }
            ["maintenance", rest @ ..] => {
                let (scope, times, emergency) = maintenance(rest)?;
                self.until = self.until.max(times.end);
                self.maintenance.push((line, scope, times, emergency));
                Ok(())
            }
            ["canary", unit, "every", every] => {
                self.canary = Some((line, Canary { unit: (*unit).to_owned(), every: duration(every)? }));
                Ok(())
            }
            ["until", time] => {
                self.until = self.until.max(duration(time)?);
                Ok(())
            }
            ["unit"] => Err("write: unit ID customer=…".into()),
            ["units", ..] => Err("write: units PREFIX 1..500 customer=…".into()),
            ["node"] => Err("write: node ID".into()),
            ["sentinel"] => Err("write: sentinel ID [place=gateway|core|far]".into()),
            ["canary", ..] => Err("write: canary UNIT every 24h".into()),
            ["at"] => Err("write: at 1h9m59s …".into()),
            ["until", ..] => Err("write: until 60h".into()),
            [first, ..] => Err(format!(
                "a line begins with config, unit, units, node, sentinel, maintenance, canary, staff, route, routing, shift, \
                     contract, contact, customer, surveys, at or until, not with \
                     {first:?}"
            )),
        }
    }

    fn add_units(&mut self, line: usize, prefix: &str, range: &str, keys: &Keys<'_>) -> Result<(), String> {
        let (first, last) = range.split_once("..").ok_or("write a range as 1..500")?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is no number"));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(format!("{range} is empty: write a range as 1..500"));
        }
        if self.units.len() + (last - first) as usize >= MAX_DEVICES {
            return Err(format!("a story has at most {MAX_DEVICES} units"));
        }
        for n in first..=last {
            let unit = self.unit(&format!("{prefix}{n}"), keys)?;
            self.units.push((line, unit));
        }
        Ok(())
    }

    fn sentinel(&self, id: &str, keys: &[&str]) -> Result<Device, String> {
        let usage = "write: sentinel ID [place=gateway|core|far]";
        let place = match keys {
            [] => Place::Far,
            [key] => {
                let named = |place: &Place| key.strip_prefix("place=") == Some(place.name());
                Place::ALL.into_iter().find(named).ok_or(usage)?
            }
            [..] => return Err(usage.into()),
        };
        let mut sentinel = self.device(id, Role::Sentinel(place), &Keys::new())?;
        let pace = &mut Arc::make_mut(&mut sentinel.rules).pace;
        pace.interval = crate::domain::watch::SENTINEL_INTERVAL;
        pace.timeout = pace.timeout.min(crate::domain::watch::SENTINEL_TIMEOUT);
        Ok(sentinel)
    }

    fn unit(&self, id: &str, keys: &Keys<'_>) -> Result<Device, String> {
        let get = |key, default: &str| keys.get(key).copied().unwrap_or(default).to_owned();
        let terms = Terms {
            service: get("service", "DIA"),
            region: get("region", "EMEA"),
            ttr: duration(&get("ttr", "4h"))?,
            supplier: keys.get("supplier").map(|&supplier| supplier.to_owned()),
            pop: keys.get("pop").map(|&pop| pop.to_owned()),
            access: keys.get("access").map(|&access| access.to_owned()),
            rate: keys.get("rate").map(|rate_text| rate(rate_text)).transpose()?,
        };
        let circuit = Circuit {
            customer: Arc::new(keys.get("customer").ok_or("a unit needs customer=…")?.to_string()),
            order: get("order", &format!("SO-{id}")).into(),
            terms: Arc::new(terms),
        };
        self.device(id, Role::Unit(circuit), keys)
    }

    fn device(&self, id: &str, role: Role, keys: &Keys<'_>) -> Result<Device, String> {
        let mut settings = self.settings;
        for (&key, &value) in keys {
            match key {
                "customer" | "order" | "service" | "region" | "ttr" | "supplier" | "pop" | "access" | "rate"
                    if matches!(role, Role::Unit(_)) => {}
                "upstream" | "host" | "probe_rate" => {}
                "first_response" | "update_p1" | "update_p2" | "update_p3" | "rfo" | "repair" => {
                    return Err(format!("{key} is promised to everybody: write it in a config line"));
                }
                _ => settings.set(key, value)?,
            }
        }
        let probe_rate = keys.get("probe_rate").map(|rate| probe_rate(rate)).transpose()?;
        Ok(Device {
            id: id.into(),
            role,
            host: keys.get("host").map_or_else(|| Host::Address(self.next_address()), |&host| host.into()),
            upstream: keys.get("upstream").map(|upstream| Arc::new(upstream.to_string())),
            rules: Arc::new(Rules { icmp: true, snmp: None, pace: settings.pace, limits: settings.limits, probe_rate }),
        })
    }

    /// Everybody has an address of their own.
    fn next_address(&self) -> IpAddr {
        const FIRST: u32 = u32::from_be_bytes([10, 0, 0, 1]);
        let known = self.units.len() + self.nodes.len() + self.sentinels.len();
        Ipv4Addr::from(FIRST + u32::try_from(known).unwrap_or(0)).into()
    }

    /// Whoever an event of the story speaks SNMP of is asked by SNMP.
    fn add_agents(&mut self) {
        let version = SnmpVersion::V2c { community: Secret::new("public".to_owned()) };
        let access = Arc::new(SnmpAccess { version, port: 161, interface: Some(1) });
        for (_, device) in self.units.iter_mut().chain(&mut self.nodes) {
            let speaks_of_it = |event: &Event| matches!(&event.action, Action::Agent(subject, _) if subject.covers(&device.id, &device.role));
            if self.events.iter().any(speaks_of_it) {
                Arc::make_mut(&mut device.rules).snmp = Some(Arc::clone(&access));
                if let Role::Unit(circuit) = &mut device.role {
                    Arc::make_mut(&mut circuit.terms).rate.get_or_insert(DEFAULT_RATE);
                }
            }
        }
    }

    fn devices(&self) -> impl Iterator<Item = &(usize, Device)> {
        self.units.iter().chain(&self.nodes).chain(&self.sentinels)
    }

    /// An upstream that the story does not describe is a node that answers.
    fn add_upstreams(&mut self) {
        let known: BTreeSet<&str> = self.devices().map(|(_, device)| device.id.as_str()).collect();
        let missing: BTreeMap<String, usize> = self
            .devices()
            .filter_map(|(line, device)| Some((device.upstream()?.to_owned(), *line)))
            .filter(|(upstream, _)| !known.contains(upstream.as_str()))
            .collect();
        for (id, line) in missing {
            if let Ok(node) = self.device(&id, Role::Node, &Keys::new()) {
                self.nodes.push((line, node));
            }
        }
    }

    /// Finds what no single line shows.
    fn check(&self, faults: &mut Vec<Misspelt>) {
        let mut ids = BTreeSet::new();
        let mut fault = |line, message| faults.push(Misspelt { line, message });
        for (line, device) in self.devices() {
            if !ids.insert(device.id.as_str()) {
                fault(*line, format!("{} is there more than once", device.id));
            }
        }
        for (line, device) in self.devices() {
            if device.rules.pace.down_after < device.rules.pace.interval {
                fault(*line, format!("{}: down_after must not be shorter than interval", device.id));
            }
            if device.rules.pace.timeout >= device.rules.pace.interval {
                fault(*line, format!("{}: timeout must be shorter than interval", device.id));
            }
        }
        let upstreams: BTreeMap<&str, &str> =
            self.devices().filter_map(|(_, device)| Some((device.id.as_str(), device.upstream()?))).collect();
        for (line, device) in self.devices() {
            let mut ancestors = std::iter::successors(device.upstream(), |id| upstreams.get(id).copied());
            if ancestors.by_ref().take(MAX_LEVELS).any(|id| device.id == id) || ancestors.next().is_some() {
                fault(*line, format!("{} is upstream of itself: one of them must be reached another way", device.id));
            }
        }
        let units: BTreeSet<&str> = self.units.iter().map(|(_, unit)| unit.id.as_str()).collect();
        if let Some((line, canary)) = self.canary.as_ref().filter(|(_, canary)| !units.contains(canary.unit.as_str())) {
            fault(*line, format!("{:?} is no unit of this story", canary.unit));
        }
        self.check_events(&ids, &units, fault);
    }

    /// Finds events that are about what is not there.
    fn check_events(&self, ids: &BTreeSet<&str>, units: &BTreeSet<&str>, mut fault: impl FnMut(usize, String)) {
        for event in &self.events {
            if let Some(message) = self.stranger(&event.action, ids, units) {
                fault(event.line, message);
            }
        }
    }

    /// Whom an event names that the story does not have.
    fn stranger(&self, action: &Action, ids: &BTreeSet<&str>, units: &BTreeSet<&str>) -> Option<String> {
        match action {
            Action::Answer(subject, ..)
            | Action::Lose(subject, _)
            | Action::Agent(subject, _)
            | Action::Trap(subject, _) => {
                if !self.devices().any(|(_, device)| subject.covers(&device.id, &device.role)) {
                    return Some(format!("\"{subject}\" is no device of this story"));
                }
            }
            Action::Work(unit, _)
            | Action::Order(unit, _)
            | Action::Write(Post { about: About::Reply { unit, .. } | About::Claim { unit }, .. })
            | Action::Open(unit, ..)
            | Action::Survey(unit, ..)
            | Action::Expect(
                Expectation::Case(unit, ..)
                | Expectation::NoCase(unit)
                | Expectation::Level(unit, _)
                | Expectation::Owner(unit, _)
                | Expectation::Queue(unit, _),
            ) => {
                if !units.contains(unit.as_str()) {
                    return Some(format!("{unit:?} is no unit of this story"));
                }
            }
            Action::Expect(Expectation::Verdict(device, _) | Expectation::Agent(device, _)) => {
                if !ids.contains(device.as_str()) {
                    return Some(format!("{device:?} is no device of this story"));
                }
            }
            Action::Messenger(name, _) | Action::Expect(Expectation::Notices(name, _)) => {
                if !self.people.has_messenger(name) {
                    return Some(format!("{name:?} is no messenger of this story"));
                }
            }
            Action::Duty(staff, _) => {
                if !self.people.has(staff) {
                    return Some(format!("{staff:?} is none of the staff of this story"));
                }
            }
            Action::Contract(id, _) => {
                if !self.people.has_contract(id) {
                    return Some(format!("{id:?} is no contract of this story"));
                }
            }
            Action::Stop
            | Action::Start
            | Action::Crash
            | Action::Suspend
            | Action::Resume
            | Action::Clock(_)
            | Action::Mail { .. }
            | Action::Uplink { .. }
            | Action::Resolver { .. }
            | Action::Maintain(..)
            | Action::Update(_)
            | Action::Bounce(_)
            | Action::Contact(..)
            | Action::Write(Post { about: About::Subject(_), .. })
            | Action::Expect(
                Expectation::Cases(_)
                | Expectation::Alerts(_)
                | Expectation::Umbrellas(_)
                | Expectation::Mails(..)
                | Expectation::Surveys(..)
                | Expectation::Letters(..)
                | Expectation::Alarm(..),
            ) => {}
        }
        None
    }

    fn windows(&self) -> Vec<Window> {
        let window = |(number, (_, scope, times, emergency)): (usize, &(usize, Scope, Range<Duration>, bool))| Window {
            id: format!("planned-{number}"),
            scope: scope.clone(),
            from: Time::from_millis(0) + times.start,
            until: Time::from_millis(0) + times.end,
            emergency: *emergency,
            note: None,
        };
        (1..).zip(&self.maintenance).map(window).collect()
    }

    fn finish(mut self) -> Story {
        self.events.sort_by_key(|event| event.at);
        let names: BTreeMap<&str, Customer> = self
            .units
            .iter()
            .filter_map(|(_, unit)| Some(unit.circuit()?.customer.as_str()))
            .map(|id| {
                let email = vec![format!("{id}@customer.example")];
                let languages = self.people.languages(id);
                let survey = self.people.survey(id);
                let name = id.to_owned();
                (id, Customer { id: name.clone(), name, email, languages, survey, ..Customer::default() })
            })
            .collect();
        let customers = names.into_values().collect();
        let surveys = self.people.surveys();
        let (parties, roster) = std::mem::take(&mut self.people).finish();
        let plan = Plan {
            customers,
            devices: self.devices().map(|(_, device)| Arc::new(device.clone())).collect(),
            stability: self.settings.stability,
            pledges: self.settings.pledges,
            escalation: Matrix(Level::ALL.map(|level| vec![format!("{}@example.net", level.name().to_lowercase())])),
            noc: vec!["noc@example.net".into()],
            maintenance: self.windows(),
            canary: self.canary.map(|(_, canary)| canary),
            parties,
            roster,
            surveys,
        };
        Story { plan, events: self.events, until: self.until }
    }
}
