//! `ntuwatch umbrella`.

use super::Failure;
use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, elements, field, papers, span_field, time};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List shared causes, newest first
    List {
        /// Leave out those that are over
        #[arg(long)]
        open: bool,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show a shared cause with its cases, timeline and letters
    Show {
        /// The umbrella's reference
        reference: String,
    },
    /// Tell all customers whose cases are at work under it
    Update {
        /// The umbrella's reference
        reference: String,
        /// The news, as customers are to read it
        text: String,
        #[command(flatten)]
        who: Who,
    },
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    match verb {
        Verb::List { open, limit } => {
            let limit = limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
            let body = client.get(&format!("/api/umbrellas?open={open}{limit}"))?;
            page.answer(&body, list)
        }
        Verb::Show { reference } => {
            let body = client.get(&format!("/api/umbrellas/{}", encode(reference)))?;
            page.answer(&body, show)
        }
        Verb::Update { reference, text, who } => {
            let wish = json!({ "text": text, "by": who.by });
            let body = client.post(&format!("/api/umbrellas/{}/update", encode(reference)), &wish)?;
            page.answer(&body, |page, done| {
                Ok(page.line(&format!("{}: {}", field(done, "reference"), field(done, "done")))?)
            })
        }
    }
}

fn list(page: &mut Page, umbrellas: &Value) -> Result<(), Failure> {
    let rows = umbrellas.as_array().into_iter().flatten().map(|umbrella| {
        [
            field(umbrella, "reference"),
            field(umbrella, "cause"),
            time(umbrella, "opened_at"),
            time(umbrella, "closed_at"),
            field(umbrella, "case_count"),
            field(umbrella, "at_work_count"),
        ]
    });
    Ok(page.table(&mut Table::new(["REFERENCE", "CAUSE", "OPENED", "CLOSED", "CASES", "AT WORK"]), rows)?)
}

fn show(page: &mut Page, umbrella: &Value) -> Result<(), Failure> {
    page.line(&format!("{}: {}", field(umbrella, "reference"), field(umbrella, "sentence")))?;
    page.line(&format!("cause       {}", field(umbrella, "cause")))?;
    let (lost, of) = (field(umbrella, "lost"), field(umbrella, "of"));
    page.line(&format!("lost        {lost} of {of} within {}", span_field(umbrella, "within_s")))?;
    for (label, key) in [("first loss", "first_loss_at"), ("opened", "opened_at"), ("closed", "closed_at")] {
        page.line(&format!("{label:10}  {}", time(umbrella, key)))?;
    }
    let (cases, at_work) = (field(umbrella, "case_count"), field(umbrella, "at_work_count"));
    page.line(&format!("cases       {cases}, {at_work} of them at work"))?;
    page.line("")?;
    let children = elements(umbrella, "cases")
        .iter()
        .map(|case| ["reference", "priority", "stage", "unit", "customer"].map(|key| field(case, key)));
    page.table(&mut Table::new(["CASE", "PRIO", "STAGE", "UNIT", "CUSTOMER"]), children)?;
    if umbrella.get("cases_complete") == Some(&Value::Bool(false)) {
        page.line("(older cases are left out)")?;
    }
    papers(page, umbrella)
}
