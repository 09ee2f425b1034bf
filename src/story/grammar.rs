//! The language of stories: from text to a plan and a list of events.

use crate::domain::desk::{Priority, Stage, WaitingOn};
use crate::domain::party::Customer;
use crate::domain::plan::{Plan, Stability};
use crate::domain::turn::Command;
use crate::domain::watch::{Circuit, Device, Pace, Role, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A story, read and checked.
#[derive(Clone, Debug)]
pub struct Story {
    /// What is watched, and by which rules.
    pub plan: Plan,
    /// What happens, in order of time.
    pub events: Vec<Event>,
    /// When it ends.
    pub until: Duration,
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, from the beginning of the story.
    pub at: Duration,
    /// Line of the file, from 1.
    pub line: usize,
    /// What.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// Lines answer from now on.
    Answer(Subject, Duration),
    /// Lines lose this share of probes from now on.
    Lose(Subject, f64),
    /// The daemon is stopped in good order.
    Stop,
    /// The daemon is started.
    Start,
    /// The daemon is killed.
    Crash,
    /// The daemon gets no time.
    Suspend,
    /// The daemon goes on.
    Resume,
    /// The wall clock is set, by milliseconds.
    Clock(i64),
    /// The mail server puts every letter off, or takes it again.
    Mail {
        /// Whether it puts letters off.
        refused: bool,
    },
    /// The monitor's own uplink breaks, or is mended.
    Uplink {
        /// Whether it is cut.
        cut: bool,
    },
    /// A person works on the unit's open case.
    Work(String, Command),
    /// A person opens a case about the unit.
    Open(String, Priority),
    /// Something that must be so now.
    Expect(Expectation),
}

/// Which devices a line of the story is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All of them.
    All,
    /// The sentinels.
    Sentinels,
    /// Those whose id begins so.
    Prefix(String),
    /// This one.
    One(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sentinels => f.write_str("sentinels"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::One(id) => f.write_str(id),
        }
    }
}

impl Subject {
    /// Whether the device belongs to it.
    #[must_use]
    pub fn covers(&self, id: &str, role: &Role) -> bool {
        match self {
            Self::All => true,
            Self::Sentinels => *role == Role::Sentinel(_),
            Self::Prefix(prefix) => id.starts_with(prefix.as_str()),
            Self::One(one) => id == one,
        }
    }
}

/// What an `expect` line expects.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The unit's latest case has this priority and stage.
    Case(String, Priority, &'static str),
    /// The unit has no case that is not closed.
    NoCase(String),
    /// The device has this verdict.
    Verdict(String, Verdict),
    /// So many cases were opened so far.
    Cases(usize),
}

/// A line that is not of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Misspelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

type Keys<'a> = BTreeMap<&'a str, &'a str>;

/// The keys that a `config` line may set, with their defaults.
#[derive(Clone, Copy)]
struct Settings {
    pace: Pace,
    stability: Stability,
}

/// Devices that a story may have: as many as the daemon is made for.
const MAX_DEVICES: usize = 1_000_000;

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
            },
            stability: Stability { p1: Duration::from_secs(24 * HOUR), p2: Duration::from_secs(72 * HOUR) },
        }
    }
}

impl Settings {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let place = match key {
            "interval" => &mut self.pace.interval,
            "timeout" => &mut self.pace.timeout,
            "down_after" => &mut self.pace.down_after,
            "solve_after" => &mut self.pace.solve_after,
            "p1" => &mut self.stability.p1,
            "p2" => &mut self.stability.p2,
            _ => {
                return Err(format!(
                    "unknown setting {key:?}: use interval, timeout, down_after, solve_after, p1 or p2"
                ));
            }
        };
        *place = duration(value)?;
        Ok(())
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
        draft.check(&mut faults);
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() { Ok(draft.finish()) } else { Err(faults) }
    }
}

