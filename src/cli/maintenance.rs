//! `ntuwatch maintenance`.

use super::Failure;
use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, count, elements, field, span_field, state, time, timeline};
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
    /// Show a maintenance: what it covers, its history, who was told, and what was lost within it
    Show {
        /// Its id
        id: String,
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
        Verb::Show { id } => {
            let body = client.get(&format!("/api/maintenance/{}", encode(id)))?;
            page.answer(&body, show)
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

fn is(it: &Value, key: &str) -> bool {
    it.get(key) == Some(&Value::Bool(true))
}

fn list(page: &mut Page, maintenances: &Value) -> Result<(), Failure> {
    let rows = maintenances.as_array().into_iter().flatten().map(|it| {
        let notice = match (is(it, "emergency"), is(it, "short_notice")) {
            (true, _) => "emergency".to_owned(),
            (false, true) => format!("short, {}", span_field(it, "notice_s")),
            (false, false) => span_field(it, "notice_s"),
        };
        let (id, scope, stage) = (field(it, "id"), field(it, "scope"), field(it, "stage"));
        [id, scope, stage, time(it, "from"), time(it, "until"), field(it, "revision"), notice]
    });
    Ok(page.table(&mut Table::new(["ID", "SCOPE", "STAGE", "FROM", "UNTIL", "REV", "NOTICE"]), rows)?)
}

fn show(page: &mut Page, it: &Value) -> Result<(), Failure> {
    let (id, stage, revision) = (field(it, "id"), field(it, "stage"), field(it, "revision"));
    page.line(&format!("{id}: {stage}, revision {revision}"))?;
    let (units, customers) = (count(it, "unit_count", "unit"), count(it, "customer_count", "customer"));
    page.line(&format!("scope      {}: {units} of {customers} now", field(it, "scope")))?;
    page.line(&format!("from       {}", time(it, "from")))?;
    page.line(&format!("until      {}", time(it, "until")))?;
    let by = it.get("by").and_then(Value::as_str).unwrap_or("the configuration");
    page.line(&format!("planned    {} by {by}", time(it, "planned_at")))?;
    page.line(&format!("announced  {}, {}", time(it, "announced_at"), notice(it)))?;
    page.line(&format!("note       {}", field(it, "note")))?;
    let lost = match it.get("lost_count").and_then(Value::as_u64) {
        Some(0) if stage == "planned" || stage == "cancelled" => "-".to_owned(),
        Some(0) => "nothing".to_owned(),
        Some(_) | None => count(it, "lost_count", "device"),
    };
    page.line(&format!("lost       {lost}"))?;
    timeline(page, it)?;
    losses(page, it)?;
    letters(page, it)
}

/// How long before it begins it was announced.
fn notice(it: &Value) -> String {
    let before = match it.get("notice_s").and_then(Value::as_u64) {
        Some(0) => "when it had begun".to_owned(),
        Some(_) | None => format!("{} before it begins", span_field(it, "notice_s")),
    };
    match (is(it, "emergency"), is(it, "short_notice")) {
        (true, _) => format!("{before}: an emergency"),
        (false, true) => format!("{before}: short notice"),
        (false, false) => before,
    }
}

fn losses(page: &mut Page, it: &Value) -> Result<(), Failure> {
    let losses = elements(it, "losses");
    if losses.is_empty() {
        return Ok(());
    }
    page.line("")?;
    let rows = losses.iter().map(|loss| {
        let until = match time(loss, "until").as_str() {
            "-" => "still lost".to_owned(),
            until => until.to_owned(),
        };
        [field(loss, "device"), time(loss, "from"), until]
    });
    page.table(&mut Table::new(["LOST", "FROM", "UNTIL"]), rows)?;
    if it.get("losses_complete") == Some(&Value::Bool(false)) {
        page.line("(later losses are left out)")?;
    }
    Ok(())
}

fn letters(page: &mut Page, it: &Value) -> Result<(), Failure> {
    page.line("")?;
    let letters = elements(it, "letters");
    if letters.is_empty() {
        return Ok(page.line("nobody was told: no customer with a mail address has a line in its scope")?);
    }
    if it.get("letters_complete") == Some(&Value::Bool(false)) {
        page.line("(older letters are left out)")?;
    }
    let rows = letters.iter().map(|letter| {
        let told = match time(letter, "sent_at").as_str() {
            "-" => format!("not yet: {}", state(letter)),
            told => told.to_owned(),
        };
        let (kind, number) = (field(letter, "kind"), field(letter, "number"));
        [told, kind, number, field(letter, "customer"), field(letter, "to")]
    });
    Ok(page.table(&mut Table::new(["TOLD", "LETTER", "REV", "CUSTOMER", "TO"]), rows)?)
}
