//! `ntuwatch case`.

use super::Failure;
use super::client::{Client, encode};
use super::print::{COLUMNS, List, Page, elements, field, papers, span_field, time};
use crate::text::parse_duration;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List cases, newest first
    List {
        /// Leave out closed ones
        #[arg(long)]
        open: bool,
        /// Only those of this unit
        #[arg(long, value_name = "ID")]
        unit: Option<String>,
        /// Only those under this umbrella
        #[arg(long, value_name = "REFERENCE")]
        umbrella: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show a case with its timeline and letters
    Show {
        /// The case's reference
        reference: String,
    },
    /// Say why a case stands where it does, and what comes next
    Explain {
        /// The case's reference
        reference: String,
    },
    /// Print the reason for outage, as it was issued last or a draft of it; or have one issued
    Rfo {
        /// The case's reference
        reference: String,
        /// text, html or json
        #[arg(long, default_value = "text", value_parser = ["text", "html", "json"])]
        format: String,
        /// A draft as of now, though one was issued
        #[arg(long)]
        draft: bool,
        /// Have one written now and sent to the customer, and print nothing
        #[arg(long, conflicts_with = "draft")]
        issue: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Open a case by hand
    Open {
        /// The unit's id
        unit: String,
        /// P1: service down; P2: intermittent or degraded
        #[arg(long)]
        priority: String,
        /// How it was reported: phone, email or api
        #[arg(long, default_value = "api")]
        channel: String,
        /// What is known
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Take a case, or go on with it
    Take {
        /// The case's reference
        reference: String,
        #[command(flatten)]
        who: Who,
    },
    /// Write an internal note
    Note {
        /// The case's reference
        reference: String,
        /// The note
        text: String,
        /// Tell the customer: without this, a note is for staff only
        #[arg(long)]
        public: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Promise the customer something; a promise that is missed escalates the case
    Promise {
        /// The case's reference
        reference: String,
        /// What: update, onsite, supplier (word from him) or rfo (the reason for outage)
        kind: String,
        /// Within what time from now, such as 30m
        #[arg(value_parser = parse_duration)]
        within: Duration,
        #[command(flatten)]
        who: Who,
    },
    /// Note that an engineer is on site
    Arrive {
        /// The case's reference
        reference: String,
        #[command(flatten)]
        who: Who,
    },
    /// Note what the supplier said: that keeps what he owed
    Supplier {
        /// The case's reference
        reference: String,
        /// What he said; for staff only
        text: String,
        #[command(flatten)]
        who: Who,
    },
    /// Give a case to somebody
    Assign {
        /// The case's reference
        reference: String,
        /// Who is to work on it
        to: String,
        #[command(flatten)]
        who: Who,
    },
    /// Bring a case to the next level
    Escalate {
        /// The case's reference
        reference: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        who: Who,
    },
    /// Let a case wait for somebody
    Wait {
        /// The case's reference
        reference: String,
        /// For whom: customer, supplier, access or force_majeure
        #[arg(value_name = "WHOM", required_unless_present = "on")]
        whom: Option<String>,
        /// The same as WHOM
        #[arg(long, value_name = "WHOM", conflicts_with = "whom")]
        on: Option<String>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        who: Who,
    },
    /// Declare a case solved; its stability window begins
    Solve {
        /// The case's reference
        reference: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        who: Who,
    },
    /// Take a solved case back to work
    Return {
        /// The case's reference
        reference: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Args, Debug)]
pub(super) struct Who {
    /// Who does this, if not the user that you are logged in as
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Why {
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let work = |page: &mut Page, reference: &str, verb: &str, body: Value| {
        let done = client.post(&format!("/api/cases/{}/{verb}", encode(reference)), &body)?;
        page.answer(&done, |page, done| {
            let line = format!("{}: {}", field(done, "reference"), field(done, "done"));
            let now = done.get("case").filter(|case| case.is_object());
            let now = now.map(|case| format!("; it is {}, owner {}", field(case, "stage"), field(case, "owner")));
            Ok(page.line(&(line + &now.unwrap_or_default()))?)
        })
    };
    match verb {
        Verb::List { open, unit, umbrella, limit } => {
            let about = [("unit", unit), ("umbrella", umbrella)];
            let about = about.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
            let query = [("open", open.to_string())].into_iter().chain(about).collect();
            list(client, page, query, *limit)
        }
        Verb::Show { reference } => {
            let body = client.get(&format!("/api/cases/{}", encode(reference)))?;
            page.answer(&body, show)
        }
        Verb::Explain { reference } => {
            let body = client.get(&format!("/api/cases/{}/explain", encode(reference)))?;
            page.answer(&body, |page, why| {
                elements(why, "sentences")
                    .iter()
                    .filter_map(Value::as_str)
                    .try_for_each(|sentence| Ok(page.line(sentence)?))
            })
        }
        Verb::Rfo { reference, issue: true, who, .. } => work(page, reference, "rfo", json!({ "by": who.by })),
        Verb::Rfo { reference, format, draft, .. } => rfo(client, page, reference, format, *draft),
        Verb::Open { unit, priority, channel, note, who } => {
            let wish = json!({ "unit": unit, "priority": priority, "channel": channel, "note": note, "by": who.by });
            let body = client.post("/api/cases", &wish)?;
            page.answer(&body, |page, case| {
                let (reference, priority) = (field(case, "reference"), field(case, "priority"));
                let (unit, order) = (field(case, "unit"), field(case, "order"));
                Ok(page.line(&format!("{reference}: opened, {priority} for {unit}, order {order}"))?)
            })
        }
        Verb::Take { reference, who } => work(page, reference, "take", json!({ "by": who.by })),
        Verb::Note { reference, text, public, who } => {
            let verb = if *public { "tell" } else { "note" };
            work(page, reference, verb, json!({ "text": text, "by": who.by }))
        }
        Verb::Promise { reference, kind, within, who } => {
            work(page, reference, "promise", json!({ "kind": kind, "within_s": within.as_secs(), "by": who.by }))
        }
        Verb::Arrive { reference, who } => work(page, reference, "arrive", json!({ "by": who.by })),
        Verb::Supplier { reference, text, who } => {
            work(page, reference, "supplier", json!({ "text": text, "by": who.by }))
        }
        Verb::Assign { reference, to, who } => work(page, reference, "assign", json!({ "to": to, "by": who.by })),
        Verb::Escalate { reference, why, who } => {
            work(page, reference, "escalate", json!({ "note": why.note, "by": who.by }))
        }
        Verb::Wait { reference, whom, on, why, who } => {
            let whom = whom.as_ref().or(on.as_ref());
            work(page, reference, "wait", json!({ "on": whom, "note": why.note, "by": who.by }))
        }
        Verb::Solve { reference, why, who } => {
            work(page, reference, "solve", json!({ "note": why.note, "by": who.by }))
        }
        Verb::Return { reference, why, who } => {
            work(page, reference, "return", json!({ "note": why.note, "by": who.by }))
        }
    }
}

/// The reason for outage of a case.
fn rfo(client: &Client, page: &mut Page, reference: &str, format: &str, draft: bool) -> Result<(), Failure> {
    let format = if page.json { "json" } else { format };
    let body = client.get(&format!("/api/cases/{}/rfo?format={format}&draft={draft}", encode(reference)))?;
    if format == "text" {
        return String::from_utf8_lossy(&body).lines().try_for_each(|line| Ok(page.line(line)?));
    }
    Ok(page.raw(&body)?)
}

fn list(
    client: &Client,
    page: &mut Page,
    query: Vec<(&'static str, String)>,
    limit: Option<usize>,
) -> Result<(), Failure> {
    let list = List {
        path: "/api/cases",
        query,
        cursor: "before",
        key: "reference",
        limit,
        columns: ["REFERENCE", "PRIO", "STAGE", "UNIT", "CUSTOMER", "OPENED", "OWNER"],
        row,
    };
    page.list(client, &list)
}

fn row(case: &Value) -> [String; COLUMNS] {
    [
        field(case, "reference"),
        field(case, "priority"),
        field(case, "stage"),
        field(case, "unit"),
        field(case, "customer"),
        time(case, "opened_at"),
        field(case, "owner"),
    ]
}

fn show(page: &mut Page, case: &Value) -> Result<(), Failure> {
    let (reference, priority, stage) = (field(case, "reference"), field(case, "priority"), field(case, "stage"));
    page.line(&format!("{reference}: {priority} {stage}, line {}", field(case, "line")))?;
    let circuit = [field(case, "unit"), field(case, "customer"), field(case, "order"), field(case, "service")];
    page.line(&format!("unit          {}", circuit.join(", ")))?;
    page.line(&format!("queue, owner  {}, {}", field(case, "queue"), field(case, "owner")))?;
    page.line(&format!("reported by   {}", field(case, "channel")))?;
    let times = [
        ("last contact", "last_contact_at"),
        ("first loss", "first_loss_at"),
        ("opened", "opened_at"),
        ("recovered", "recovered_at"),
        ("solved", "solved_at"),
        ("window ends", "window_ends_at"),
        ("closed", "closed_at"),
        ("repair due", "repair_due_at"),
    ];
    for (label, key) in times {
        page.line(&format!("{label:12}  {}", time(case, key)))?;
    }
    page.line(&format!("downtime      {}", span_field(case, "downtime_s")))?;
    page.line(&format!("previous      {}", field(case, "previous")))?;
    let reason = case.get("finding").and_then(Value::as_str).map(|finding| format!(": {finding}"));
    page.line(&format!("reason        {}{}", field(case, "reason"), reason.unwrap_or_default()))?;
    if let Some(later) = case.get("later_finding").and_then(Value::as_str) {
        page.line(&format!("later found   {later}"))?;
    }
    for promise in elements(case, "promises") {
        let missed = promise.get("missed").and_then(Value::as_bool).unwrap_or(false);
        let due = if missed { "missed".to_owned() } else { format!("due {}", time(promise, "due_at")) };
        page.line(&format!("promised      {}, {due}", field(promise, "kind")))?;
    }
    page.line(&format!("level         {}", field(case, "level")))?;
    if let Some(rfo) = case.get("rfo").filter(|rfo| field(rfo, "step") != "none") {
        page.line(&format!("rfo           {} issued, the last one is {}", field(rfo, "issued"), field(rfo, "step")))?;
    }
    page.line(&format!("umbrella      {}", field(case, "umbrella")))?;
    let diagnosis = case.get("diagnosis").map_or_else(|| "-".to_owned(), |diagnosis| field(diagnosis, "sentence"));
    page.line(&format!("diagnosis     {diagnosis}"))?;
    papers(page, case)
}
