//! The daemon's own tables: store, http, detection, stability, mail, mail_in, heartbeat, canary and traps.

use super::check::{self, Checked, shown};
use super::degraded;
use super::fault::Place;
use super::form;
use super::paths::Paths;
use super::section::Section;
use super::{Heartbeat, Http, Imap, KeepMail, Mail, MailIn, Mailbox, Route, Smtp, Tls};
use crate::domain::desk::{Matrix, Pledges, SurveyRules, TierPledges};
use crate::domain::party::Tier;
use crate::domain::plan::{Canary, Stability};
use crate::domain::watch::{
    self, Device, Host, Limits, MAX_CELLS, Pace, Role, Rules, SENTINEL_INTERVAL, SENTINEL_TIMEOUT, Secret,
};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

/// Detection settings where the operator gives none.
const PACE: Pace = Pace {
    interval: Duration::from_secs(10),
    snmp_interval: Duration::from_secs(60),
    timeout: Duration::from_secs(1),
    down_after: Duration::from_mins(10),
    solve_after: Duration::from_mins(5),
    history: Duration::from_hours(3),
};
/// Most rounds that are kept of a device.
const MAX_ROUNDS: u32 = MAX_CELLS as u32;
/// Stability windows where the operator gives none (R28).
/// R12.
const PLEDGES: Pledges = Pledges {
    first_response: Some(Duration::from_secs(30 * 60)),
    update_p1: Some(Duration::from_secs(3_600)),
    update_p2: Some(Duration::from_secs(4 * 3_600)),
    update_p3: Some(Duration::from_hours(24)),
    supplier: Some(Duration::from_secs(2 * 3_600)),
    rfo: Some(Duration::from_secs(48 * 3_600)),
    repair: true,
    rfo_p1: true,
    rfo_p2: false,
};
const STABILITY: Stability = Stability { p1: Duration::from_hours(24), p2: Duration::from_hours(72) };
/// Where the console and the metrics are, if the operator does not say.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9640);
/// From one heartbeat to the next, if the operator does not say.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(60);
/// For how long a survey can be answered, if the operator does not say.
const SURVEY_VALID_FOR: Duration = Duration::from_hours(30 * 24);
/// From one canary to the next, if the operator does not say.
const CANARY_EVERY: Duration = Duration::from_hours(24);
/// Shortest token, in characters: whoever knows it can change cases over the network.
const MIN_TOKEN: usize = 16;

/// Path of the store.
pub(super) fn store(root: &Section<'_>, paths: &Paths<'_>) -> PathBuf {
    path(&root.section("store", form::STORE), "path", "./ntuwatch.db", paths)
}

/// How the daemon is talked to.
pub(super) fn http(root: &Section<'_>, paths: &Paths<'_>) -> Http {
    let http = root.section("http", form::HTTP);
    Http {
        listen: http.parse("listen", check::listen).unwrap_or(Some(LISTEN)),
        socket: socket(root, paths),
        token: paths.secret(&http, None, "token_file", token),
    }
}

/// Path of the Unix socket.
pub(super) fn socket(root: &Section<'_>, paths: &Paths<'_>) -> PathBuf {
    path(&root.section("http", form::HTTP), "socket", "./ntuwatch.sock", paths)
}

/// A token has to fit into a header.
fn token(word: &str) -> Checked<()> {
    if word.len() < MIN_TOKEN || !word.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("is no token: write at least {MIN_TOKEN} ASCII characters without spaces"));
    }
    Ok(())
}

/// How long solved cases are watched.
pub(super) fn stability(root: &Section<'_>) -> Stability {
    let stability = root.section("stability", form::STABILITY);
    Stability { p1: stability.duration("p1", STABILITY.p1), p2: stability.duration("p2", STABILITY.p2) }
}

