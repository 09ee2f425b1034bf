//! `ntuwatch mail`, `mail-in` and `explain-mail`: messages that came in.

use super::case::Who;
use super::client::{Client, encode};
use super::print::{Page, Table, elements, field, time};
use super::{Exit, Failure};
use crate::domain::mail::MAX_MESSAGE;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{self, Read};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List messages, newest first
    List {
        /// Only those that came to this: joined, opened, report, quarantined, ignored or dismissed
        #[arg(long, value_name = "OUTCOME")]
        outcome: Option<String>,
        /// Only those of this case
        #[arg(long, value_name = "REFERENCE")]
        case: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show a message: what it says, what was decided and why
    Show {
        /// Its number
        mail: u64,
    },
    /// Say that a message in quarantine is a part of a case
    Join {
        /// Its number
        mail: u64,
        /// The case's reference
        reference: String,
        #[command(flatten)]
        who: Who,
    },
    /// Open a case for a message in quarantine
    Open {
        /// Its number
        mail: u64,
        /// The unit's id
        unit: String,
        /// One of the eight subjects, as `case open` has them
        #[arg(long, required_unless_present = "priority")]
        subject: Option<String>,
        /// In place of the subject of an incident. P1: service down; P2: intermittent or degraded
        #[arg(long)]
        priority: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Say that nothing is to be done about a message in quarantine
    Dismiss {
        /// Its number
        mail: u64,
        #[command(flatten)]
        who: Who,
    },
}

/// Hand a message to the daemon, from standard input: for a mail server's pipe
///
/// Ends with 0 once the message is on the disk, with 75 if it should be tried again later, and with 65 if it will never be
/// taken: mail servers keep or return the message accordingly.
#[derive(Args, Debug)]
pub(super) struct MailIn {}

/// Say for any message what was decided and why
#[derive(Args, Debug)]
pub(super) struct ExplainMail {
    /// Its number, or its Message-ID
    pub(super) message: String,
}

pub(super) fn perform(verb: &Verb, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let file = |page: &mut Page, mail: u64, verb: &str, body: Value| {
        let done = client.post(&format!("/api/mail/{mail}/{verb}"), &body)?;
        page.answer(&done, |page, done| {
            let case = field(done, "case");
            let case = if case == "-" { String::new() } else { format!(", case {case}") };
            Ok(page.line(&format!("message {mail}: {verb}{case}"))?)
        })
    };
    match verb {
        Verb::List { outcome, case, limit } => {
            let wanted = [("outcome", outcome.clone()), ("case", case.clone())];
            let limit = ("limit", limit.map(|limit| limit.to_string()));
            let query = wanted.into_iter().chain([limit]).filter_map(|(key, value)| Some((key, value?)));
            let query: Vec<String> = query.map(|(key, value)| format!("{key}={}", encode(&value))).collect();
            page.answer(&client.get(&format!("/api/mail?{}", query.join("&")))?, list)
        }
        Verb::Show { mail } => page.answer(&client.get(&format!("/api/mail/{mail}"))?, show),
        Verb::Join { mail, reference, who } => {
            file(page, *mail, "join", json!({ "reference": reference, "by": who.by }))
        }
        Verb::Open { mail, unit, subject, priority, who } => {
            let what = json!({ "unit": unit, "subject": subject, "priority": priority, "by": who.by });
            file(page, *mail, "open", what)
        }
        Verb::Dismiss { mail, who } => file(page, *mail, "dismiss", json!({ "by": who.by })),
    }
}

/// Takes standard input for a message.
pub(super) fn take(client: &Client, page: &mut Page) -> Result<(), Failure> {
    let mut raw = Vec::new();
    let most = MAX_MESSAGE as u64 + 1;
    let read = io::stdin().lock().take(most).read_to_end(&mut raw);
    read.map_err(|e| Failure::new(Exit::NoInput, format!("cannot read the message from standard input: {e}")))?;
    if raw.len() > MAX_MESSAGE {
        let message = format!("the message is longer than {MAX_MESSAGE} bytes, so it is not taken");
        return Err(Failure::new(Exit::Data, message));
    }
    let taken = client.post_message(raw).map_err(later)?;
    page.answer(&taken, |page, taken| {
        let mail = field(taken, "mail");
        Ok(page.line(&if mail == "-" {
            "the message is here already".to_owned()
        } else {
            format!("message {mail}")
        })?)
    })
}

/// What a daemon that is away cannot take now, it will take later: mail servers try again after this exit code.
fn later(failure: Failure) -> Failure {
    match failure {
        Failure::Said(Exit::Unavailable | Exit::Software, message) => Failure::Said(Exit::TempFail, message),
        Failure::NobodyReads | Failure::Said(..) | Failure::Listed(..) => failure,
    }
}

pub(super) fn explain(message: &str, client: &Client, page: &mut Page) -> Result<(), Failure> {
    let id = match message.parse::<u64>() {
        Ok(id) => id,
        Err(_) => {
            let found = client.get(&format!("/api/mail?message_id={}", encode(message)))?;
            let found: Value = serde_json::from_slice(&found).unwrap_or_default();
            let id = found.get(0).and_then(|mail| mail.get("mail")).and_then(Value::as_u64);
            id.ok_or_else(|| Failure::new(Exit::Data, format!("no message with Message-ID {message} has come in")))?
        }
    };
    page.answer(&client.get(&format!("/api/mail/{id}"))?, |page, mail| {
        reasons(mail).iter().try_for_each(|sentence| Ok(page.line(sentence)?))
    })
}

fn list(page: &mut Page, mails: &Value) -> Result<(), Failure> {
    let rows = mails.as_array().into_iter().flatten().map(|mail| {
        [
            field(mail, "mail"),
            time(mail, "received_at"),
            field(mail, "outcome"),
            field(mail, "case"),
            field(mail, "from"),
            field(mail, "subject"),
        ]
    });
    Ok(page.table(&mut Table::new(["MAIL", "RECEIVED", "OUTCOME", "CASE", "FROM", "SUBJECT"]), rows)?)
}

fn show(page: &mut Page, mail: &Value) -> Result<(), Failure> {
    page.line(&format!("message {}: {}", field(mail, "mail"), field(mail, "outcome")))?;
    for (label, key) in [("from", "from"), ("subject", "subject"), ("message-id", "message_id"), ("case", "case")] {
        page.line(&format!("{label:10}  {}", field(mail, key)))?;
    }
    page.line(&format!("received    {}", time(mail, "received_at")))?;
    page.line(&match field(mail, "original_bytes").as_str() {
        "-" => "original    gone: it is kept no more ([mail_in] keep_raw, raw_limit)".to_owned(),
        bytes => format!("original    {bytes} bytes, in the store"),
    })?;
    for sentence in reasons(mail) {
        page.line(&sentence)?;
    }
    for attachment in elements(mail, "attachments") {
        let (name, media_type) = (field(attachment, "name"), field(attachment, "media_type"));
        page.line(&format!("attached    {name}, {media_type}, {} bytes", field(attachment, "size")))?;
    }
    let text = mail.get("text").and_then(Value::as_str).unwrap_or_default();
    text.lines().try_for_each(|line| Ok(page.line(&format!("> {line}"))?))
}

/// What was decided, and what spoke for it, in sentences.
fn reasons(mail: &Value) -> Vec<String> {
    let text = |key| mail.get(key).and_then(Value::as_str);
    let case = text("case").unwrap_or("a case");
    let mut sentences = vec![match text("outcome") {
        Some("joined") => format!("It is a part of {case}."),
        Some("opened") => format!("It opened {case}."),
        Some("report") => "It is a mail server's report on a letter of ours.".to_owned(),
        Some("quarantined") if text("case").is_some() => {
            format!("It may be a duplicate of {case}: `ntuwatch mail join, open or dismiss`.")
        }
        Some("quarantined") => "It waits for people to decide: `ntuwatch mail join, open or dismiss`.".to_owned(),
        Some("ignored") => "Nothing is to be done about it.".to_owned(),
        Some("dismissed") => "People decided that nothing is to be done about it.".to_owned(),
        Some(other) => format!("Its outcome is {other}."),
        None => "Nobody has read it yet.".to_owned(),
    }];
    sentences.extend(text("why").map(|why| format!("Why: {why}.")));
    sentences.extend(mail.get("answers").filter(|letter| letter.is_object()).map(|letter| {
        format!(
            "Letter: it answers letter {} to {} ({}), by a secret that only its reader has.",
            field(letter, "letter"),
            field(letter, "to"),
            field(letter, "subject")
        )
    }));
    sentences.extend(text("tenant").map(|tenant| match tenant.split_once(':') {
        Some((_, customer)) => format!("Sender: {} is an address of customer {customer}.", field(mail, "from")),
        None if tenant == "staff" => format!("Sender: {} is an address of our own staff.", field(mail, "from")),
        None if tenant == "several" => format!("Sender: several customers have the address {}.", field(mail, "from")),
        None => format!("Sender: nobody in the inventory has the address {}.", field(mail, "from")),
    }));
    sentences.extend(text("authentic").map(|authentic| match authentic {
        "pass" => "Authenticity: the sender's domain vouches for it (DMARC pass).".to_owned(),
        "fail" => "Authenticity: the sender's domain disowns it (DMARC fail).".to_owned(),
        _ => "Authenticity: nobody whom we trust says anything of its sender.".to_owned(),
    }));
    sentences.extend(text("claim").map(|claim| format!("Claim: its subject names {claim}, which proves nothing.")));
    sentences.extend(text("nature").filter(|nature| *nature != "person").map(|nature| match nature {
        "report" | "own" => format!("Nature: {nature}."),
        other => format!("Nature: a program wrote it ({other}), so it moves no stage and no clock."),
    }));
    sentences
}
