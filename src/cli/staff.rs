//! `ntuwatch staff` and `ntuwatch route`.

use super::Failure;
use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, elements, field, time};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// List the staff and who has the shift, or let somebody be given cases, or not
#[derive(Args, Debug)]
pub(super) struct Staff {
    /// Id of one of the staff; all are listed without it
    #[arg(requires = "duty")]
    name: Option<String>,
    /// Whether cases are given to him
    duty: Option<Duty>,
    #[command(flatten)]
    who: Who,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Duty {
    /// As the shifts of his centre say
    On,
    /// None, whatever they say
    Off,
}

/// Say which rule fires for a case as it stands, and why no other does
#[derive(Args, Debug)]
pub(super) struct Route {
    /// The case's reference
    #[arg(long, value_name = "REFERENCE")]
    case: String,
}

pub(super) fn perform(staff: &Staff, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let (Some(name), Some(duty)) = (&staff.name, staff.duty) else { return list(client, page) };
    let verb = match duty {
        Duty::On => "on",
        Duty::Off => "off",
    };
    let body = client.post(&format!("/api/staff/{}/{verb}", encode(name)), &json!({ "by": staff.who.by }))?;
    page.answer(&body, |page, done| Ok(page.line(&format!("{}: {verb}", field(done, "staff")))?))
}

fn list(client: &Client, page: &mut Page) -> Result<(), Failure> {
    let body = client.get("/api/staff")?;
    if page.json {
        return Ok(page.raw(&body)?);
    }
    let shift = client.get("/api/shift")?;
    page.answer(&shift, |page, shift| {
        if shift.get("centre").is_some_and(Value::is_string) {
            let (centre, next, at) = (field(shift, "centre"), field(shift, "next_centre"), time(shift, "next_at"));
            page.line(&format!("{centre} has the shift; {next} from {at}"))?;
        }
        Ok(())
    })?;
    page.answer(&body, |page, staff| {
        let rows = staff.as_array().into_iter().flatten().map(|staff| {
            let is = |key: &str| staff.get(key).and_then(Value::as_bool).unwrap_or(false);
            let duty = match (is("off"), is("on_duty")) {
                (true, _) => "off",
                (false, true) => "on duty",
                (false, false) => "not in shift",
            };
            [
                field(staff, "id"),
                field(staff, "team"),
                field(staff, "tier"),
                field(staff, "centre"),
                duty.to_owned(),
                field(staff, "cases"),
            ]
        });
        Ok(page.table(&mut Table::new(["STAFF", "TEAM", "TIER", "CENTRE", "DUTY", "CASES"]), rows)?)
    })
}

pub(super) fn route(route: &Route, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let body = client.get(&format!("/api/cases/{}/route", encode(&route.case)))?;
    page.answer(&body, |page, trace| {
        let (queue, owner, rule) = (field(trace, "queue"), field(trace, "owner"), field(trace, "rule"));
        page.line(&format!("{}: queue {queue}, owner {owner}, by rule {rule}", field(trace, "reference")))?;
        for rule in elements(trace, "rules") {
            let unmet = elements(rule, "unmet").iter().map(|unmet| {
                let (condition, wanted, found) =
                    (field(unmet, "condition"), field(unmet, "wanted"), field(unmet, "found"));
                format!("{condition} is {found}, not {wanted}")
            });
            let unmet: Vec<_> = unmet.collect();
            let why = if unmet.is_empty() { String::new() } else { format!(": {}", unmet.join("; ")) };
            page.line(&format!("  {:?} {}{why}", field(rule, "rule"), field(rule, "says")))?;
        }
        match trace.get("to").and_then(Value::as_str) {
            Some(to) => {
                page.line(&format!("now it would go to {to}, team {}: {}", field(trace, "team"), field(trace, "why")))?
            }
            None if trace.get("team").is_some_and(Value::is_string) => {
                page.line(&format!("now it would go to team {}, where nobody is on duty", field(trace, "team")))?;
            }
            None => page.line("no rule fires: it stays in its queue until somebody takes it")?,
        }
        Ok(())
    })
}
