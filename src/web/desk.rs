//! What can be changed: `POST` requests. Each becomes a wish to the loop, and is answered after its commit.

use super::Web;
use super::api::{named, segment, unit_row};
use super::doors::Caller;
use super::problem::{Problem, json};
use super::show::CaseForm;
use crate::domain::desk::{Actor, Channel, Move, Priority, PromiseKind, Reference, WaitingOn};
use crate::domain::turn::{self, Command, Refusal, Wish};
use crate::domain::watch::Secret;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use core::ops::RangeInclusive;
use core::time::Duration;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest body of a request, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// The longest note, in bytes.
pub const MAX_NOTE: usize = 16 * 1024;
/// The longest name of a person, in characters.
pub const MAX_NAME: usize = 100;
/// How long a client may take to send the body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the loop may take to answer. A full disk makes it take long.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Hands a wish of the named person to the loop. What is received is the answer, after the commit.
pub type Ask = Arc<dyn Fn(String, Wish) -> Result<Answer, Busy> + Send + Sync>;

/// The answer to come.
pub type Answer = oneshot::Receiver<Result<turn::Done, Refusal>>;

/// The loop has too many wishes before it.
#[derive(Clone, Copy, Debug)]
pub struct Busy;

/// A wish as it comes over the wire.
pub(super) trait Order: DeserializeOwned + Send {
    /// What was wanted, in a word.
    const MOVE: Move;
    /// Who wants it, if that is said, and what.
    fn read(self) -> Result<(Option<String>, Command), Problem>;
}

/// Body of `…/take`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Take {
    by: Option<String>,
}

/// Body of `…/note`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    by: Option<String>,
    text: String,
}

/// Body of `…/wait`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    by: Option<String>,
    on: String,
    note: Option<String>,
}

/// Body of `…/solve`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Solve {
    by: Option<String>,
    note: Option<String>,
}

/// Body of `…/return`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    by: Option<String>,
    note: Option<String>,
}

impl Order for Take {
    const MOVE: Move = Move::Take;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Take))
    }
}

impl Order for Note {
    const MOVE: Move = Move::Note;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Note { text: note(self.text)? }))
    }
}

/// Body of `…/tell`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tell {
    by: Option<String>,
    text: String,
}

impl Order for Tell {
    const MOVE: Move = Move::Tell;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Tell { text: note(self.text)? }))
    }
}

/// Body of `…/promise`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Promise {
    by: Option<String>,
    kind: String,
    within_s: u64,
}

impl Order for Promise {
    const MOVE: Move = Move::Promise;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        let kind = PromiseKind::BY_STAFF.into_iter().find(|kind| kind.name() == self.kind).ok_or_else(|| {
            let known = PromiseKind::BY_STAFF.map(PromiseKind::name).join(", ");
            Problem::bad(format!("nobody promises {:?} by hand: choose from {known}", self.kind))
        })?;
        let within = Duration::from_secs(self.within_s);
        if !PROMISED.contains(&within) {
            let (least, most) = (PROMISED.start().as_secs(), PROMISED.end().as_secs() / 3_600);
            return Err(Problem::bad(format!("{} s is out of range: promise {least} s to {most} h", self.within_s)));
        }
        Ok((self.by, Command::Promise { kind, within }))
    }
}

/// How short and how long a time can be promised by hand.
const PROMISED: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 3_600);

/// Body of `…/arrive`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arrive {
    by: Option<String>,
}

impl Order for Arrive {
    const MOVE: Move = Move::Arrive;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Arrive))
    }
}

/// Body of `…/supplier`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Supplier {
    by: Option<String>,
    text: String,
}

impl Order for Supplier {
    const MOVE: Move = Move::Supplier;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Supplier { text: note(self.text)? }))
    }
}

/// Body of `…/assign`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    by: Option<String>,
    to: String,
}

impl Order for Assign {
    const MOVE: Move = Move::Assign;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Assign { to: person("to", self.to)? }))
    }
}

/// Body of `…/escalate`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Escalate {
    by: Option<String>,
    note: Option<String>,
}

impl Order for Escalate {
    const MOVE: Move = Move::Escalate;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Escalate { note: self.note.map(note).transpose()? }))
    }
}

impl Order for Wait {
    const MOVE: Move = Move::Wait;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        let on = WaitingOn::ALL.into_iter().find(|on| on.name().eq_ignore_ascii_case(&self.on)).ok_or_else(|| {
            let known = WaitingOn::ALL.map(WaitingOn::name).join(", ");
            Problem::bad(format!("a case cannot wait on {:?}: choose from {known}", self.on))
        })?;
        Ok((self.by, Command::Wait { on, note: self.note.map(note).transpose()? }))
    }
}

impl Order for Solve {
    const MOVE: Move = Move::Solve;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Solve { note: self.note.map(note).transpose()? }))
    }
}

impl Order for Return {
    const MOVE: Move = Move::Return;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Return { note: self.note.map(note).transpose()? }))
    }
}

/// Body of a `POST` to `…/rfo`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rfo {
    by: Option<String>,
}

impl Order for Rfo {
    const MOVE: Move = Move::Rfo;
    fn read(self) -> Result<(Option<String>, Command), Problem> {
        Ok((self.by, Command::Rfo))
    }
}

/// A note that people can read.
pub(super) fn note(text: String) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::bad("the note is empty: write what there is to know"));
    }
    if text.len() > MAX_NOTE {
        return Err(Problem::bad(format!("the note has {} bytes, but at most {MAX_NOTE} fit: shorten it", text.len())));
    }
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(c) => Err(Problem::bad(format!("the note contains {c:?}: remove control characters but line breaks"))),
        None => Ok(text),
    }
}

