//! Messengers, and by which ways our own hear of things.

use super::Messenger;
use super::check::{self, Checked, shown};
use super::fault::{Place, Report};
use super::form;
use super::parties::{Book, one_of};
use super::paths::Paths;
use super::section::Section;
use crate::domain::notice::{MAX_STEPS, Way, Ways};
use crate::domain::watch::Secret;
use crate::payload::{Auth, Form, SigningKey, Template};
use core::time::Duration;
use std::collections::BTreeSet;
use std::fs;

/// Messengers, at the most: each has connections and memory of its own.
pub(super) const MAX_MESSENGERS: usize = 100;
/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 64 * 1024;
/// How long a request may take, if the operator does not say.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that it may be: a notice that is under way falls back after two minutes.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
const PAGER_DUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// What stands for mail among the names of messengers.
const MAIL: &str = "mail";

/// The channels of a reader, step by step, each with its place.
pub(super) type Steps = Vec<(Vec<String>, Place)>;

#[derive(Clone, Copy)]
enum Preset {
    Slack,
    Teams,
    PagerDuty,
    Alertmanager,
    Template,
}

impl Preset {
    const ALL: [Self; 5] = [Self::Slack, Self::Teams, Self::PagerDuty, Self::Alertmanager, Self::Template];

    const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
            Self::Alertmanager => "alertmanager",
            Self::Template => "template",
        }
    }
}

/// What was read.
pub(super) struct Messengers {
    all: Vec<(Messenger, Place)>,
    /// Addresses and by which ways, with the places of both.
    notify: Vec<(String, Place, Steps)>,
}

/// Reads `[[messenger]]` and `[[notify]]`.
pub(super) fn read(root: &Section<'_>, paths: &Paths<'_>) -> Messengers {
    let mut all = Vec::new();
    for section in root.sections("messenger", form::MESSENGER) {
        let name = section.require("name", messenger_name).unwrap_or_default();
        all.push((messenger(&section, paths, name), section.place("name")));
    }
    let mut notify = Vec::new();
    for section in root.sections("notify", form::NOTIFY) {
        if !section.has("to") || !section.has("by") {
            section.fault("to", "`to` and `by` are both needed: whom, and by which messengers or \"mail\"");
        }
        let by = section.list("by", step);
        notify.extend(section.list("to", check::email).into_iter().map(|(to, place)| (to, place, by.clone())));
    }
    Messengers { all, notify }
}

fn messenger_name(value: &str) -> Checked<String> {
    let name = check::id(value)?;
    if name == MAIL { Err("is \"mail\", which stands for mail: write another name".to_owned()) } else { Ok(name) }
}

/// Channels that a notice goes out on together: names with plus signs between them.
pub(super) fn step(value: &str) -> Checked<Vec<String>> {
    value.split('+').map(|name| check::id(name.trim())).collect()
}

fn messenger(section: &Section<'_>, paths: &Paths<'_>, name: String) -> Messenger {
    let preset = section.require("preset", |value| one_of(value, &Preset::ALL, Preset::name)).unwrap_or(Preset::Slack);
    let is_template = matches!(preset, Preset::Template);
    for key in ["body", "body_file"] {
        if section.has(key) && !is_template {
            section.fault(key, format!("`{key}` is of no use without `preset = \"template\"`: remove one"));
        }
    }
    let is_pager = matches!(preset, Preset::PagerDuty);
    if section.has("routing_key_file") != is_pager {
        let message = if is_pager { "is missing: PagerDuty needs it" } else { "is for `preset = \"pagerduty\"` only" };
        section.fault("routing_key_file", format!("`routing_key_file` {message}"));
    }
    let form = match preset {
        Preset::Slack => Form::Slack,
        Preset::Teams => Form::Teams,
        Preset::PagerDuty => Form::PagerDuty { routing_key: secret(section, paths, "routing_key_file") },
        Preset::Alertmanager => Form::Alertmanager,
        Preset::Template => template(section, paths).map_or(Form::Slack, Form::Template),
    };
    let url = paths.secret(section, Some("url"), "url_file", |word| check::web(word).map(drop));
    if !section.has("url") && !section.has("url_file") && !is_pager {
        section.fault("url", "`url` is missing: write it, or `url_file` with the file that holds it");
    }
    let signing = paths.secret(section, None, "secret_file", |word| SigningKey::new(word).map(drop));
    let timeout = section.parse("timeout", |value| match check::duration(value)? {
        length if (Duration::from_secs(1)..=MAX_TIMEOUT).contains(&length) => Ok(length),
        _ => Err(format!("is {}: write \"1s\" to \"60s\"", shown(value))),
    });
    let url = url.unwrap_or_else(|| Secret::new(PAGER_DUTY.to_owned()));
    Messenger { name, url, form, auth: auth(section, paths), signing, timeout: timeout.unwrap_or(TIMEOUT) }
}

