//! `ntuwatch unit`.

use super::Failure;
use super::client::{Client, encode};
use super::print::{COLUMNS, List, Page, Table, elements, field, span_field, time};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List units with their verdicts
    List {
        /// Only those with this verdict: UP, DEGRADED, LOSS, INCONCLUSIVE or UNOBSERVED
        #[arg(long)]
        verdict: Option<String>,
        /// Only those of this customer
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
        /// Only those whose SNMP agent does this: answers, rejects, silent or unknown
        #[arg(long, value_name = "STATE")]
        agent: Option<String>,
        /// Only those with this symptom, such as flapping
        #[arg(long)]
        symptom: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show all that is known of a unit
    Show {
        /// The unit's id
        id: String,
    },
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    match verb {
        Verb::List { verdict, customer, agent, symptom, limit } => {
            let query = [("verdict", verdict), ("customer", customer), ("agent", agent), ("symptom", symptom)];
            let query = query.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect();
            let list = List {
                path: "/api/units",
                query,
                cursor: "after",
                key: "id",
                limit: *limit,
                columns: ["UNIT", "CUSTOMER", "ADDRESS", "VERDICT", "SINCE", "RTT", "LOSS 5M"],
                row,
            };
            page.list(client, &list)
        }
        Verb::Show { id } => {
            let body = client.get(&format!("/api/units/{}", encode(id)))?;
            page.answer(&body, show)
        }
    }
}

fn row(unit: &Value) -> [String; COLUMNS] {
    [
        field(unit, "id"),
        field(unit, "customer"),
        field(unit, "address"),
        field(unit, "verdict"),
        time(unit, "since"),
        rtt(unit),
        loss(unit),
    ]
}

fn rtt(unit: &Value) -> String {
    unit.get("rtt_ms").and_then(Value::as_f64).map_or_else(|| "-".to_owned(), |rtt| format!("{rtt:.1} ms"))
}

fn loss(unit: &Value) -> String {
    unit.get("loss_5m").and_then(Value::as_f64).map_or_else(|| "-".to_owned(), |loss| format!("{:.1} %", loss * 100.0))
}

fn symptoms(unit: &Value) -> String {
    let symptoms: Vec<_> = elements(unit, "symptoms").iter().filter_map(Value::as_str).collect();
    if symptoms.is_empty() { "-".to_owned() } else { symptoms.join(", ") }
}

fn show(page: &mut Page, unit: &Value) -> Result<(), Failure> {
    let (id, verdict, reason) = (field(unit, "id"), field(unit, "verdict"), field(unit, "reason"));
    page.line(&format!("{id}: {verdict} ({reason}) since {}", time(unit, "since")))?;
    let (address, host) = (field(unit, "address"), field(unit, "host"));
    let host = if host == address { String::new() } else { format!(" ({host})") };
    page.line(&format!("address       {address}{host}"))?;
    page.line(&format!("last contact  {}", time(unit, "last_contact_at")))?;
    page.line(&format!("round trip    {}, {} lost over the last 5 min", rtt(unit), loss(unit)))?;
    let circuit = [field(unit, "customer"), field(unit, "order"), field(unit, "service"), field(unit, "region")];
    page.line(&format!("circuit       {}", circuit.join(", ")))?;
    page.line(&format!("repair in     {}", span_field(unit, "ttr_s")))?;
    page.line(&format!("supplier      {}", field(unit, "supplier")))?;
    page.line(&format!("upstream      {}", field(unit, "upstream")))?;
    let maintained = if unit.get("maintained") == Some(&Value::Bool(true)) { "; it is being maintained" } else { "" };
    page.line(&format!("symptoms      {}{maintained}", symptoms(unit)))?;
    page.line(&format!("SNMP agent    {}", field(unit, "agent")))?;
    if let Some(sample) = unit.get("snmp").and_then(Value::as_object) {
        let said = sample.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| format!("{name} {value}"));
        page.line(&format!("SNMP          {}", said.collect::<Vec<_>>().join(", ")))?;
    }
    if let Some(case) = unit.get("case").filter(|case| !case.is_null()) {
        let (reference, priority, stage) = (field(case, "reference"), field(case, "priority"), field(case, "stage"));
        page.line(&format!("case          {reference} {priority} {stage}"))?;
    }
    let ledger = elements(unit, "ledger");
    if ledger.is_empty() {
        return Ok(());
    }
    page.line("")?;
    let rows = ledger.iter().map(|interval| {
        [time(interval, "from"), time(interval, "until"), field(interval, "verdict"), field(interval, "reason")]
    });
    Ok(page.table(&mut Table::new(["FROM", "UNTIL", "VERDICT", "REASON"]), rows)?)
}
