//! A whole world: network, SNMP agent, mail server, configuration and daemon.

use crate::daemon::{self, Daemon, until};
use crate::net::{Net, Place, SENTINELS, V6};
use crate::post::{self, Letter, PORT, Sink};
use crate::snmpd::Snmpd;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a test's configuration says.
pub(crate) struct Setup<'a> {
    /// Tables of units, as [`unit`] writes them.
    pub(crate) units: Vec<String>,
    pub(crate) sentinels: &'a [&'a str],
    pub(crate) window: &'a str,
    /// Keys of `[detection]`, and tables that come after it.
    pub(crate) rules: &'a str,
    pub(crate) store: &'a str,
    /// Whether a P1 is closed only after a reason for outage was taken: "required" or "on_request".
    pub(crate) rfo: &'a str,
    /// The customer's name, as TOML writes it.
    pub(crate) customer: &'a str,
}

/// How devices are watched unless a test says otherwise. A third loss of a line within the hour is no case of its own
/// kind: whether it would be seen before the loss has lasted depends on how busy the machine is.
pub(crate) const RULES: &str = r#"
interval = "1s"
snmp_interval = "2s"
timeout = "300ms"
down_after = "4s"
solve_after = "3s"
[degraded]
flaps = "off"
"#;

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            sentinels: &SENTINELS,
            window: "8s",
            rules: RULES,
            store: "./ntuwatch.db",
            rfo: "required",
            customer: "\"Acme Ltd\"",
        }
    }
}

impl Setup<'_> {
    pub(crate) fn toml(&self) -> String {
        let Self { units, sentinels, window, rules, store, rfo, customer } = self;
        let units = units.concat();
        format!(
            r#"
[store]
path = "{store}"
[http]
listen = "127.0.0.1:9640"
socket = "./ntuwatch.sock"
[stability]
p1 = "{window}"
p2 = "{window}"
[rfo]
p1 = "{rfo}"
[mail]
from = "NOC <noc@example.net>"
noc = ["noc@example.net"]
smtp = "smtp://127.0.0.1:{PORT}"
[[customer]]
id = "acme"
name = {customer}
email = ["it@acme.example"]
{units}
[detection]
sentinels = {sentinels:?}
{rules}"#
        )
    }
}

/// The table of a unit, with further keys.
pub(crate) fn unit(id: &str, address: &str, keys: &str) -> String {
    format!(
        r#"
[[unit]]
id = "{id}"
customer = "acme"
address = "{address}"
order = "SO-{id}"
service = "DIA"
region = "EMEA"
ttr = "4h"
{keys}
"#
    )
}

/// How units are asked by SNMP.
pub(crate) const V2C: &str = r#"snmp = { version = "2c", community = "public", interface = 1 }"#;
pub(crate) const V3: &str = r#"snmp = { version = "3", user = "sha256", auth = "sha256", auth_password = "authpass256", privacy = "aes128", privacy_password = "privpass256" }"#;

/// The world. Dropping it ends it, the network last.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) sink: Option<Sink>,
    pub(crate) agent: Snmpd,
    pub(crate) folder: TempDir,
    pub(crate) net: Net,
}

impl World {
    /// One with a daemon that has answered. `None`, with a word on the console, where there can be none.
    pub(crate) fn new(setup: &Setup<'_>) -> Option<Self> {
        let net = Net::raise()?;
        let folder = tempfile::tempdir().unwrap();
        let sink = Some(Sink::start(&net, &folder.path().join("letters"), &[]));
        Self::with(net, folder, sink, setup)
    }

    pub(crate) fn with(net: Net, folder: TempDir, sink: Option<Sink>, setup: &Setup<'_>) -> Option<Self> {
        fs::write(daemon::config_file(folder.path()), setup.toml()).unwrap();
        // Over IPv6 snmpd answers from an address of the kernel's choice, unless it has but one.
        let addresses = V6.map(|address| format!(",udp6:[{address}]:161")).concat();
        let agent = Snmpd::start(Some(&net.namespace(Place::Units)), &format!("udp:161{addresses}"), "units")?;
        let mut daemon = Daemon::spawn(&net, folder.path());
        daemon.wait_until_up();
        Some(Self { daemon, sink, agent, folder, net })
    }

    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the daemon that has ended again.
    pub(crate) fn restart(&mut self) {
        self.daemon = Daemon::spawn(&self.net, self.folder.path());
        self.daemon.wait_until_up();
    }

    pub(crate) fn json(&self, path: &str) -> Option<Value> {
        let (status, body) = daemon::get(self.home(), path)?;
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    /// The daemon's judgement of itself.
    pub(crate) fn health(&self) -> Value {
        until("health", || daemon::get(self.home(), "/health").map(|(_, body)| serde_json::from_str(&body).unwrap()))
    }

    /// The value of a metric.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let (_, text) = until("metrics", || daemon::get(self.home(), "/metrics"));
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// What the journal has of a kind, oldest first: device and particulars.
    pub(crate) fn journal(&self, kind: &str) -> Vec<(String, Value)> {
        let store =
            Connection::open_with_flags(self.home().join("ntuwatch.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut rows =
            store.prepare("SELECT coalesce(device, ''), data FROM journal WHERE kind = ? ORDER BY seq").unwrap();
        let row = |row: &Row<'_>| Ok((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?).unwrap()));
        rows.query_map([kind], row).unwrap().map(Result::unwrap).collect()
    }

    /// Waits until the journal has so many of a kind, and returns them. More are too many.
    pub(crate) fn wait_for_journal(&self, kind: &str, count: usize) -> Vec<(String, Value)> {
        until(&format!("{count} {kind}"), || {
            let found = self.journal(kind);
            assert!(found.len() <= count, "{kind}: {found:#?}");
            (found.len() == count).then_some(found)
        })
    }

    /// Cases of a unit, newest first.
    pub(crate) fn cases(&self, unit: &str) -> Vec<Value> {
        let cases = until("cases", || self.json(&format!("/api/cases?unit={unit}")));
        cases.as_array().unwrap().clone()
    }

    pub(crate) fn verdict(&self, unit: &str) -> String {
        let unit = until("a unit", || self.json(&format!("/api/units/{unit}")));
        unit["verdict"].as_str().unwrap().to_owned()
    }

    pub(crate) fn wait_for_verdict(&self, unit: &str, verdict: &str) {
        until(&format!("{unit} {verdict}"), || (self.verdict(unit) == verdict).then_some(()));
    }

    /// Waits until the latest of a unit's cases, and there are so many, has a stage; returns it.
    pub(crate) fn wait_for_case(&self, unit: &str, count: usize, stage: &str) -> Value {
        until(&format!("case {count} of {unit} {stage}"), || {
            let cases = self.cases(unit);
            assert!(cases.len() <= count, "{unit}: {cases:#?}");
            let found = cases.len() == count && cases[0]["stage"] == stage;
            found.then(|| cases[0].clone())
        })
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        post::letters(&self.letters_folder())
    }

    pub(crate) fn letters_folder(&self) -> PathBuf {
        self.home().join("letters")
    }

    /// Waits until a letter of this mark has come to a reader.
    pub(crate) fn wait_for_letter(&self, mark: &str, to: &str) -> Letter {
        until(&format!("{mark} to {to}"), || {
            self.letters().into_iter().find(|letter| letter.mark() == mark && letter.to() == to)
        })
    }

    /// Waits until the daemon knows that all its letters were taken.
    pub(crate) fn wait_for_empty_outbox(&self) {
        until("an empty outbox", || (self.json("/api/status")?["letters"]["queued"] == 0).then_some(()));
    }
}