fn secret(section: &Section<'_>, paths: &Paths<'_>, key: &str) -> Secret {
    let word = paths.secret(section, None, key, |word| {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err("is no secret: write ASCII characters without spaces".to_owned())
    });
    word.unwrap_or_else(|| Secret::new(String::new()))
}

/// As whom it is asked: one way at the most.
fn auth(section: &Section<'_>, paths: &Paths<'_>) -> Auth {
    for (one, other) in [("user", "password_file"), ("header", "header_file")] {
        for (given, missing) in [(one, other), (other, one)] {
            if section.has(given) && !section.has(missing) {
                section
                    .fault(given, format!("`{given}` is of no use without `{missing}`: add it, or remove `{given}`"));
            }
        }
    }
    let given: Vec<&str> = ["token_file", "user", "header"].into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = given.as_slice() {
        section.fault(second, format!("`{first}` and `{second}` are both given: a messenger is asked in one way"));
    }
    let header = section.parse("header", |value| {
        let is_name = |value: &str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name = check::text(value)?;
        if is_name(&name) { Ok(name) } else { Err(format!("is {}, which is no name of a header", shown(value))) }
    });
    match (section.has("token_file"), section.parse("user", check::text), header) {
        (true, _, _) => Auth::Bearer(secret(section, paths, "token_file")),
        (false, Some(user), _) => Auth::Basic { user, password: secret(section, paths, "password_file") },
        (false, None, Some(name)) => Auth::Header { name, value: secret(section, paths, "header_file") },
        (false, None, None) => Auth::None,
    }
}

fn template(section: &Section<'_>, paths: &Paths<'_>) -> Option<Template> {
    if section.has("body") == section.has("body_file") {
        section.fault("preset", "`preset` is \"template\", which needs just one of `body` and `body_file`");
        return None;
    }
    let read = |text: &str, of: &str| {
        if text.len() > MAX_TEMPLATE {
            return Err(format!("{of} is longer than {MAX_TEMPLATE} bytes"));
        }
        Template::new(text).map_err(|flaw| format!("{of}, line {}: {}", flaw.line, flaw.what))
    };
    let inline = section.parse("body", |text| read(text, "holds a template"));
    inline.or_else(|| {
        section.parse("body_file", |name| {
            let path = paths.resolve(check::path(name)?);
            let text = fs::read_to_string(&path)
                .map_err(|e| format!("names {}, which cannot be read: {e}", path.display()))?;
            read(&text, &format!("names the template {}", path.display()))
        })
    })
}

impl Messengers {
    /// Who hears of things by which ways; notes every faulty link. `ours`: addresses of our own in lower case, if all of
    /// them could be read.
    pub(super) fn ways(&self, report: &Report, book: &Book, ours: Option<&BTreeSet<String>>) -> Ways {
        super::links::index(report, "messenger", self.all.iter().map(|(known, at)| (known.name.as_str(), *at)));
        if let Some((_, place)) = self.all.get(MAX_MESSENGERS) {
            report.fault(*place, format!("more than {MAX_MESSENGERS} [[messenger]]"));
        }
        let messengers = self.all.iter().map(|(known, _)| (known.name.clone(), known.form.takes())).collect();
        let mut ways = Ways { messengers, ..Ways::default() };
        for (address, steps) in book.wishes() {
            let steps = self.steps(report, steps);
            ways.of.insert(address.to_ascii_lowercase(), steps);
        }
        for (address, place, steps) in &self.notify {
            let address = address.to_ascii_lowercase();
            if ours.is_some_and(|ours| !ours.contains(&address)) {
                report.fault(
                    *place,
                    format!("`to` has {address}, which is none of our own: `noc`, `escalation`, `management` or staff"),
                );
            }
            if ways.of.insert(address.clone(), self.steps(report, steps)).is_some() {
                report.fault(*place, format!("`to` has {address}, whose ways are said already: remove one"));
            }
        }
        ways
    }

    fn steps(&self, report: &Report, steps: &Steps) -> Vec<Vec<Way>> {
        if let Some((_, place)) = steps.get(MAX_STEPS) {
            report.fault(*place, format!("more than {MAX_STEPS} channels one after the other"));
        }
        let way = |name: &String, place: Place| {
            if name == MAIL {
                return Way::Mail;
            }
            if !self.all.iter().any(|(known, _)| known.name == *name) {
                report.fault(
                    place,
                    format!("{} is no [[messenger]]: add one with this `name`, or write \"mail\"", shown(name)),
                );
            }
            Way::Messenger(name.clone())
        };
        steps.iter().map(|(names, place)| names.iter().map(|name| way(name, *place)).collect()).collect()
    }

    /// The messengers themselves.
    pub(super) fn finish(self) -> Vec<Messenger> {
        self.all.into_iter().map(|(messenger, _)| messenger).collect()
    }
}
