//! The configuration: a TOML file and its inventory files become a [`Plan`] and the daemon's settings.
//!
//! All faults of all files are found in one go, each with file, line and column. So nothing here stops at a fault:
//! it is noted, something harmless takes the value's place, and reading goes on; what was read is handed out only if
//! nothing was noted. `read` is the whole of it; [`FORMS`] lists every key. Reading order: `section` (a TOML table
//! or a CSV row), `check` (single values), `settings`, `degraded`, `inventory`, `works`, `parties`, `shifts`, `routes` and `messengers`
//! (tables), `links` (between tables).

mod check;
mod degraded;
mod fault;
mod form;
mod inventory;
mod links;
mod messengers;
mod parties;
mod paths;
mod routes;
mod section;
mod settings;
mod shifts;
mod snmp;
mod works;

pub use fault::{Fault, Faults, MAX_PRINTED};
pub(crate) use form::nearest;
pub use form::{FORMS, Form};
pub use shifts::Shifts;

use crate::domain::plan::Plan;
use crate::domain::watch::Secret;
use crate::payload::{Auth, Form as Wanted};
use check::Checked;
use core::net::SocketAddr;
use core::time::Duration;
use fault::{FileNo, Place, Report};
use inventory::Inventory;
use links::Gaps;
use paths::Paths;
use section::Section;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

/// Everything the operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The configuration file itself.
    pub file: PathBuf,
    /// The store.
    pub store: PathBuf,
    /// How the daemon is talked to.
    pub http: Http,
    /// How letters leave.
    pub mail: Mail,
    /// How mail comes in.
    pub mail_in: MailIn,
    /// Who is told that somebody watches, if anybody is.
    pub heartbeat: Option<Heartbeat>,
    /// Where SNMP traps are taken, if anywhere.
    pub traps: Option<SocketAddr>,
    /// What is watched, and by which rules. Its maintenance is still in Unix time, as people plan: only whoever has the
    /// calendar (`app`) can shift it onto the timeline, and does so anew when the wall clock is set.
    pub plan: Plan,
    /// By which messengers our own can be told.
    pub messengers: Vec<Messenger>,
    /// The shifts of support centres. The roster that follows from them is made as time goes on.
    pub shifts: Shifts,
}

/// How the daemon is talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// TCP address, unless it is switched off.
    pub listen: Option<SocketAddr>,
    /// Unix socket, for the command line.
    pub socket: PathBuf,
    /// Who shows it may change things over TCP; without one nobody may.
    pub token: Option<Secret>,
}

/// How letters leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Their sender.
    pub from: Mailbox,
    /// Their way.
    pub route: Route,
}

/// An e-mail address with the name shown beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name, free of control characters.
    pub name: Option<String>,
    /// The address, which parses.
    pub address: String,
}

/// The sign of life for a dead man's switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// What is asked for, over HTTP or HTTPS. It mostly holds a key.
    pub url: Secret,
    /// From one request to the next; at least a second.
    pub every: Duration,
}

/// A messenger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messenger {
    /// Its name.
    pub name: String,
    /// What is asked, over HTTP or HTTPS. It mostly holds a key.
    pub url: Secret,
    /// What it wants to hear.
    pub form: Wanted,
    /// As whom it is asked.
    pub auth: Auth,
    /// What requests are signed with, if they are: `whsec_` and base 64, which was checked.
    pub signing: Option<Secret>,
    /// How long a request may take.
    pub timeout: Duration,
}

impl Config {
    /// Whether going over from `before` to this takes more than a reload.
    #[must_use]
    pub fn needs_restart_after(&self, before: &Self) -> bool {
        (&self.store, &self.http, &self.mail, &self.mail_in, &self.heartbeat, &self.traps, &self.messengers)
            != (
                &before.store,
                &before.http,
                &before.mail,
                &before.mail_in,
                &before.heartbeat,
                &before.traps,
                &before.messengers,
            )
    }
}

impl Mailbox {
    /// The domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }
}

/// Which way letters go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, as `.eml` files.
    Folder(PathBuf),
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// IP address or host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// User and password, if the server wants them.
    pub credentials: Option<(String, Secret)>,
}

/// How mail comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailIn {
    /// Where replies go: each letter gets an address of its own, with `+` and a token in it.
    pub address: Option<String>,
    /// The name under which our boundary server tells whether a sender is who he says (RFC 8601).
    pub authserv_id: Option<String>,
    /// The mailbox that is read, if one is.
    pub imap: Option<Imap>,
    /// How much is kept of messages as they came.
    pub keep: KeepMail,
}

/// How much is kept of messages as they came. What waits for a decision is always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepMail {
    /// For how long, from when a message came: at least a day.
    pub age: Duration,
    /// Bytes of all of them together.
    pub room: u64,
}

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imap {
    /// IP address or host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// What is read.
    pub mailbox: String,
    /// Where messages go that were taken.
    pub archive: String,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// It must be upgraded before anything else is said.
    StartTls,
    /// From its first byte.
    Wrapped,
}

