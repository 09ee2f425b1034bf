//! The reason for outage in words. The document is a JSON object; as text and as HTML it is the same, read from there, so
//! that who has the document needs nothing else.

mod sheet;
#[cfg(test)]
mod tests;

pub use sheet::{html, text};

use super::promise::promise_words;
use super::sentence::{because, finding_words, obstacle_words, site_words, waits_for};
use super::time::{duration, rfc3339, utc};
use crate::domain::desk::{Priority, SiteCause, Stage};
use crate::domain::rfo::{Confidence, Event, Rfo, Testimony};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::Reason;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What makes a document of a draft.
#[derive(Clone, Debug)]
pub struct Imprint {
    /// The how-manieth document of its case it is; a draft is none.
    pub number: Option<u32>,
    /// The last row of the journal that it knows.
    pub seq: i64,
    /// The journal's seal there, in hexadecimal digits.
    pub seal: String,
}

/// A document that is not issued, in its JSON form, as of a row of the journal and its seal.
#[must_use]
pub fn draft(rfo: &Rfo, seq: i64, seal: &str, calendar: &Calendar) -> String {
    document(rfo, &Imprint { number: None, seq, seal: seal.to_owned() }, calendar).to_string()
}

/// The document. Its bytes are those of its compact form: `Value::to_string`.
#[must_use]
pub fn document(rfo: &Rfo, imprint: &Imprint, calendar: &Calendar) -> Value {
    let opening = &rfo.case.opening;
    let terms = &opening.circuit.terms;
    json!({
        "ntuwatch_rfo": 1,
        "reference": opening.reference.to_string(),
        "number": imprint.number,
        "draft": imprint.number.is_none(),
        "written_at": rfc3339(rfo.at, calendar),
        "customer": opening.circuit.customer.as_str(),
        "unit": opening.unit,
        "order": opening.circuit.order.to_string(),
        "service": terms.service,
        "region": terms.region,
        "priority": rfo.priority().name(),
        "stage": rfo.case.stage.name(),
        "what_happened": what_happened(rfo, calendar),
        "duration": durations(rfo, calendar),
        "outages": outages(rfo, calendar),
        "outages_in_all": rfo.outage_count,
        "timeline": timeline(rfo, calendar, |_| true),
        "timeline_in_all": rfo.entry_count,
        "done": timeline(rfo, calendar, is_work),
        "promises": promises(rfo, calendar),
        "repair": repair(rfo, calendar),
        "journal": { "seq": imprint.seq, "seal": imprint.seal },
    })
}

fn what_happened(rfo: &Rfo, calendar: &Calendar) -> Value {
    let witnesses: Vec<String> = rfo.witnesses.iter().map(|witness| testimony(witness, calendar)).collect();
    json!({
        "summary": summary(rfo, calendar),
        "cause": rfo.cause.name(),
        "cause_words": site_words(rfo.cause),
        "confidence": rfo.confidence.name(),
        "witnesses": witnesses,
        "degraded": rfo.finding.map(|finding| finding_words(&finding)),
    })
}

fn summary(rfo: &Rfo, calendar: &Calendar) -> String {
    let unit = &rfo.case.opening.unit;
    let lost = match (rfo.outages.as_slice(), &rfo.finding) {
        ([], Some(finding)) => format!("The service at {unit} was degraded: {}.", finding_words(finding)),
        ([], None) => format!("A fault of the service at {unit} was reported; the monitor saw no loss of contact."),
        ([one], _) => match one.until {
            Some(until) => format!(
                "The service at {unit} was lost from {} until {}.",
                utc(one.from, calendar),
                utc(until, calendar)
            ),
            None => format!("The service at {unit} is lost since {}.", utc(one.from, calendar)),
        },
        ([first, ..], _) => format!(
            "The service at {unit} was lost {} times, first at {}, for {} in all.",
            rfo.outage_count,
            utc(first.from, calendar),
            duration(rfo.lasted.lost)
        ),
    };
    let sure = match rfo.confidence {
        Confidence::Firm => "The cause was",
        Confidence::Likely => "The cause was most likely",
        Confidence::None => return format!("{lost} What caused it could not be established."),
    };
    match rfo.cause {
        SiteCause::Unknown => format!("{lost} What caused it could not be established."),
        SiteCause::Site | SiteCause::AccessLine | SiteCause::Upstream => {
            format!("{lost} {sure} {}.", site_words(rfo.cause))
        }
    }
}

