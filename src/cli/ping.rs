//! `ping`: a few probes of one device, beside the daemon, with all that comes back.

use super::client::{Client, encode};
use super::print::{field, parse, time};
use super::{Common, Exit, Failure, Page, run};
use crate::config::{self, nearest};
use crate::domain::watch::{
    Ask, Device, Host, Outcome, Probe, ProbeResult, Round, Slot, SnmpAccess, SnmpSample, Undelivered,
};
use crate::engine::{Deliver, ProbeEngine, StartError, icmp, snmp};
use crate::text::{many, obstacle_words, parse_duration};
use core::net::IpAddr;
use core::time::Duration;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Echoes at most.
const MAX_COUNT: i64 = 10_000;
/// Time between echoes at least: more often is no look at a line but a load on it.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

/// Ask a unit, node or sentinel a few times, with all that comes back
///
/// Beside the daemon, which takes no notice, and with the same engine: an answer counts by the same rules. Exits with 0 if anything
/// was answered, with 1 if nothing was.
#[derive(Debug, clap::Args)]
pub(super) struct Ping {
    /// The id of the unit, node or sentinel
    #[arg(value_name = "UNIT")]
    id: String,
    /// How many echoes
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=MAX_COUNT))]
    count: u32,
    /// Time between them, 200ms at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Ask its SNMP agent once as well
    #[arg(long)]
    snmp: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if interval < MIN_INTERVAL { Err("is too short: 200ms at least".to_owned()) } else { Ok(interval) }
}

pub(super) fn perform(ping: &Ping, common: &Common, page: &mut Page) -> Result<(), Failure> {
    let device = find(&ping.id, common)?;
    let access = match (ping.snmp, &device.rules.snmp) {
        (true, None) => {
            return Err(Failure::new(Exit::Data, format!("{} has no `snmp` in the configuration", ping.id)));
        }
        (true, Some(access)) => Some(access),
        (false, _) => None,
    };
    let address = resolve(&device.host)?;
    let (sender, inbox) = mpsc::channel();
    let engine = icmp::start(deliver(sender.clone())).map_err(not_started)?;
    let known = known(&ping.id, common);
    if !page.json {
        page.line(&format!("{} at {address}: {}", device.id, many(ping.count as usize, "probe")))?;
        page.line(&known.as_ref().map_or_else(|| "no daemon answers".to_owned(), says_of_it))?;
        page.flush()?;
    }
    let asked = Asked { address, timeout: device.rules.pace.timeout };
    keep_time(ping, sender);
    let tries = echoes(ping, &asked, &engine, &inbox, page)?;
    drop(engine);
    let agent = access.map(|access| ask_agent(&asked, access)).transpose()?;
    let summary = Summary::of(&tries);
    if page.json {
        let answer = json!({
            "id": device.id.as_str(), "address": address.to_string(), "daemon": known, "summary": summary.fields(),
            "echoes": tries.iter().map(fields).collect::<Vec<_>>(), "snmp": agent.as_ref().map(fields),
        });
        page.raw(answer.to_string().as_bytes())?;
    } else {
        page.line(&summary.words())?;
        if let Some(agent) = &agent {
            page.line(&format!("SNMP: {}", words(agent)))?;
        }
    }
    page.flush()?;
    if summary.rtts.is_empty() && agent.is_none_or(|outcome| rtt(&outcome).is_none()) {
        return Err(Failure::new(Exit::Unmet, format!("nothing came back from {}", device.id)));
    }
    Ok(())
}

fn find(id: &str, common: &Common) -> Result<Arc<Device>, Failure> {
    let file = common.config()?;
    let config = config::read(file, run::credentials().as_deref())
        .map_err(|faults| Failure::Listed(Exit::Config, faults.to_string()))?;
    let devices = &config.plan.devices;
    devices.iter().find(|device| device.id == id).cloned().ok_or_else(|| {
        let ids: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
        Failure::new(Exit::Data, format!("no unit, node or sentinel {id:?} in {}{}", file.display(), nearest(id, &ids)))
    })
}

fn resolve(host: &Host) -> Result<IpAddr, Failure> {
    let name: &str = match host {
        Host::Address(address) => return Ok(*address),
        Host::Name(name) => name,
    };
    let found = (name, 0).to_socket_addrs().map(|mut found| found.next());
    match found {
        Ok(Some(address)) => Ok(address.ip()),
        Ok(None) => Err(Failure::new(Exit::Unavailable, format!("{name:?} has no address"))),
        Err(e) => Err(Failure::new(Exit::Unavailable, format!("{name:?} has no address: {e}"))),
    }
}