impl Draft {
    fn take(&mut self, line: usize, words: &[&str]) -> Result<(), String> {
        match words {
            [] => Ok(()),
            ["config", keys @ ..] => {
                for (key, value) in pairs(keys)? {
                    self.settings.set(key, value)?;
                }
                Ok(())
            }
            ["unit", id, keys @ ..] => {
                let unit = self.unit(id, &pairs(keys)?)?;
                self.units.push((line, unit));
                Ok(())
            }
            ["units", prefix, range, keys @ ..] => {
                let keys = pairs(keys)?;
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
                    let unit = self.unit(&format!("{prefix}{n}"), &keys)?;
                    self.units.push((line, unit));
                }
                Ok(())
            }
            ["node", id, keys @ ..] => {
                let node = self.device(id, Role::Node, &pairs(keys)?)?;
                self.nodes.push((line, node));
                Ok(())
            }
            ["sentinel", id] => {
                let mut sentinel = self.device(id, Role::Sentinel(_), &Keys::new())?;
                sentinel.pace.interval = crate::domain::watch::SENTINEL_INTERVAL;
                sentinel.pace.timeout = sentinel.pace.timeout.min(crate::domain::watch::SENTINEL_TIMEOUT);
                self.sentinels.push((line, sentinel));
                Ok(())
            }
            ["at", time, rest @ ..] => {
                let event = Event { at: duration(time)?, line, action: action(rest)? };
                self.until = self.until.max(event.at);
                self.events.push(event);
                Ok(())
            }
            ["until", time] => {
                self.until = self.until.max(duration(time)?);
                Ok(())
            }
            ["unit"] => Err("write: unit ID customer=…".into()),
            ["units", ..] => Err("write: units PREFIX 1..500 customer=…".into()),
            ["node"] => Err("write: node ID".into()),
            ["sentinel", ..] => Err("write: sentinel ID".into()),
            ["at"] => Err("write: at 1h9m59s …".into()),
            ["until", ..] => Err("write: until 60h".into()),
            [first, ..] => {
                Err(format!("a line begins with config, unit, units, node, sentinel, at or until, not with {first:?}"))
            }
        }
    }

    fn unit(&self, id: &str, keys: &Keys<'_>) -> Result<Device, String> {
        let get = |key, default: &str| keys.get(key).copied().unwrap_or(default).to_owned();
        let circuit = Circuit {
            customer: keys.get("customer").ok_or("a unit needs customer=…")?.to_string(),
            order: get("order", &format!("SO-{id}")),
            service: get("service", "DIA"),
            region: get("region", "EMEA"),
            ttr: duration(&get("ttr", "4h"))?,
            supplier: keys.get("supplier").map(|&supplier| supplier.to_owned()),
        };
        self.device(id, Role::Unit(circuit), keys)
    }

    fn device(&self, id: &str, role: Role, keys: &Keys<'_>) -> Result<Device, String> {
        let mut settings = self.settings;
        for (&key, &value) in keys {
            match key {
                "customer" | "order" | "service" | "region" | "ttr" | "supplier" if matches!(role, Role::Unit(_)) => {}
                "upstream" => {}
                _ => settings.set(key, value)?,
            }
        }
        Ok(Device {
            id: id.to_owned(),
            role,
            host: "192.0.2.1".into(),
            upstream: keys.get("upstream").map(|&upstream| upstream.to_owned()),
            icmp: true,
            snmp: None,
            pace: settings.pace,
        })
    }

    fn devices(&self) -> impl Iterator<Item = &(usize, Device)> {
        self.units.iter().chain(&self.nodes).chain(&self.sentinels)
    }

    /// An upstream that the story does not describe is a node that answers.
    fn add_upstreams(&mut self) {
        let known: BTreeSet<&str> = self.devices().map(|(_, device)| device.id.as_str()).collect();
        let missing: BTreeMap<String, usize> = self
            .devices()
            .filter_map(|(line, device)| Some((device.upstream.clone()?, *line)))
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
            if device.pace.down_after < device.pace.interval {
                fault(*line, format!("{}: down_after must not be shorter than interval", device.id));
            }
            if device.pace.timeout >= device.pace.interval {
                fault(*line, format!("{}: timeout must be shorter than interval", device.id));
            }
        }
        let units: BTreeSet<&str> = self.units.iter().map(|(_, unit)| unit.id.as_str()).collect();
        for event in &self.events {
            match &event.action {
                Action::Answer(subject, _) | Action::Lose(subject, _) => {
                    if !self.devices().any(|(_, device)| subject.covers(&device.id, &device.role)) {
                        fault(event.line, format!("\"{subject}\" is no device of this story"));
                    }
                }
                Action::Work(unit, _)
                | Action::Open(unit, _)
                | Action::Expect(Expectation::Case(unit, ..) | Expectation::NoCase(unit)) => {
                    if !units.contains(unit.as_str()) {
                        fault(event.line, format!("{unit:?} is no unit of this story"));
                    }
                }
                Action::Expect(Expectation::Verdict(device, _)) => {
                    if !ids.contains(device.as_str()) {
                        fault(event.line, format!("{device:?} is no device of this story"));
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
                | Action::Expect(Expectation::Cases(_)) => {}
            }
        }
    }

    fn finish(mut self) -> Story {
        self.events.sort_by_key(|event| event.at);
        let names: BTreeMap<&str, Customer> = self
            .units
            .iter()
            .filter_map(|(_, unit)| match &unit.role {
                Role::Unit(circuit) => Some(circuit.customer.as_str()),
                Role::Node | Role::Sentinel(_) => None,
            })
            .map(|id| {
                let email = vec![format!("{id}@customer.example")];
                (id, Customer { id: id.into(), name: id.into(), email })
            })
            .collect();
        let plan = Plan {
            customers: names.into_values().collect(),
            devices: self.devices().map(|(_, device)| Arc::new(device.clone())).collect(),
            stability: self.settings.stability,
            noc: vec!["noc@example.net".into()],
        };
        Story { plan, events: self.events, until: self.until }
    }
}