/// What is promised without a word: to everybody, and, where a tier says otherwise, to its customers.
pub(super) fn promises(root: &Section<'_>) -> TierPledges {
    let rfo = root.section("rfo", form::RFO);
    let required = |key, default| rfo.parse(key, check::required).unwrap_or(default);
    let promises = root.section("promises", form::PROMISES);
    let everybody =
        Pledges { rfo_p1: required("p1", PLEDGES.rfo_p1), rfo_p2: required("p2", PLEDGES.rfo_p2), ..PLEDGES };
    let everybody = pledges(&promises, &everybody);
    let tier = |tier: Tier| match tier {
        Tier::Gold | Tier::Silver | Tier::Bronze => {
            pledges(&promises.section(tier.name(), form::TIER_PROMISES), &everybody)
        }
        Tier::Standard => everybody,
    };
    TierPledges(Tier::ALL.map(tier))
}

/// What a table promises; where it is silent, as `before`.
fn pledges(table: &Section<'_>, before: &Pledges) -> Pledges {
    let within = |key, before| table.parse(key, |v| check::or_off(v, check::duration)).unwrap_or(before);
    Pledges {
        first_response: within("first_response", before.first_response),
        update_p1: within("update_p1", before.update_p1),
        update_p2: within("update_p2", before.update_p2),
        update_p3: within("update_p3", before.update_p3),
        supplier: within("supplier", before.supplier),
        rfo: within("rfo", before.rfo),
        repair: table.flag("repair", before.repair),
        ..*before
    }
}

/// How customers are asked how their cases went, if they are.
pub(super) fn survey(root: &Section<'_>) -> Option<Arc<SurveyRules>> {
    let survey = root.section("survey", form::SURVEY);
    let valid_for = survey.parse("valid_for", check::answerable).unwrap_or(SURVEY_VALID_FOR);
    if survey.has("valid_for") && !survey.has("base_url") {
        survey.fault("valid_for", "`valid_for` is of no use without `base_url`: add it, or remove `valid_for`");
    }
    let base_url = survey.parse("base_url", check::base_url)?;
    Some(Arc::new(SurveyRules { base_url, valid_for }))
}

/// Whom escalated cases are brought to.
pub(super) fn escalation(above: &Section<'_>) -> Matrix {
    let escalation = above.section("escalation", form::ESCALATION);
    Matrix(form::LEVELS.map(|level| escalation.list(level, check::email).into_iter().map(|(to, _)| to).collect()))
}

/// What holds for all devices that do not say otherwise.
pub(super) struct Common {
    pub(super) pace: Pace,
    pub(super) limits: Limits,
}

/// Detection settings of all devices that have none of their own, and the sentinels with their places in the file.
pub(super) fn detection(root: &Section<'_>) -> (Common, Vec<(Device, Place)>) {
    let detection = root.section("detection", form::DETECTION);
    let table = root.section("degraded", form::DEGRADED);
    let faults = root.report().count();
    let (pace, limits) = (pace(&detection, PACE), degraded::limits(&table, &Limits::DEFAULT));
    if root.report().count() == faults {
        degraded::relate(&detection, Some(&table), pace, &limits);
    }
    let common = Common { pace, limits };
    let of_place = |place: watch::Place| {
        let key = match place {
            watch::Place::Gateway => "gateway",
            watch::Place::Core => "core",
            watch::Place::Far => "sentinels",
        };
        let hosts = detection.list(key, check::host).into_iter();
        let common = &common;
        hosts.map(move |(host, at)| (sentinel(host, place, common), at))
    };
    let sentinels = watch::Place::ALL.into_iter().flat_map(of_place).collect();
    (common, sentinels)
}

fn sentinel(host: String, place: watch::Place, common: &Common) -> Device {
    let timeout = common.pace.timeout.min(SENTINEL_TIMEOUT);
    let pace = bounded(Pace { interval: SENTINEL_INTERVAL, timeout, ..common.pace });
    Device {
        id: format!("sentinel-{host}").into(),
        role: Role::Sentinel(place),
        host: Host::from(host.as_str()),
        upstream: None,
        rules: Arc::new(Rules { icmp: true, snmp: None, pace, limits: common.limits, probe_rate: None }),
    }
}

