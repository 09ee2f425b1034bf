//! `/api/mail`: messages that came in, what was decided on each and why, and what people decide on those that wait.

use super::Web;
use super::api::{Answer, good, named, page, query, segment};
use super::board::Originals;
use super::desk::{actor, ask, body, may_change, read_json};
use super::doors::Caller;
use super::intake;
use super::problem::{Problem, json};
use super::scene::Scene;
use crate::domain::desk::{Heard, MailOutcome, Reference, Writer};
use crate::domain::mail::{MAX_MESSAGE, MAX_TEXT, MailId, Parcel};
use crate::domain::turn::{Done, Filing, Wish};
use crate::store::{MailRow, Reader};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use core::time::Duration;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a client may take to send a message.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// A message on its way in takes up so many places of so many bytes, at least one.
pub(super) const PLACE: usize = 1 << 20;
/// Places for messages on their way in: four of the largest, or many small ones.
pub(super) const MAX_PLACES: usize = 4 * MAX_MESSAGE / PLACE;
/// How long a message waits for its places.
const PLACES_TIMEOUT: Duration = Duration::from_secs(5);

/// Hands a message to the store. What is received is its number, or nothing if it is there already, once it is on the
/// disk; or why it can't be.
pub type Keep = Arc<dyn Fn(Parcel) -> oneshot::Receiver<Result<Option<MailId>, String>> + Send + Sync>;

/// Says how the mailbox fares that is read.
pub type Mailbox = Box<dyn Fn() -> MailboxStatus + Send + Sync>;

/// How a mailbox fares that is read.
#[derive(Clone, Debug, Serialize)]
pub struct MailboxStatus {
    /// Whether it is open.
    pub connected: bool,
    /// What is wrong at the moment, if anything is.
    pub fault: Option<String>,
    /// Messages that were taken since the start.
    pub taken: u64,
    /// Messages that stay in it for now, with why: by UID.
    #[serde(serialize_with = "left")]
    pub left: Vec<(u32, String)>,
}

/// Messages that stay in a mailbox and are shown.
const MAX_SHOWN: usize = 20;

fn left<S: Serializer>(left: &[(u32, String)], into: S) -> Result<S::Ok, S::Error> {
    into.collect_seq(left.iter().take(MAX_SHOWN).map(|(uid, why)| Left { uid: *uid, why }))
}

/// A message that stays in the mailbox for now.
#[derive(Serialize)]
struct Left<'a> {
    uid: u32,
    why: &'a str,
}

/// How mail comes in.
#[derive(Default, Serialize)]
pub(super) struct MailInForm {
    /// Of messages that are kept as they came.
    original_bytes: u64,
    /// Why further ones are refused.
    refused: Option<String>,
    /// Only if one is read.
    mailbox: Option<MailboxStatus>,
}

impl MailInForm {
    pub(super) fn new(web: &Web) -> Self {
        let Originals { bytes, refused } = web.services.board.originals();
        Self { original_bytes: bytes, refused, mailbox: web.services.mailbox.as_ref().map(|mailbox| mailbox()) }
    }

    /// What an operator has to know.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut why = Vec::new();
        why.extend(self.refused.iter().map(|why| format!("mail is refused for now: {why}")));
        let Some(mailbox) = &self.mailbox else { return why };
        why.extend(mailbox.fault.iter().map(|fault| format!("no mail comes in from the mailbox: {fault}")));
        why.extend(mailbox.left.first().map(|(uid, reason)| match mailbox.left.len() {
            1 => format!("a message stays in the mailbox: UID {uid}: {reason}"),
            count => format!("{count} messages stay in the mailbox: UID {uid}: {reason}"),
        }));
        why
    }
}

/// A message that was taken.
#[derive(Serialize)]
struct Taken {
    /// `null`: the same message is here already.
    mail: Option<MailId>,
}

/// `POST /api/mail`: takes a message as a mail server hands it over.
pub(super) async fn take(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Answer {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let busy = || Problem::unavailable("too many messages are on their way in just now: try again");
    let places = web.parcels.acquire_many(places(request.headers()));
    let _places = timeout(PLACES_TIMEOUT, places).await.map_err(|_| busy())?.map_err(|_| busy())?;
    let raw = Vec::from(body(request, MAX_MESSAGE, MESSAGE_TIMEOUT).await?);
    if raw.is_empty() {
        return Err(Problem::bad("the message is empty: send it as the body, header lines first"));
    }
    let kept = (web.services.keep)(Parcel { raw, whole: true });
    let late = || Problem::unavailable("the store did not take the message in time: send it again, copies are known");
    let kept = timeout(super::ANSWER_TIMEOUT, kept).await.map_err(|_| late())?.map_err(|_| late())?;
    let mail = kept.map_err(Problem::unavailable)?;
    let status = if mail.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(status, &Taken { mail }))
}