/// What a witness says, in words for customers.
fn testimony(witness: &Testimony, calendar: &Calendar) -> String {
    match witness {
        Testimony::Booted(at) => format!("the box started anew at {}", utc(*at, calendar)),
        Testimony::RanOn(at) => {
            format!("the box has run since {}, also while it could not be reached", utc(*at, calendar))
        }
        Testimony::Upstream => "equipment that the line is reached through was lost meanwhile".to_owned(),
        Testimony::Shared => "other lines were lost together with it".to_owned(),
        Testimony::Trapped(says, at) => format!("the box itself said {says} at {}", utc(*at, calendar)),
        Testimony::Undelivered(why, at) => {
            format!("a router on the way said at {}: {}", utc(*at, calendar), obstacle_words(*why))
        }
    }
}

fn durations(rfo: &Rfo, calendar: &Calendar) -> Value {
    let case = &rfo.case;
    let at = |time: Option<Time>| time.map(|time| rfc3339(time, calendar));
    let (solved_at, closed_at) = match &case.stage {
        Stage::Solved { since, .. } => (Some(*since), None),
        Stage::Closed { since, solved_at, .. } => (Some(*solved_at), Some(*since)),
        Stage::New | Stage::Working { .. } | Stage::Waiting { .. } => (None, None),
    };
    json!({
        "first_loss_at": at(case.opening.first_loss),
        "detected_at": at(case.opening.detected),
        "detection_s": rfo.detection.map(seconds),
        "opened_at": at(Some(case.opened_at)),
        "recovered_at": at(case.recovered_at),
        "solved_at": at(solved_at),
        "closed_at": at(closed_at),
        "lost_s": seconds(rfo.lasted.lost),
        "planned_s": seconds(rfo.lasted.planned),
        "degraded_s": seconds(rfo.lasted.degraded),
        "inconclusive_s": seconds(rfo.lasted.inconclusive),
        "unobserved_s": seconds(rfo.lasted.unobserved),
    })
}

/// In seconds, with the milliseconds that there are.
fn seconds(duration: Duration) -> Value {
    match u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) {
        millis if millis % 1_000 == 0 => (millis / 1_000).into(),
        millis => (millis as f64 / 1_000.0).into(),
    }
}

fn outages(rfo: &Rfo, calendar: &Calendar) -> Vec<Value> {
    let outage = |outage: &crate::domain::rfo::Outage| {
        json!({
            "from": rfc3339(outage.from, calendar),
            "until": outage.until.map(|until| rfc3339(until, calendar)),
            "lost_s": seconds(outage.lost),
            "planned": outage.planned,
        })
    };
    rfo.outages.iter().map(outage).collect()
}

fn timeline(rfo: &Rfo, calendar: &Calendar, wanted: impl Fn(&Event) -> bool) -> Vec<Value> {
    let entry = |(at, event): &(Time, Event)| {
        let mut entry = Map::new();
        entry.insert("at".into(), rfc3339(*at, calendar).into());
        entry.insert("what".into(), name(event).into());
        entry.insert("sentence".into(), sentence(event, rfo.case.opening.priority).into());
        Value::Object(entry)
    };
    rfo.timeline.iter().filter(|(_, event)| wanted(event)).map(entry).collect()
}

/// Whether somebody did something.
const fn is_work(event: &Event) -> bool {
    match event {
        Event::Taken
        | Event::Resumed
        | Event::Told(_)
        | Event::Promised(..)
        | Event::Arrived
        | Event::SupplierSaid
        | Event::Escalated(_)
        | Event::Waits(_)
        | Event::Solved
        | Event::Returned => true,
        Event::Opened
        | Event::Informed(_)
        | Event::Kept(..)
        | Event::Missed(_)
        | Event::Upgraded
        | Event::Degraded
        | Event::Closed
        | Event::Lost
        | Event::LostAsPlanned
        | Event::Back
        | Event::Detected => false,
    }
}