fn not_started(error: StartError) -> Failure {
    match error {
        StartError::NoRight => Failure::new(Exit::NoPermission, format!("{error}; or ask as root")),
        StartError::Socket(_) | StartError::Thread(_) => Failure::new(Exit::OsError, error.to_string()),
    }
}

/// What the daemon has of the device, if one runs.
fn known(id: &str, common: &Common) -> Option<Value> {
    let body = common.client().and_then(|client: Client| client.get(&format!("/api/units/{}", encode(id)))).ok()?;
    parse(&body).ok()
}

fn says_of_it(unit: &Value) -> String {
    let (verdict, reason) = (field(unit, "verdict"), field(unit, "reason"));
    let (since, contact) = (time(unit, "since"), time(unit, "last_contact_at"));
    format!("the daemon says {verdict} ({reason}) since {since}, last contact {contact}")
}

/// What the asking waits for.
enum Event {
    /// It is time for the next echo.
    Due,
    Results(Vec<ProbeResult>),
}

fn deliver(sender: Sender<Event>) -> Deliver {
    Box::new(move |batch| {
        sender.send(Event::Results(batch)).map_err(|refused| match refused.0 {
            Event::Results(batch) => batch,
            Event::Due => Vec::new(),
        })
    })
}

fn keep_time(ping: &Ping, sender: Sender<Event>) {
    let (count, interval) = (ping.count, ping.interval);
    thread::spawn(move || {
        for _ in 0..count {
            // nobody waits any more
            if sender.send(Event::Due).is_err() {
                return;
            }
            thread::sleep(interval);
        }
    });
}

/// Whom the probes are for.
struct Asked {
    address: IpAddr,
    timeout: Duration,
}

impl Asked {
    fn probe(&self, round: Round, ask: Ask) -> Vec<Probe> {
        vec![Probe { slot: Slot(0), round, address: self.address, timeout: self.timeout, ask }]
    }
}

/// Sends the echoes, and prints what becomes of each as soon as that is known; all of it, in the order in which they were sent.
fn echoes(
    ping: &Ping,
    asked: &Asked,
    engine: &ProbeEngine,
    inbox: &Receiver<Event>,
    page: &mut Page,
) -> Result<Vec<Outcome>, Failure> {
    let mut sent = 0;
    let mut results = Vec::new();
    while results.len() < ping.count as usize {
        match inbox.recv().map_err(|_| died())? {
            Event::Due => {
                sent += 1;
                engine.send(asked.probe(sent, Ask::Icmp));
            }
            Event::Results(batch) => {
                for result in batch {
                    if !page.json {
                        page.line(&format!("{}: {}", result.round, words(&result.outcome)))?;
                        page.flush()?;
                    }
                    results.push((result.round, result.outcome));
                }
            }
        }
    }
    results.sort_by_key(|(round, _)| *round);
    Ok(results.into_iter().map(|(_, outcome)| outcome).collect())
}

fn ask_agent(asked: &Asked, access: &Arc<SnmpAccess>) -> Result<Outcome, Failure> {
    let (sender, inbox) = mpsc::channel();
    let engine = snmp::start(deliver(sender)).map_err(not_started)?;
    engine.send(asked.probe(1, Ask::Snmp(Arc::clone(access))));
    loop {
        if let Event::Results(batch) = inbox.recv().map_err(|_| died())?
            && let Some(result) = batch.into_iter().next()
        {
            return Ok(result.outcome);
        }
    }
}

fn died() -> Failure {
    Failure::new(Exit::Software, "the probe engine has ended before its probes did")
}

fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1_000.0)
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { rtt, sample: None } => format!("answered in {}", ms(*rtt)),
        Outcome::Answered { rtt, sample: Some(sample) } => {
            let told: Vec<_> = told(sample).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("answered in {}: {}", ms(*rtt), told.join(", "))
        }
        Outcome::Rejected { rtt, why } => format!("refused in {}: {why}", ms(*rtt)),
        Outcome::Lost { witness: None } => "no answer".to_owned(),
        Outcome::Lost { witness: Some(Undelivered { why, router }) } => {
            format!("no answer; router {router} says: {}", obstacle_words(*why))
        }
        Outcome::NotSent { why } => format!("not sent: {why}"),
    }
}