/// No device keeps more rounds than it may: where a short interval is, an inherited `history` is shorter.
pub(super) fn bounded(pace: Pace) -> Pace {
    Pace { history: pace.history.min(pace.interval.saturating_mul(MAX_ROUNDS)), ..pace }
}

/// Detection settings of a section, on top of `base`.
pub(super) fn pace(section: &Section<'_>, base: Pace) -> Pace {
    let faults = section.report().count();
    let pace = Pace {
        interval: section.duration("interval", base.interval),
        snmp_interval: section.duration("snmp_interval", base.snmp_interval),
        timeout: section.duration("timeout", base.timeout),
        down_after: section.duration("down_after", base.down_after),
        solve_after: section.duration("solve_after", base.solve_after),
        history: section.duration("history", base.history),
    };
    if pace == base || section.report().count() > faults {
        return pace;
    }
    // A relation is looked at where one of its sides is given: what is inherited is complained of once, at its source.
    let must = |holds: bool, [key, other]: [&str; 2], rule: &str| {
        let at = if section.has(key) { key } else { other };
        if !holds && section.has(at) {
            section.fault(at, format!("`{key}` {rule}"));
        }
    };
    let Pace { interval, snmp_interval, timeout, down_after, solve_after: _, history } = pace;
    let rule = format!(
        "({timeout:?}) must be shorter than `interval` ({interval:?}): an answer has to come before the next probe"
    );
    must(timeout < interval, ["timeout", "interval"], &rule);
    let rule = format!(
        "({timeout:?}) must be shorter than `snmp_interval` ({snmp_interval:?}): an answer has to come before the next probe"
    );
    must(timeout < snmp_interval, ["timeout", "snmp_interval"], &rule);
    let rule = format!(
        "({interval:?}) must not be longer than `down_after` ({down_after:?}): a fault needs a probe within it"
    );
    must(interval <= down_after, ["interval", "down_after"], &rule);
    if section.has("history") && history > bounded(pace).history {
        let most = bounded(pace).history;
        section.fault(
            "history",
            format!("`history` ({history:?}) must be at most {MAX_ROUNDS} times `interval` ({most:?})"),
        );
    }
    pace
}

/// From whom, to whom and by which way letters go.
pub(super) fn mail(root: &Section<'_>, paths: &Paths<'_>) -> (Mail, Vec<String>) {
    let mail = root.section("mail", form::MAIL);
    let from = mail.require("from", check::mailbox).unwrap_or(Mailbox { name: None, address: String::new() });
    let noc = mail.require_list("noc", check::email);
    let server = mail.parse("smtp", check::smtp);
    let protection = server.as_ref().map(|server| (server.host.as_str(), server.tls));
    let credentials = credentials(&mail, paths, "smtp", protection);
    if mail.has("smtp") && mail.has("folder") {
        mail.fault("folder", "`folder` is of no use beside `smtp`: remove one");
    }
    let route = match server {
        Some(server) => Route::Smtp(Smtp { credentials, ..server }),
        None => Route::Folder(path(&mail, "folder", "./mail", paths)),
    };
    (Mail { from, route }, noc)
}