const fn name(event: &Event) -> &'static str {
    match event {
        Event::Opened => "opened",
        Event::Taken => "taken",
        Event::Resumed => "resumed",
        Event::Told(_) => "told",
        Event::Informed(_) => "informed",
        Event::Promised(..) => "promised",
        Event::Arrived => "arrived",
        Event::SupplierSaid => "supplier_said",
        Event::Kept(..) => "kept",
        Event::Missed(_) => "missed",
        Event::Escalated(_) => "escalated",
        Event::Waits(_) => "waiting",
        Event::Upgraded => "upgraded",
        Event::Degraded => "degraded",
        Event::Solved => "solved",
        Event::Returned => "returned",
        Event::Closed => "closed",
        Event::Lost => "lost",
        Event::LostAsPlanned => "lost_as_planned",
        Event::Back => "back",
        Event::Detected => "detected",
    }
}

fn sentence(event: &Event, opened_as: Priority) -> String {
    match event {
        Event::Opened => format!("The case was opened, priority {}.", opened_as.name()),
        Event::Taken => "Our staff took it to work.".into(),
        Event::Resumed => "Your answer came, and the work went on.".into(),
        Event::Told(text) => format!("We told you: {text}"),
        Event::Informed(kind) => format!("Your mail server took our letter {:?}.", kind.name()),
        Event::Promised(kind, within) => {
            format!("We promised {} within {}.", promise_words(*kind), duration(*within))
        }
        Event::Arrived => "An engineer was on site.".into(),
        Event::SupplierSaid => "We had word from our supplier.".into(),
        Event::Kept(kind, took) => format!("Kept after {}: {}.", duration(*took), promise_words(*kind)),
        Event::Missed(kind) => format!("Missed: {}.", promise_words(*kind)),
        Event::Escalated(level) => format!("It was brought to the next level, {}.", level.name()),
        Event::Waits(on) => format!("From here on it waited for {}.", waits_for(*on)),
        Event::Upgraded => "The line was lost altogether; the case was raised to P1.".into(),
        Event::Degraded => "The line was found degraded.".into(),
        Event::Solved => "The case was declared solved; we watched the line from here on.".into(),
        Event::Returned => "The case went back to work.".into(),
        Event::Closed => "The case was closed.".into(),
        Event::Lost => "The line lost contact.".into(),
        Event::LostAsPlanned => format!("The line lost contact: {}.", because(Reason::Maintenance)),
        Event::Back => "The line was back.".into(),
        Event::Detected => "The loss was certain: further probes were lost as well.".into(),
    }
}

fn promises(rfo: &Rfo, calendar: &Calendar) -> Value {
    let kept = rfo.promises.iter().filter(|(.., took)| took.is_some()).count();
    let each: Vec<Value> = rfo
        .promises
        .iter()
        .map(|(at, kind, took)| {
            json!({
                "promise": kind.name(),
                "words": promise_words(*kind),
                "at": rfc3339(*at, calendar),
                "kept": took.is_some(),
                "took_s": took.map(seconds),
            })
        })
        .collect();
    json!({ "kept": kept, "of": rfo.promises.len(), "each": each })
}

fn repair(rfo: &Rfo, calendar: &Calendar) -> Value {
    let repair = &rfo.repair;
    let waited: Vec<Value> = repair
        .waited
        .iter()
        .map(|waited| {
            json!({
                "for": waited.on.name(),
                "words": waits_for(waited.on),
                "from": rfc3339(waited.from, calendar),
                "until": rfc3339(waited.until, calendar),
                "waited_s": seconds(waited.until.since(waited.from)),
            })
        })
        .collect();
    json!({
        "ttr_s": seconds(repair.ttr),
        "took_s": seconds(repair.took),
        "kept": repair.kept(),
        "at_work_s": seconds(repair.at_work),
        "waited": waited,
        "maintained_s": seconds(repair.maintained),
        "unobserved_s": seconds(repair.unobserved),
        "inconclusive_s": seconds(repair.inconclusive),
    })
}