/// How many places a message takes; one that does not say its length may be of any.
fn places(headers: &HeaderMap) -> u32 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or(MAX_MESSAGE).clamp(1, MAX_MESSAGE);
    u32::try_from(length.div_ceil(PLACE)).unwrap_or(1)
}

/// Which messages are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailQuery {
    outcome: Option<String>,
    case: Option<String>,
    message_id: Option<String>,
    before: Option<MailId>,
    limit: Option<usize>,
}

/// A message with what was decided.
#[derive(Serialize)]
struct MailForm {
    mail: MailId,
    received_at: Option<String>,
    /// `null`: nobody has read it yet.
    outcome: Option<&'static str>,
    why: Option<String>,
    /// The case that it joined or opened, or may be about.
    case: Option<String>,
    /// The case that it may be about, of one that waits for people (R23).
    possible_duplicate_of: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    message_id: Option<String>,
    nature: Option<String>,
    letter: Option<u64>,
    tenant: Option<String>,
    authentic: Option<String>,
    claim: Option<String>,
    /// Of the message as it came; `null`: it is kept no more.
    original_bytes: Option<u64>,
    attachments: Value,
}

impl MailForm {
    fn new(row: MailRow, scene: &Scene) -> (Self, Option<String>) {
        let attachments = row.attachments.and_then(|list| serde_json::from_str(&list).ok());
        let waits = row.outcome.filter(|outcome| *outcome == MailOutcome::Quarantined);
        let form = Self {
            mail: row.id,
            received_at: scene.stamp(row.received_at),
            outcome: row.outcome.map(MailOutcome::name),
            why: row.why,
            case: row.case.map(|case| case.to_string()),
            possible_duplicate_of: waits.and(row.case).map(|case| case.to_string()),
            from: row.sender,
            subject: row.subject,
            message_id: row.message_id,
            nature: row.nature,
            letter: row.letter,
            tenant: row.tenant,
            authentic: row.authentic,
            claim: row.claim,
            original_bytes: row.original,
            attachments: attachments.unwrap_or_else(|| Value::Array(Vec::new())),
        };
        (form, row.body)
    }
}

/// A message by itself.
#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    mail: MailForm,
    /// What its writer wrote.
    text: Option<String>,
    /// The letter that it answers.
    answers: Option<Answered>,
}

/// A letter that a message answers.
#[derive(Serialize)]
struct Answered {
    letter: u64,
    to: String,
    subject: String,
}

/// `GET /api/mail`: newest first.
pub(super) async fn list(State(web): State<Arc<Web>>, wanted: Result<Query<MailQuery>, QueryRejection>) -> Answer {
    let MailQuery { outcome, case, message_id, before, limit } = query(wanted)?;
    let outcome = outcome.map(|name| named("outcome", &name, MailOutcome::ALL, MailOutcome::name)).transpose()?;
    let case = case.map(|case| Reference::parse(&case)).transpose()?;
    let limit = page(limit)?;
    let rows = web.readers.read(move |reader| {
        Ok(match message_id {
            Some(id) => reader.mail_by_message_id(id.trim_matches(['<', '>']))?.into_iter().collect(),
            None => reader.mails(outcome, case, (before, limit))?,
        })
    });
    let (rows, scene): (Vec<MailRow>, _) = (rows.await?, web.scene());
    good(&rows.into_iter().map(|row| MailForm::new(row, &scene).0).collect::<Vec<_>>())
}

/// `GET /api/mail/{id}`.
pub(super) async fn show(State(web): State<Arc<Web>>, id: Result<Path<MailId>, PathRejection>) -> Answer {
    let id = segment(id)?;
    let look = move |reader: &Reader| {
        let row = reader.mail_row(id)?.ok_or_else(|| no_message(id))?;
        let letter = row.letter.map(|letter| reader.mail(letter)).transpose()?.flatten();
        Ok((row, letter.map(|mail| Answered { letter: mail.id, to: mail.to, subject: mail.subject })))
    };
    let (row, answers) = web.readers.read(look).await?;
    let (mail, text) = MailForm::new(row, &web.scene());
    good(&Detail { mail, text, answers })
}

fn no_message(id: MailId) -> Problem {
    Problem::unknown(format!("there is no message {id}"))
}

