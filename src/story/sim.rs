//! A simulated world around the real core: lines, a mail server, a disk, and a daemon that can be stopped or killed.

use super::dice::Dice;
use super::disk::Disk;
use super::grammar::Agent;
use super::post::Post;
use super::site::Line;
use crate::domain::desk::{Alarm, Case, MailOutcome, RfoDocument, RfoOrder, Umbrella, WrittenRfo};
use crate::domain::fact::Fact;
use crate::domain::letter::{Delivery, Letter, LetterId, LetterState, SavedLetter};
use crate::domain::mail::{Incoming, MailId};
use crate::domain::notice::{hook, messenger};
use crate::domain::party::Tier;
use crate::domain::plan::Plan;
use crate::domain::time::{Calendar, Time};
use crate::domain::turn::{Input, Reply, Request, Turn, Wish};
use crate::domain::watch::{
    Ask, Chunk, Interval, MARK_EVERY, Method, Outcome, Probe, ProbeResult, Role, Round, Slot, Trap, TrapKind, Watch,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long the mail server takes for a letter.
const MAIL_TAKES: Duration = Duration::from_millis(50);

/// How long it takes to write a reason for outage.
const RFO_TAKES: Duration = Duration::from_millis(30);

/// What the daemon is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// It runs.
    Runs,
    /// It does not run.
    Stopped,
    /// It exists, but gets no time.
    Suspended,
}

/// The world with its daemon.
#[derive(Debug)]
pub struct Sim {
    plan: Plan,
    now: Time,
    /// Every line that there ever was.
    lines: Vec<Line>,
    /// The committed rate of each, in bits a second.
    rates: Vec<f64>,
    /// Which line each device has, by its id.
    line_of: BTreeMap<String, usize>,
    /// Which line each slot of the running daemon asks.
    seats: Vec<usize>,
    uplink_cut: bool,
    mail_refused: bool,
    mail_rejected: bool,
    /// How messengers do that are not well.
    messengers: BTreeMap<String, Receiver>,
    resolver_works: bool,
    /// Whether there are names to look up.
    names_wanted: bool,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    mail_in_flight: BinaryHeap<Reverse<(Time, LetterId)>>,
    rfos_in_flight: BinaryHeap<Reverse<(Time, RfoOrder)>>,
    inputs: Vec<Input>,
    results: Vec<ProbeResult>,
    dice: Dice,
    /// Decides about probes instead of the lines, if there is one.
    world: Option<Box<dyn World>>,
    monitor: Monitor,
    watch: Option<Box<Watch>>,
    turn: Turn,
    disk: Disk,
    calendar: Calendar,
    record: Vec<(Time, Fact)>,
    replies: Vec<Reply>,
    /// Turns until the daemon is killed, and whether that is just before or just after the commit.
    doom: Option<(u32, bool)>,
}

/// When a probe meets its fate, and which.
type InFlight = (Time, Slot, Round, Method, Fate);

/// What becomes of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// An answer comes after this time.
    Answered(Duration),
    /// One that refuses our credentials comes after this time.
    Rejected(Duration),
    /// No answer comes.
    Lost,
    /// Our own machine cannot send it.
    Unsent,
}

/// How a messenger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// It takes what it is sent.
    Up,
    /// It can't be talked to.
    Down,
    /// It puts everything off.
    Fails,
    /// It refuses everything for good.
    Refuses,
}

impl Receiver {
    fn delivery(&self) -> Delivery {
        match self {
            Self::Up => Delivery::Sent,
            Self::Down => Delivery::Unreachable("connection refused".into()),
            Self::Fails => Delivery::Deferred("500 Internal Server Error".into()),
            Self::Refuses => Delivery::Refused("404 Not Found".into()),
        }
    }
}

/// Something that knows what becomes of each probe: made-up weather, or recorded history.
pub trait World: core::fmt::Debug {
    /// What becomes of a probe that is sent at `at` by `method`. `line` is the device's place in the plan; a device
    /// that came with a later plan is counted on from there.
    fn fate(&mut self, line: usize, method: Method, at: Time) -> Fate;
}

impl Sim {
    /// A world in which every line is good, with a daemon that starts at `start`. Same seed, same history.
    #[must_use]
    pub fn new(plan: Plan, start: Time, seed: u64) -> Self {
        Self::made(plan, start, seed, None)
    }

    /// A daemon that starts at `start` in a world that decides by itself what becomes of probes; lines have no say.
    #[must_use]
    pub fn in_world(plan: Plan, start: Time, world: Box<dyn World>) -> Self {
        Self::made(plan, start, 0, Some(world))
    }