#[derive(Serialize)]
struct Done {
    done: &'static str,
    reference: String,
    case: Option<CaseForm>,
}

/// The case after the change. The change is done, so whatever keeps us from reading it is no reason to say it is not.
async fn as_it_stands(web: &Web, reference: Reference) -> Option<CaseForm> {
    let case = web.readers.read(move |reader| Ok(reader.case(reference)?)).await.ok()?;
    case.map(|case| CaseForm::new(case, &web.scene()))
}

/// `/api/cases/{ref}/take` and the like.
pub(super) async fn work<O: Order>(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    reference: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let reference = Reference::parse(&segment(reference)?)?;
    let (by, command) = read_json::<O>(request).await?.read()?;
    let by = actor(&web, caller, by).await?;
    ask(&web, by, Wish::Work { reference, command }).await?;
    let case = as_it_stands(&web, reference).await;
    Ok(json(StatusCode::OK, &Done { done: O::MOVE.name(), reference: reference.to_string(), case }))
}

/// Body of a `POST` to `/api/cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    by: Option<String>,
    unit: String,
    priority: String,
    channel: Option<String>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Opened {
    reference: String,
    priority: &'static str,
    unit: String,
    order: Option<String>,
    case: Option<CaseForm>,
}

/// `POST /api/cases`: opens a case by hand.
pub(super) async fn open(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let Open { by, unit, priority, channel, note: text } = read_json(request).await?;
    let priority = named("priority", &priority, Priority::ALL, Priority::name)?;
    let channel = channel.map_or(Ok(Channel::Api), |name| named("channel", &name, Channel::BY_STAFF, Channel::name))?;
    let text = text.map(note).transpose()?;
    let row = unit_row(&web, &unit)?;
    let by = actor(&web, caller, by).await?;
    let opened = ask(&web, by, Wish::Open { unit: unit.clone(), priority, channel, note: text }).await?;
    let turn::Done::Case(reference) = opened else { unreachable!("who opens a case is given a case") };
    let case = as_it_stands(&web, reference).await;
    let reference = reference.to_string();
    let location = format!("/api/cases/{reference}");
    let order = row.device.circuit().map(|circuit| circuit.order.to_string());
    let opened = json(StatusCode::CREATED, &Opened { reference, priority: priority.name(), unit, order, case });
    Ok(([(header::LOCATION, location)], opened).into_response())
}

/// Whether the caller may change anything.
pub(super) fn may_change(caller: Caller, headers: &HeaderMap, token: Option<&Secret>) -> Result<(), Problem> {
    match caller {
        Caller::Local { .. } => return Ok(()),
        Caller::Network => {}
    }
    let Some(token) = token else {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this address is for reading only: use the Unix socket, or set [http] token_file",
        ));
    };
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let shown = shown.and_then(|value| value.split_at_checked(BEARER.len()));
    match shown {
        Some((scheme, shown)) if scheme.eq_ignore_ascii_case(BEARER) => {
            if bool::from(shown.ct_eq(token.expose().as_bytes())) {
                Ok(())
            } else {
                Err(Problem::new(StatusCode::UNAUTHORIZED, "this token is not the one in [http] token_file"))
            }
        }
        Some(_) | None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "changes need the header \"Authorization: Bearer TOKEN\", with the token in [http] token_file",
        )),
    }
}

const BEARER: &[u8] = b"Bearer ";

/// The body of a request. Web pages of others can't send this content type without being asked first, so none of them
/// can change anything in the name of its reader.
pub(super) async fn read_json<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send JSON, with the header \"Content-Type: application/json\"",
        ));
    }
    let body = body(request, MAX_BODY, BODY_TIMEOUT).await?;
    serde_json::from_slice(&body).map_err(|e| Problem::bad(format!("the body does not fit: {e}")))
}

/// The body of a request, of at most so many bytes and within this time.
pub(super) async fn body(request: Request<Body>, longest: usize, within: Duration) -> Result<Bytes, Problem> {
    let body = timeout(within, Limited::new(request.into_body(), longest).collect()).await;
    let body = body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"))?;
    let body = body.map_err(|e| {
        if e.is::<LengthLimitError>() {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {longest} bytes"))
        } else {
            Problem::bad(format!("the body cannot be read: {e}"))
        }
    })?;
    Ok(body.to_bytes())
}

/// Who acts: the one that the request names, or the user at the other end of the socket.
pub(super) async fn actor(web: &Web, caller: Caller, by: Option<String>) -> Result<String, Problem> {
    let name = match (by, caller) {
        (Some(by), _) => by,
        (None, Caller::Local { uid: Some(uid) }) => web.people.name(uid).await,
        (None, Caller::Local { uid: None } | Caller::Network) => {
            return Err(Problem::bad("say who you are: add \"by\""));
        }
    };
    person("by", name)
}

/// The name of a person, at `key` of the request.
fn person(key: &str, name: String) -> Result<String, Problem> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Problem::bad(format!(
            "{key:?} has to be a name of up to {MAX_NAME} characters without control characters"
        )));
    }
    if name == Actor::Watch.name() {
        return Err(Problem::bad(format!(
            "{name:?} is what the watch itself is called: say in {key:?} which person it is"
        )));
    }
    Ok(name)
}

pub(super) async fn ask(web: &Web, by: String, wish: Wish) -> Result<turn::Done, Problem> {
    let answer = (web.services.ask)(by, wish)
        .map_err(|Busy| Problem::unavailable("too many requests are waiting: nothing was done, try again"))?;
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(result)) => Ok(result?),
        Ok(Err(_)) | Err(_) => Err(Problem::unavailable(
            "the daemon did not answer in time, so it is not known whether it was done: look at it before you try \
             again",
        )),
    }
}
