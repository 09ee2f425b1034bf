//! What people report in a story.

use crate::domain::desk::{Channel, PreCheck, Priority, Reference, Report, Subject};
use crate::text::parse_duration as duration;
use std::time::Duration;

/// What a person reports: P1, P2 or a subject, and what follows.
pub(super) fn report(name: &str, mut words: &[&str]) -> Result<(Report, Option<Duration>), String> {
    let incident = Priority::ALL.into_iter().find(|priority| priority.name() == name).and_then(Subject::of_incident);
    let subject = incident
        .or_else(|| Subject::parse(name))
        .ok_or_else(|| format!("{name:?} is no subject: use P1, P2, {}", Subject::ALL.map(Subject::name).join(", ")))?;
    let (mut report, mut wanted) = (Report::new(subject, Channel::Api), None);
    loop {
        words = match words {
            [] => return Ok((report, wanted)),
            ["by", "phone", rest @ ..] => {
                report.channel = Channel::Phone;
                rest
            }
            ["from", caller, rest @ ..] => {
                report.caller = Some((*caller).to_owned());
                rest
            }
            ["wanted", time, rest @ ..] => {
                wanted = Some(duration(time)?);
                rest
            }
            ["about", reference, rest @ ..] => {
                report.about = Some(Reference::parse(reference).map_err(|error| error.to_string())?);
                rest
            }
            ["checked", check, rest @ ..] => {
                let known = PreCheck::ALL.into_iter().find(|known| known.name() == *check);
                report.prechecks.set(known.ok_or_else(|| format!("{check:?} is no pre-check"))?, Some(true));
                rest
            }
            ["anyway", rest @ ..] => {
                report.anyway = true;
                rest
            }
            [..] => {
                return Err(format!(
                    "{:?} is not understood: a case is opened with by phone, from ADDRESS, wanted TIME, about REFERENCE, \
                     checked CHECK, anyway",
                    words.join(" ")
                ));
            }
        };
    }
}