fn fields(outcome: &Outcome) -> Value {
    let rtt = rtt(outcome).map(|rtt| rtt.as_secs_f64() * 1_000.0);
    match outcome {
        Outcome::Answered { sample: None, .. } => json!({ "outcome": "answered", "rtt_ms": rtt }),
        Outcome::Answered { sample: Some(sample), .. } => {
            let told: serde_json::Map<String, Value> =
                told(sample).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            json!({ "outcome": "answered", "rtt_ms": rtt, "sample": told })
        }
        Outcome::Rejected { why, .. } => json!({ "outcome": "rejected", "rtt_ms": rtt, "why": why }),
        Outcome::Lost { witness } => json!({
            "outcome": "lost",
            "why": witness.map(|witness| witness.why.name()),
            "router": witness.map(|witness| witness.router.to_string()),
        }),
        Outcome::NotSent { why } => json!({ "outcome": "not_sent", "why": why }),
    }
}

/// Contact of any kind.
const fn rtt(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Answered { rtt, .. } | Outcome::Rejected { rtt, .. } => Some(*rtt),
        Outcome::Lost { .. } | Outcome::NotSent { .. } => None,
    }
}

/// What an agent told, under the names of the API.
fn told(sample: &SnmpSample) -> Vec<(&'static str, u64)> {
    let SnmpSample { uptime_cs, oper_status, in_octets, out_octets, in_errors, out_errors, .. } = sample;
    [
        ("uptime_cs", uptime_cs.map(u64::from)),
        ("oper_status", oper_status.map(u64::from)),
        ("in_octets", *in_octets),
        ("out_octets", *out_octets),
        ("in_errors", *in_errors),
        ("out_errors", *out_errors),
        ("in_packets", sample.in_packets),
        ("out_packets", sample.out_packets),
        ("engine_boots", sample.engine_boots.map(u64::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// All echoes together.
struct Summary {
    sent: usize,
    /// In ascending order.
    rtts: Vec<Duration>,
}

impl Summary {
    fn of(outcomes: &[Outcome]) -> Self {
        let sent = outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::NotSent { .. })).count();
        let mut rtts: Vec<_> = outcomes.iter().filter_map(rtt).collect();
        rtts.sort_unstable();
        Self { sent, rtts }
    }

    /// In percent of what was sent.
    fn loss(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { (self.sent - self.rtts.len()) as f64 * 100.0 / self.sent as f64 }
    }

    /// The shortest, the mean, that below which 95 % are (by nearest rank), and the longest.
    fn spread(&self) -> Option<[Duration; 4]> {
        let (first, last) = (self.rtts.first()?, self.rtts.last()?);
        let count = u32::try_from(self.rtts.len()).unwrap_or(u32::MAX);
        let p95 = self.rtts[(self.rtts.len() * 95).div_ceil(100) - 1];
        Some([*first, self.rtts.iter().sum::<Duration>() / count, p95, *last])
    }

    fn words(&self) -> String {
        let counts = format!("{} sent, {} received, {:.1} % lost", self.sent, self.rtts.len(), self.loss());
        match self.spread().map(|spread| spread.map(ms)) {
            Some([min, avg, p95, max]) => format!("{counts}; round trip min {min}, avg {avg}, p95 {p95}, max {max}"),
            None => counts,
        }
    }

    fn fields(&self) -> Value {
        let spread = self.spread().map(|spread| spread.map(|rtt| rtt.as_secs_f64() * 1_000.0));
        let of = |place: usize| spread.map(|spread| spread[place]);
        json!({
            "sent": self.sent, "received": self.rtts.len(), "loss_percent": self.loss(),
            "min_ms": of(0), "avg_ms": of(1), "p95_ms": of(2), "max_ms": of(3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_was_sent_and_ranks_what_came_back() {
        let answered = |millis| Outcome::Answered { rtt: Duration::from_millis(millis), sample: None };
        let mut outcomes: Vec<_> = (1..=20).rev().map(answered).collect();
        outcomes.extend([Outcome::LOST, Outcome::NotSent { why: "no route".to_owned() }]);
        let summary = Summary::of(&outcomes);
        assert_eq!(
            summary.words(),
            "21 sent, 20 received, 4.8 % lost; round trip min 1.00 ms, avg 10.50 ms, p95 19.00 ms, max 20.00 ms"
        );
        assert_eq!(Summary::of(&[Outcome::LOST]).words(), "1 sent, 0 received, 100.0 % lost");
        assert_eq!(Summary::of(&outcomes[21..]).words(), "0 sent, 0 received, 0.0 % lost");
    }

    #[test]
    fn a_loss_says_what_the_router_says() {
        let word = Undelivered { why: crate::domain::watch::Obstacle::Host, router: [192, 0, 2, 1].into() };
        let lost = Outcome::Lost { witness: Some(word) };
        assert_eq!(words(&lost), "no answer; router 192.0.2.1 says: host unreachable");
        assert_eq!(fields(&lost), json!({ "outcome": "lost", "why": "host_unreachable", "router": "192.0.2.1" }));
    }
}