fn pairs<'a>(words: &[&'a str]) -> Result<Keys<'a>, String> {
    words
        .iter()
        .map(|word| word.split_once('=').ok_or_else(|| format!("{word:?} is not of the form key=value")))
        .collect()
}

fn subject(word: &str) -> Subject {
    match (word, word.strip_suffix('*')) {
        ("all", _) => Subject::All,
        ("sentinels", _) => Subject::Sentinels,
        (_, Some(prefix)) => Subject::Prefix(prefix.to_owned()),
        (_, None) => Subject::One(word.to_owned()),
    }
}

fn action(words: &[&str]) -> Result<Action, String> {
    Ok(match words {
        ["monitor", "stop"] => Action::Stop,
        ["monitor", "start"] => Action::Start,
        ["monitor", "crash"] => Action::Crash,
        ["monitor", "suspend"] => Action::Suspend,
        ["monitor", "resume"] => Action::Resume,
        ["clock", step] => Action::Clock(clock_step(step)?),
        ["mail", "refuse"] => Action::Mail { refused: true },
        ["mail", "accept"] => Action::Mail { refused: false },
        ["uplink", "cut"] => Action::Uplink { cut: true },
        ["uplink", "mend"] => Action::Uplink { cut: false },
        ["case", unit, "open", name] => Action::Open((*unit).to_owned(), priority(name)?),
        ["case", unit, rest @ ..] => Action::Work((*unit).to_owned(), command(rest)?),
        ["expect", rest @ ..] => Action::Expect(expectation(rest)?),
        [who, "silent"] => Action::Lose(subject(who), 1.0),
        [who, "lose", share] => Action::Lose(subject(who), percent(share)?),
        [who, "answer", rtt] => Action::Answer(subject(who), duration(rtt)?),
        [] => return Err("say what happens at that time".into()),
        [..] => {
            return Err(format!(
                "{:?} is no event: use SUBJECT silent, SUBJECT answer 12ms, SUBJECT lose 30%, monitor …, clock +1h, \
                 mail refuse|accept, uplink cut|mend, case UNIT … or expect …",
                words.join(" ")
            ));
        }
    })
}

fn command(words: &[&str]) -> Result<Command, String> {
    let note = |words: &[&str]| (!words.is_empty()).then(|| words.join(" "));
    Ok(match words {
        ["take"] => Command::Take,
        ["note", text @ ..] if !text.is_empty() => Command::Note { text: text.join(" ") },
        ["wait", on, rest @ ..] => {
            let on = WaitingOn::ALL.into_iter().find(|party| party.name() == *on);
            Command::Wait { on: on.ok_or("a case waits for customer, supplier or access")?, note: note(rest) }
        }
        ["solve", rest @ ..] => Command::Solve { note: note(rest) },
        ["return", rest @ ..] => Command::Return { note: note(rest) },
        [..] => return Err("a case can be told: open P1|P2, take, note TEXT, wait PARTY, solve or return".into()),
    })
}

fn expectation(words: &[&str]) -> Result<Expectation, String> {
    Ok(match words {
        ["case", unit, name, stage] => Expectation::Case((*unit).to_owned(), priority(name)?, stage_name(stage)?),
        ["no", "case", unit] => Expectation::NoCase((*unit).to_owned()),
        ["verdict", device, name] => {
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.name() == *name);
            Expectation::Verdict((*device).to_owned(), verdict.ok_or_else(|| format!("{name:?} is no verdict"))?)
        }
        ["cases", count] => Expectation::Cases(count.parse().map_err(|_| format!("{count:?} is no number"))?),
        [..] => {
            return Err("expect one of: case UNIT P1|P2 STAGE, no case UNIT, verdict DEVICE VERDICT, cases N".into());
        }
    })
}

fn priority(name: &str) -> Result<Priority, String> {
    Priority::ALL
        .into_iter()
        .find(|priority| priority.name() == name)
        .ok_or_else(|| format!("{name:?} is no priority: use P1 or P2"))
}

fn stage_name(name: &str) -> Result<&'static str, String> {
    Stage::NAMES
        .into_iter()
        .find(|stage| *stage == name)
        .ok_or_else(|| format!("{name:?} is no stage: use {}", Stage::NAMES.join(", ")))
}

fn percent(text: &str) -> Result<f64, String> {
    let share = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    match share {
        Some(share) if (0.0..=100.0).contains(&share) => Ok(share / 100.0),
        Some(_) | None => Err(format!("{text:?} is no share: write 0% to 100%")),
    }
}

fn clock_step(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) | None => return Err("write a step of the clock as +1h or -1h".into()),
    };
    let millis = i64::try_from(duration(rest)?.as_millis()).map_err(|_| "that is too far")?;
    Ok(sign * millis)
}

/// Reads "1h9m59s", "10m", "250ms", "3d".
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write it as 10s, 9m59s, 26h or 3d");
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 1_000 * MINUTE,
            "h" => 1_000 * HOUR,
            "d" => 24_000 * HOUR,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        sum += Duration::from_millis(number.checked_mul(millis).ok_or_else(wrong)?);
        rest = tail;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sum) }
}