/// Reads the configuration `file` and its inventory. `credentials` stands for `${CREDENTIALS_DIRECTORY}` in it.
///
/// # Errors
/// Every fault in every file.
pub fn read(file: &Path, credentials: Option<&Path>) -> Result<Config, Faults> {
    let mut report = Report::default();
    let paths = Paths::new(file, credentials);
    let main = match report.load(file) {
        Ok(main) => main,
        Err(e) => {
            let main = report.absent(file);
            report.fault(main.byte(0), format!("cannot be read: {e}"));
            return Err(report.into_faults());
        }
    };
    let text = report.text(main);
    let document = parse(&report, main, &text);
    let root = Section::whole(&report, main, form::MAIN_FILE, &document);
    let (store, http) = (settings::store(&root, &paths), settings::http(&root, &paths));
    let (mail, noc) = settings::mail(&root, &paths);
    let (mail_in, heartbeat) = (settings::mail_in(&root, &paths), settings::heartbeat(&root));
    let stability = settings::stability(&root);
    let (pledges, escalation) = (settings::promises(&root), settings::escalation(&root));
    let (common, sentinels) = settings::detection(&root);
    let surveys = settings::survey(&root);
    let (canary, traps) = (settings::canary(&root), settings::traps(&root));
    let mut inventory = Inventory::new(&paths, common);
    inventory.read_tables(&root);
    let routes = routes::read(&root, &mut inventory.book);
    let messengers = messengers::read(&root, &paths);
    let mut gaps = Gaps::default();
    let named = inventory_files(&root, file, &paths, &mut gaps);
    for (path, place) in named {
        read_inventory(&mut report, &mut inventory, &mut gaps, &path, place);
    }
    let song = canary.as_ref().map(|(canary, places)| (canary, *places));
    links::check(&report, &inventory, &sentinels, song, &routes, gaps);
    let ours = inventory.ours(&noc, &escalation, routes.management());
    let ways = messengers.ways(&report, &inventory.book, (!gaps.customers).then_some(&ours));
    let mut devices = inventory.units.devices;
    devices.extend(inventory.nodes.devices);
    devices.extend(sentinels.into_iter().map(|(device, _)| Arc::new(device)));
    let customers = inventory.customers.into_iter().map(|(customer, _)| customer).collect();
    let maintenance = inventory.works.into_iter().map(|work| work.window).collect();
    let canary = canary.map(|(canary, _)| canary);
    let (mut parties, shifts) = inventory.book.finish();
    parties.routing = routes.finish();
    parties.ways = ways;
    let messengers = messengers.finish();
    let (parties, roster) = (Arc::new(parties), Vec::new());
    let plan =
        Plan { customers, devices, stability, pledges, escalation, noc, maintenance, canary, parties, roster, surveys };
    let faults = report.into_faults();
    if faults.0.is_empty() {
        Ok(Config { file: file.to_owned(), store, http, mail, mail_in, heartbeat, traps, plan, messengers, shifts })
    } else {
        Err(faults)
    }
}

/// Where a running daemon is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Its store.
    pub store: PathBuf,
    /// Its Unix socket.
    pub socket: PathBuf,
}

/// Reads from the configuration `file` only where its daemon is found. Whatever else is wrong in it does not matter
/// here: the daemon may well run on with what the file said before.
///
/// # Errors
/// If the file cannot be read.
pub fn places(file: &Path) -> io::Result<Places> {
    let mut report = Report::default();
    let main = report.load(file)?;
    let text = report.text(main);
    let document = parse(&report, main, &text);
    let root = Section::whole(&report, main, form::MAIN_FILE, &document);
    let paths = Paths::new(file, None);
    Ok(Places { store: settings::store(&root, &paths), socket: settings::socket(&root, &paths) })
}

/// The document in `text`. Of a malformed one, as much as can be made out: its ids and file names are needed to judge
/// the other files.
fn parse<'a>(report: &Report, file: FileNo, text: &'a str) -> DeTable<'a> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut lines = HashSet::new();
    for error in &errors {
        let place = file.byte(error.span().map_or(0, |span| span.start));
        // What follows on the same line is mostly an echo.
        if lines.insert(report.position(place).0) {
            report.fault(place, format!("TOML syntax: {}", error.message()));
        }
    }
    if !errors.is_empty() {
        report.break_off(file);
    }
    document.into_inner()
}

/// The files that [inventory] names, each once, and where it is named.
fn inventory_files(root: &Section<'_>, main: &Path, paths: &Paths<'_>, gaps: &mut Gaps) -> Vec<(PathBuf, Place)> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut seen = HashSet::from([real(main)]);
    let mut files = Vec::new();
    for (pattern, place) in root.section("inventory", form::INVENTORY).list("files", check::path) {
        let found = matching(pattern, paths).unwrap_or_else(|message| {
            *gaps = Gaps { customers: true, devices: true };
            root.report().fault(place, message);
            Vec::new()
        });
        files.extend(found.into_iter().filter(|path| seen.insert(real(path))).map(|path| (path, place)));
    }
    files
}

/// The files that a pattern stands for, in the order of their names. Without a wildcard that is the one it names.
fn matching(pattern: &str, paths: &Paths<'_>) -> Checked<Vec<PathBuf>> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![paths.resolve(pattern)]);
    }
    let folder = glob::Pattern::escape(&paths.folder.to_string_lossy());
    let full = Path::new(&folder).join(pattern);
    // Editors keep unfinished copies in files with a leading dot.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let found = glob::glob_with(&full.to_string_lossy(), options).map_err(|e| format!("`files` is no pattern: {e}"))?;
    found.map(|path| path.map_err(|e| format!("{} cannot be read: {}", e.path().display(), e.error()))).collect()
}

fn read_inventory(report: &mut Report, inventory: &mut Inventory<'_>, gaps: &mut Gaps, path: &Path, place: Place) {
    let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    if !is_csv && !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
        return report
            .fault(place, format!("{} is neither a .toml nor a .csv file: name it by its format", path.display()));
    }
    let file = match report.load(path) {
        Ok(file) => file,
        Err(e) => {
            gaps.devices = true;
            gaps.customers |= !is_csv;
            return report.fault(place, format!("{} cannot be read: {e}", path.display()));
        }
    };
    if is_csv {
        return inventory.read_rows(report, file);
    }
    let text = report.text(file);
    let document = parse(report, file, &text);
    inventory.read_tables(&Section::whole(report, file, form::INVENTORY_FILE, &document));
}