/// Where mail comes in, if it does.
pub(super) fn mail_in(root: &Section<'_>, paths: &Paths<'_>) -> MailIn {
    let mail = root.section("mail_in", form::MAIL_IN);
    let server = mail.parse("imap", check::imap);
    let protection = server.as_ref().map(|(host, _, tls)| (host.as_str(), *tls));
    let login = credentials(&mail, paths, "imap", protection);
    if mail.has("imap") && !mail.has("user") {
        mail.fault("imap", "`imap` is of no use without `user` and `password_file`: add them");
    }
    for key in ["mailbox", "archive"] {
        if mail.has(key) && !mail.has("imap") {
            mail.fault(key, format!("`{key}` is of no use without `imap`: add it, or remove `{key}`"));
        }
    }
    let mailbox = mail.parse("mailbox", check::text).unwrap_or_else(|| MAILBOX.to_owned());
    let archive = mail.parse("archive", check::text).unwrap_or_else(|| ARCHIVE.to_owned());
    if mailbox == archive {
        mail.fault("archive", "`archive` has to be another mailbox than the one that is read");
    }
    let imap = server.zip(login).map(|((host, port, tls), (user, password))| Imap {
        host,
        port,
        tls,
        user,
        password,
        mailbox,
        archive,
    });
    let keep = KeepMail {
        age: mail.parse("keep_raw", check::age).unwrap_or(KEEP_RAW),
        room: mail.parse("raw_limit", check::room).unwrap_or(RAW_LIMIT),
    };
    let (address, authserv_id) = (mail.parse("address", check::inbox), mail.parse("authserv_id", check::text));
    MailIn { address, authserv_id, imap, keep }
}

/// What `keep_raw` and `raw_limit` are if nobody says.
const KEEP_RAW: Duration = Duration::from_hours(90 * 24);
const RAW_LIMIT: u64 = 10 << 30;

/// What `mailbox` and `archive` are if nobody says.
const MAILBOX: &str = "INBOX";
const ARCHIVE: &str = "Archive";

/// `key` names the server, with its host and protection.
fn credentials(
    mail: &Section<'_>,
    paths: &Paths<'_>,
    key: &str,
    server: Option<(&str, Tls)>,
) -> Option<(String, Secret)> {
    let user = mail.parse("user", check::text);
    let password = paths.secret(mail, None, "password_file", |word| {
        if word.is_empty() { Err("is empty: write the password into it".to_owned()) } else { Ok(()) }
    });
    for (given, other) in [("user", "password_file"), ("password_file", "user"), ("user", key)] {
        if mail.has(given) && !mail.has(other) {
            mail.fault(given, format!("`{given}` is of no use without `{other}`: add it, or remove `{given}`"));
        }
    }
    if let Some((host, Tls::None)) = server
        && mail.has("password_file")
        && !is_loopback(host)
    {
        let host = shown(host);
        let message =
            format!("`{key}` would send the password to {host} in clear: write \"{key}+starttls://\" or \"{key}s://\"");
        mail.fault(key, message);
    }
    user.zip(password)
}

fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>().map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// Who is told, and how often, that somebody watches.
pub(super) fn heartbeat(root: &Section<'_>) -> Option<Heartbeat> {
    let heartbeat = root.section("heartbeat", form::HEARTBEAT);
    let every = heartbeat.parse("every", check::beat).unwrap_or(HEARTBEAT_EVERY);
    if heartbeat.has("every") && !heartbeat.has("url") {
        heartbeat.fault("every", "`every` is of no use without `url`: add it, or remove `every`");
    }
    heartbeat.parse("url", check::web).map(|url| Heartbeat { url, every })
}

/// The canary, if there is one, and where its unit and its time stand.
pub(super) fn canary(root: &Section<'_>) -> Option<(Canary, [Place; 2])> {
    let canary = root.section("canary", form::CANARY);
    let every = canary.parse("every", check::song).unwrap_or(CANARY_EVERY);
    if canary.has("every") && !canary.has("unit") {
        canary.fault("every", "`every` is of no use without `unit`: add it, or remove `every`");
    }
    let places = ["unit", "every"].map(|key| canary.place(key));
    canary.parse("unit", check::id).map(|unit| (Canary { unit, every }, places))
}

/// Where traps are taken, if anywhere.
pub(super) fn traps(root: &Section<'_>) -> Option<SocketAddr> {
    root.section("traps", form::TRAPS).parse("listen", check::listen).flatten()
}

fn path(section: &Section<'_>, key: &str, default: &str, paths: &Paths<'_>) -> PathBuf {
    paths.resolve(section.parse(key, check::path).unwrap_or(default))
}