/// What people decide on a message that waits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    by: Option<String>,
    /// To join a case.
    reference: Option<String>,
    /// To open one: the unit's id,
    unit: Option<String>,
    /// and how bad it is.
    priority: Option<String>,
    subject: Option<String>,
}

/// What was done with a message.
#[derive(Serialize)]
struct Filed {
    mail: MailId,
    case: Option<String>,
}

/// `POST /api/mail/{id}/{join, open or dismiss}`.
pub(super) async fn file(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(MailId, String)>, PathRejection>,
    request: Request<Body>,
) -> Answer {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let (mail, verb) = segment(path)?;
    let Decision { by, reference, unit, priority, subject } = read_json(request).await?;
    let is_named = priority.is_some() || subject.is_some();
    let filing = match (verb.as_str(), reference, unit, is_named) {
        ("join", Some(reference), None, false) => Filing::Join(Reference::parse(&reference)?),
        ("open", None, Some(unit), true) => {
            Filing::Open { unit, subject: intake::subject(subject.as_deref(), priority.as_deref())? }
        }
        ("dismiss", None, None, false) => Filing::Dismiss,
        ("join", ..) => return Err(Problem::bad("to join a message to a case, give its \"reference\"")),
        ("open", ..) => return Err(Problem::bad("to open a case for a message, give a \"unit\" and a \"subject\"")),
        ("dismiss", ..) => return Err(Problem::bad("to dismiss a message, give nothing but \"by\"")),
        _ => return Err(Problem::unknown("a message can be told: join, open or dismiss")),
    };
    let row = web.readers.read(move |reader| reader.mail_row(mail)?.ok_or_else(|| no_message(mail))).await?;
    let by = actor(&web, caller, by).await?;
    let mut text = row.body.filter(|body| !body.is_empty()).or(row.subject).unwrap_or_default();
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    // What a program or our own staff wrote moves nothing, whoever puts it onto a case.
    let writer = match (row.nature.as_deref(), row.tenant.as_deref()) {
        (Some("person") | None, Some("staff")) => Writer::Staff,
        (Some("person") | None, _) => Writer::Customer,
        (Some(_), _) => Writer::Program,
    };
    let heard = Heard { mail, from: row.sender.unwrap_or_default(), writer, text };
    let wish = Wish::File { heard, filing };
    let case = match ask(&web, by, wish).await? {
        Done::Case(reference) => Some(reference.to_string()),
        Done::Mail(_) | Done::Maintenance(_) | Done::Duty { .. } | Done::Contact(_) | Done::Trace(_) => None,
    };
    good(&Filed { mail, case })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_mail_from_coming_in_is_said() {
        let open = MailboxStatus { connected: true, fault: None, taken: 7, left: Vec::new() };
        let form = |refused: Option<&str>, mailbox: MailboxStatus| MailInForm {
            original_bytes: 1,
            refused: refused.map(str::to_owned),
            mailbox: Some(mailbox),
        };
        assert!(form(None, open.clone()).complaints().is_empty());
        assert!(MailInForm::default().complaints().is_empty());
        let shut = MailboxStatus { connected: false, fault: Some("refused".to_owned()), ..open.clone() };
        assert_eq!(
            form(Some("full"), shut).complaints(),
            ["mail is refused for now: full", "no mail comes in from the mailbox: refused"]
        );
        let left = |count: u32| (1..=count).map(|uid| (uid, "it is empty".to_owned())).collect();
        let one = MailboxStatus { left: left(1), ..open.clone() };
        assert_eq!(form(None, one).complaints(), ["a message stays in the mailbox: UID 1: it is empty"]);
        let many = MailboxStatus { left: left(30), ..open };
        assert_eq!(form(None, many.clone()).complaints(), ["30 messages stay in the mailbox: UID 1: it is empty"]);
        let shown = serde_json::to_value(form(None, many)).unwrap();
        assert_eq!(shown["mailbox"]["left"].as_array().unwrap().len(), MAX_SHOWN);
        assert_eq!(shown["mailbox"]["left"][0], serde_json::json!({ "uid": 1, "why": "it is empty" }));
    }

    #[test]
    fn a_message_takes_places_by_its_length() {
        let of = |length: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_LENGTH, length.parse().unwrap());
            places(&headers) as usize
        };
        assert_eq!((of("0"), of("1"), of("1048576"), of("1048577")), (1, 1, 1, 2));
        let most = MAX_MESSAGE / PLACE;
        assert_eq!((of("26214400"), of("99999999999"), of("lots")), (most, most, most));
        assert_eq!(places(&HeaderMap::new()) as usize, most, "it may be of any");
    }
}