    fn made(plan: Plan, start: Time, seed: u64, world: Option<Box<dyn World>>) -> Self {
        let mut sim = Self {
            plan,
            now: start,
            lines: Vec::new(),
            rates: Vec::new(),
            line_of: BTreeMap::new(),
            seats: Vec::new(),
            uplink_cut: false,
            mail_refused: false,
            mail_rejected: false,
            messengers: BTreeMap::new(),
            resolver_works: true,
            names_wanted: false,
            in_flight: BinaryHeap::new(),
            mail_in_flight: BinaryHeap::new(),
            rfos_in_flight: BinaryHeap::new(),
            inputs: Vec::new(),
            results: Vec::new(),
            dice: Dice::new(seed),
            world,
            monitor: Monitor::Stopped,
            watch: None,
            turn: Turn::new(start),
            disk: Disk::default(),
            calendar: Calendar::default(),
            record: Vec::new(),
            replies: Vec::new(),
            doom: None,
        };
        sim.lay_lines();
        sim.start();
        sim
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What the daemon is doing.
    #[must_use]
    pub const fn monitor(&self) -> Monitor {
        self.monitor
    }

    /// The wall clock's calendar.
    #[must_use]
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The running watch.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.watch.as_deref()
    }

    /// Every ledger stretch that was committed.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.disk.intervals
    }

    /// Every stretch of single rounds that was committed.
    #[must_use]
    pub fn chunks(&self) -> &[(String, Chunk)] {
        &self.disk.chunks
    }

    /// How often this customer was asked how a case went.
    #[must_use]
    pub fn surveys_of(&self, customer: &str) -> usize {
        self.disk.asked.iter().filter(|asked| *asked == customer).count()
    }

    /// Alarms that stand.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.disk.alarms.values()
    }

    /// Every umbrella that was committed, in the order of opening.
    pub fn umbrellas(&self) -> impl DoubleEndedIterator<Item = &Umbrella> {
        self.disk.umbrellas.values()
    }

    /// Whether somebody of the staff has this id.
    #[must_use]
    pub fn has_staff(&self, id: &str) -> bool {
        self.plan.parties.staff.contains_key(id)
    }

    /// Every letter that was written, in the order of writing.
    #[must_use]
    pub fn letters(&self) -> &[Letter] {
        &self.disk.written
    }

    /// How many letters were written to this address.
    #[must_use]
    pub fn letters_to(&self, address: &str) -> usize {
        let is_held_back = |state: &LetterState| matches!(state, LetterState::Reserve | LetterState::Spared);
        let theirs = |(letter, state): &&(SavedLetter, LetterState)| letter.label.to == address && !is_held_back(state);
        self.disk.letters.values().filter(theirs).count()
    }

    /// What became of every message that was read.
    #[must_use]
    pub const fn mails(&self) -> &BTreeMap<MailId, MailOutcome> {
        &self.disk.mails
    }

    /// Messages that nobody has read yet.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.disk.unread.len()
    }

    /// Somebody writes.
    ///
    /// # Errors
    /// If there is nothing that the message could answer.
    pub fn receive(&mut self, post: &Post) -> Result<(), String> {
        let incoming = self.disk.incoming(post)?;
        self.take_in(incoming);
        Ok(())
    }

    /// The latest letter that the mail server took for an address comes back.
    ///
    /// # Errors
    /// If there is none.
    pub fn bounce(&mut self, address: &str) -> Result<(), String> {
        let incoming = self.disk.bounce(address)?;
        self.take_in(incoming);
        Ok(())
    }

    /// A message is kept before it is read: a daemon that starts reads what nobody has read.
    fn take_in(&mut self, incoming: Incoming) {
        self.disk.unread.insert(incoming.id, incoming.clone());
        if self.watch.is_some() {
            self.inputs.push(Input::Mailed(Box::new(incoming)));
        }
    }

    /// Every case that was committed, in the order of opening.
    pub fn cases(&self) -> impl DoubleEndedIterator<Item = &Case> {
        self.disk.cases.values().map(Arc::as_ref)
    }

    /// The facts committed since the last call.
    pub fn take_facts(&mut self) -> Vec<(Time, Fact)> {
        std::mem::take(&mut self.record)
    }

    /// Changes the lines of the devices that `which` picks by id and role.
    pub fn set_lines(&mut self, which: impl Fn(&str, &Role) -> bool, change: impl Fn(&mut Line)) {
        for device in self.plan.devices.iter().filter(|device| which(&device.id, &device.role)) {
            if let Some(&line) = self.line_of.get(device.id.as_str()) {
                change(&mut self.lines[line]);
            }
        }
    }

    /// A device has its line for good; a new one has a good line.
    fn lay_lines(&mut self) {
        for device in &self.plan.devices {
            if !self.line_of.contains_key(device.id.as_str()) {
                self.line_of.insert(device.id.to_string(), self.lines.len());
                self.lines.push(Line::GOOD);
                self.rates.push(rate(&device.role));
            }
        }
    }

    fn seat(&mut self) {
        let Some(watch) = &self.watch else { return };
        for (slot, device) in watch.devices() {
            if self.seats.len() <= slot.index() {
                self.seats.resize(slot.index() + 1, 0);
            }
            self.seats[slot.index()] = self.line_of.get(device.id.as_str()).copied().unwrap_or(0);
        }
    }

    /// Something happens to SNMP agents or their boxes.
    pub fn set_agents(&mut self, which: impl Fn(&str, &Role) -> bool, what: Agent) {
        for device in self.plan.devices.iter().filter(|device| which(&device.id, &device.role)) {
            if let Some(&line) = self.line_of.get(device.id.as_str()) {
                self.lines[line].change(what, rate(&device.role), self.now);
            }
        }
    }

    /// Devices say something unasked.
    pub fn send_traps(&mut self, which: impl Fn(&str, &Role) -> bool, says: &TrapKind) {
        let from = self.plan.devices.iter().filter(|device| which(&device.id, &device.role));
        let traps: Vec<Trap> = from
            .filter_map(|device| Some(Trap { from: device.host.address()?, says: says.clone(), interface: None }))
            .collect();
        if self.watch.is_some() && !traps.is_empty() {
            self.inputs.push(Input::Trapped(traps));
        }
    }

    /// Lets look-ups of host names fail, or work. What is known stays known.
    pub fn set_resolver(&mut self, works: bool) {
        self.resolver_works = works;
        self.names_wanted = true;
    }

    /// Finds the addresses of all devices with names, as the resolver does.
    fn look_up(&mut self) {
        if !self.resolver_works || !std::mem::take(&mut self.names_wanted) {
            return;
        }
        for (device, last) in self.plan.devices.iter().zip(1_u32..) {
            if let Some(host) = device.host.name() {
                let address = IpAddr::V4((u32::from_be_bytes([10, 200, 0, 0]) + last).into());
                let (device, host) = (device.id.to_string(), host.to_owned());
                self.inputs.push(Input::Resolved { device, host, address });
            }
        }
    }

    /// Puts another plan in force, now or at the next start.
    pub fn reload(&mut self, plan: Plan) {
        self.plan = plan;
        self.lay_lines();
        if self.watch.is_some() {
            self.inputs.push(Input::Planned(Box::new(self.plan.clone())));
        }
    }

    /// The order of a unit gets another time to repair.
    pub fn order(&mut self, unit: &str, ttr: Duration) {
        let mut plan = self.plan.clone();
        for device in plan.devices.iter_mut().filter(|device| device.id == unit) {
            if let Role::Unit(circuit) = &mut Arc::make_mut(device).role {
                Arc::make_mut(&mut circuit.terms).ttr = ttr;
            }
        }
        self.reload(plan);
    }

    /// A contract gets another tier.
    pub fn contract(&mut self, id: &str, tier: Tier) {
        let mut plan = self.plan.clone();
        let contracts = Arc::make_mut(&mut plan.parties).contracts.values_mut();
        contracts.filter(|contract| contract.id == id).for_each(|contract| contract.tier = tier);
        self.reload(plan);
    }

    /// A host name is found to have this address.
    pub fn resolve(&mut self, device: &str, address: IpAddr) {
        if self.watch.is_some() {
            let host = self.plan.devices.iter().find(|known| known.id == device).and_then(|known| known.host.name());
            self.inputs.extend(host.map(|host| Input::Resolved {
                device: device.to_owned(),
                host: host.to_owned(),
                address,
            }));
        }
    }

    /// Cuts the monitor's own uplink, so that its sends fail, or mends it.
    pub const fn set_uplink(&mut self, cut: bool) {
        self.uplink_cut = cut;
    }

    /// Lets the mail server put every letter off, or take it.
    pub const fn set_mail(&mut self, refused: bool) {
        self.mail_refused = refused;
    }

    /// Lets the mail server refuse every letter for good, or take it.
    pub const fn set_mail_rejected(&mut self, rejected: bool) {
        self.mail_rejected = rejected;
    }

    /// Lets a messenger do otherwise from now on.
    pub fn set_messenger(&mut self, name: &str, receiver: Receiver) {
        self.messengers.insert(name.to_owned(), receiver);
    }

    /// How many notices a messenger took.
    #[must_use]
    pub fn taken_by(&self, name: &str) -> usize {
        let to = hook(name);
        let taken =
            |(letter, state): &&(SavedLetter, LetterState)| letter.label.to == to && *state == LetterState::Sent;
        self.disk.letters.values().filter(taken).count()
    }

    /// How many messengers keep in mind that something is wrong.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.disk.alerts.len()
    }

    /// Sets the wall clock.
    pub fn step_clock(&mut self, by_ms: i64) {
        self.calendar.step(self.now, self.calendar.offset_ms(self.now) + by_ms);
        self.inputs.push(Input::ClockStepped { by_ms });
    }

    /// Starts the daemon from what is on the disk.
    pub fn start(&mut self) {
        self.turn.at = self.now;
        self.watch = Some(Box::new(Watch::start(self.disk.load(), &self.plan, &mut self.turn)));
        self.seat();
        self.monitor = Monitor::Runs;
        self.names_wanted = true;
        self.finish_turn();
        self.inputs.extend(self.disk.unread.values().cloned().map(|unread| Input::Mailed(Box::new(unread))));
    }

    /// Stops the daemon in good order.
    pub fn stop(&mut self) {
        if let Some(watch) = &mut self.watch {
            self.turn.at = self.now;
            watch.step(Input::Stopped, &mut self.turn);
            self.commit();
            self.kill();
        }
    }

    /// Kills the daemon: whatever is not on the disk is gone.
    pub fn kill(&mut self) {
        self.monitor = Monitor::Stopped;
        self.watch = None;
        self.turn.clear();
        self.in_flight.clear();
        self.mail_in_flight.clear();
        self.rfos_in_flight.clear();
        self.inputs.clear();
        self.doom = None;
    }

    /// Kills the daemon at a commit, `turns` durable turns from now: before it, or after it and before anything that
    /// follows from it was done.
    pub const fn kill_at_commit(&mut self, turns: u32, before: bool) {
        self.doom = Some((turns, before));
    }

    /// Takes the daemon off the processor, or puts it back.
    pub const fn suspend(&mut self, suspended: bool) {
        if self.watch.is_some() {
            self.monitor = if suspended { Monitor::Suspended } else { Monitor::Runs };
        }
    }

    /// Asks as a person and waits for the answer.
    pub fn ask(&mut self, wish: Wish) -> Option<Reply> {
        self.inputs.push(Input::Asked(Request { ticket: 0, by: "story".into(), wish }));
        self.step();
        self.replies.pop()
    }

    /// Lets the world go on up to `until`; what happens at that very instant is left to [`Sim::settle`].
    pub fn run_to(&mut self, until: Time) {
        loop {
            let next = match (self.monitor, &self.watch) {
                (Monitor::Runs, Some(watch)) => {
                    let result = self.in_flight.peek().map_or(until, |Reverse((at, ..))| *at);
                    let mail = self.mail_in_flight.peek().map_or(until, |Reverse((at, _))| *at);
                    let mail = mail.min(self.rfos_in_flight.peek().map_or(until, |Reverse((at, _))| *at));
                    let soon = if self.inputs.is_empty() { until } else { self.now };
                    Some(watch.next_due().min(result).min(mail).min(soon).max(self.now))
                }
                (Monitor::Runs | Monitor::Stopped | Monitor::Suspended, _) => None,
            };
            match next {
                Some(next) if next < until => {
                    self.now = next;
                    self.step();
                }
                Some(_) | None => {
                    self.now = until;
                    return;
                }
            }
        }
    }

    /// Lets the daemon do whatever is to be done at this instant.
    pub fn settle(&mut self) {
        while self.monitor == Monitor::Runs {
            self.step();
            let now = self.now;
            let later = |at: Option<Time>| at.is_none_or(|at| at > now);
            if later(self.watch.as_ref().map(|watch| watch.next_due()))
                && later(self.in_flight.peek().map(|Reverse((at, ..))| *at))
                && later(self.mail_in_flight.peek().map(|Reverse((at, _))| *at))
                && later(self.rfos_in_flight.peek().map(|Reverse((at, _))| *at))
            {
                return;
            }
        }
    }

    /// One turn of the daemon, as its main loop makes them.
    fn step(&mut self) {
        self.look_up();
        let Some(watch) = &mut self.watch else { return };
        self.turn.at = self.now;
        while let Some(&Reverse((at, slot, round, method, fate))) = self.in_flight.peek()
            && at <= self.now
        {
            self.in_flight.pop();
            let outcome = match fate {
                Fate::Answered(rtt) => {
                    let asked = self.seats[slot.index()];
                    let sample = || Box::new(self.lines[asked].sample(self.rates[asked], self.now));
                    Outcome::Answered { rtt, sample: (method == Method::Snmp).then(sample) }
                }
                Fate::Rejected(rtt) => Outcome::Rejected { rtt, why: "wrong digest" },
                Fate::Lost => Outcome::LOST,
                Fate::Unsent => Outcome::NotSent { why: "network is unreachable".into() },
            };
            self.results.push(ProbeResult { slot, round, method, outcome });
        }
        if !self.results.is_empty() {
            watch.step(Input::Probed(std::mem::take(&mut self.results)), &mut self.turn);
        }
        while let Some(&Reverse((at, letter))) = self.mail_in_flight.peek()
            && at <= self.now
        {
            self.mail_in_flight.pop();
            let to = self.disk.letters.get(&letter).and_then(|(letter, _)| messenger(&letter.label.to));
            let delivery = match (to, self.mail_rejected, self.mail_refused) {
                (Some(name), _, _) => self.messengers.get(name).map_or(Delivery::Sent, Receiver::delivery),
                (None, true, _) => Delivery::Refused("550 no".into()),
                (None, false, true) => Delivery::Deferred("450 try again later".into()),
                (None, false, false) => Delivery::Sent,
            };
            watch.step(Input::Attempted(letter, delivery), &mut self.turn);
        }
        while let Some(&Reverse((at, order))) = self.rfos_in_flight.peek()
            && at <= self.now
        {
            self.rfos_in_flight.pop();
            let document = RfoDocument { json: "{}".into(), sha256: "0".repeat(64), seal: 0 };
            let written = WrittenRfo { order, document: Some(document) };
            watch.step(Input::RfoWritten(Box::new(written)), &mut self.turn);
        }
        for input in self.inputs.drain(..) {
            watch.step(input, &mut self.turn);
        }
        watch.step(Input::Tick, &mut self.turn);
        self.finish_turn();
    }

    fn finish_turn(&mut self) {
        if let Some((turns, before)) = self.doom
            && self.turn.is_durable()
        {
            if turns == 0 {
                if !before {
                    self.commit();
                }
                self.kill();
                return;
            }
            self.doom = Some((turns - 1, before));
        }
        self.commit();
        if self.turn.replanned {
            self.seat();
        }
        let mut probes = std::mem::take(&mut self.turn.probes);
        for probe in probes.drain(..) {
            self.send(&probe);
        }
        self.turn.probes = probes;
        for letter in self.turn.deliver.drain(..) {
            self.mail_in_flight.push(Reverse((self.now + MAIL_TAKES, letter)));
        }
        for order in self.turn.rfo_orders.drain(..) {
            self.rfos_in_flight.push(Reverse((self.now + RFO_TAKES, order)));
        }
        self.replies.append(&mut self.turn.replies);
        self.turn.clear();
    }

    fn commit(&mut self) {
        let marked = self.disk.watched_until;
        if self.turn.is_durable() || marked.is_none_or(|at| self.now.since(at) >= MARK_EVERY) {
            self.disk.commit(&self.turn);
            self.record.extend(self.turn.facts.drain(..).map(|fact| (self.now, fact)));
        }
    }

    fn send(&mut self, probe: &Probe) {
        let seat = self.seats[probe.slot.index()];
        let method = match probe.ask {
            Ask::Icmp => Method::Icmp,
            Ask::Snmp(_) => Method::Snmp,
        };
        let fate = match &mut self.world {
            _ if self.uplink_cut => Fate::Unsent,
            Some(world) => world.fate(seat, method, self.now),
            None => self.lines[seat].fate(method, &mut self.dice),
        };
        let (after, fate) = match fate {
            Fate::Answered(rtt) | Fate::Rejected(rtt) if rtt <= probe.timeout => (rtt, fate),
            Fate::Answered(_) | Fate::Rejected(_) | Fate::Lost => (probe.timeout, Fate::Lost),
            Fate::Unsent => (Duration::ZERO, Fate::Unsent),
        };
        self.in_flight.push(Reverse((self.now + after, probe.slot, probe.round, method, fate)));
    }
}

/// Committed rate of a device's line, in bits a second.
fn rate(role: &Role) -> f64 {
    role.circuit().and_then(|circuit| circuit.terms.rate).unwrap_or(0) as f64
}
