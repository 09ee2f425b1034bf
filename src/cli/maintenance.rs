//! `ntuwatch maintenance`.

use super::Failure;
use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, field, span_field, time};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List maintenances; what begins last comes first
    List {
        /// Only those in this stage: planned, active, ended or cancelled
        #[arg(long)]
        stage: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Plan a maintenance, or change one that is planned; the customers whose lines it touches are told
    Plan {
        /// Its id, which you choose
        id: String,
        /// A unit, a node or a group, such as supplier=telco-a
        scope: String,
        /// When it begins, such as 2027-03-01T22:00:00Z
        #[arg(long, value_name = "TIME")]
        from: String,
        /// When it ends
        #[arg(long, value_name = "TIME")]
        until: String,
        /// It can't wait: no notice is owed. Left out when it is changed: as it was
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        emergency: Option<bool>,
        /// What is done, as customers are to read it. Left out when it is changed: as it was
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Call a maintenance off; one that is active ends now
    Cancel {
        /// Its id
        id: String,
        #[command(flatten)]
        who: Who,
    },
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    match verb {
        Verb::List { stage, limit } => {
            let query = [("stage", stage.clone()), ("limit", limit.map(|limit| limit.to_string()))];
            let query = query.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", encode(&value?))));
            let body = client.get(&format!("/api/maintenance?{}", query.collect::<Vec<_>>().join("&")))?;
            page.answer(&body, list)
        }
        Verb::Plan { id, scope, from, until, emergency, note, who } => {
            let wish = json!({
                "id": id, "scope": scope, "from": from, "until": until, "emergency": emergency, "note": note,
                "by": who.by,
            });
            let body = client.post("/api/maintenance", &wish)?;
            page.answer(&body, done)
        }
        Verb::Cancel { id, who } => {
            let body = client.post(&format!("/api/maintenance/{}/cancel", encode(id)), &json!({ "by": who.by }))?;
            page.answer(&body, done)
        }
    }
}

fn done(page: &mut Page, done: &Value) -> Result<(), Failure> {
    let it = done.get("maintenance").unwrap_or(&Value::Null);
    let (id, stage, revision) = (field(it, "id"), field(it, "stage"), field(it, "revision"));
    let (scope, from, until) = (field(it, "scope"), time(it, "from"), time(it, "until"));
    page.line(&format!("{id}: {stage}, revision {revision}, {scope} from {from} until {until}"))?;
    if it.get("short_notice") == Some(&Value::Bool(true)) && stage == "planned" {
        page.line(&format!("  ! at short notice: {} before it begins", span_field(it, "notice_s")))?;
    }
    Ok(())
}

fn list(page: &mut Page, maintenances: &Value) -> Result<(), Failure> {
    let rows = maintenances.as_array().into_iter().flatten().map(|it| {
        let is = |key| it.get(key) == Some(&Value::Bool(true));
        let notice = match (is("emergency"), is("short_notice")) {
            (true, _) => "emergency".to_owned(),
            (false, true) => format!("short, {}", span_field(it, "notice_s")),
            (false, false) => span_field(it, "notice_s"),
        };
        let (id, scope, stage) = (field(it, "id"), field(it, "scope"), field(it, "stage"));
        [id, scope, stage, time(it, "from"), time(it, "until"), field(it, "revision"), notice]
    });
    Ok(page.table(&mut Table::new(["ID", "SCOPE", "STAGE", "FROM", "UNTIL", "REV", "NOTICE"]), rows)?)
}
