//! Our own and customers' people, who has the shift, and what rules say of a case.

use super::Web;
use super::api::{good, segment};
use super::desk::{actor, ask, may_change, read_json};
use super::doors::Caller;
use super::problem::{Problem, json};
use super::scene::{Scene, stamp};
use crate::domain::desk::{Merits, Reference, RuleVerdict, Trace};
use crate::domain::party::{Contract, Language, Staff, Supplier};
use crate::domain::time::Time;
use crate::domain::turn::{Done, Wish};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One of the staff, as things stand.
#[derive(Clone, Debug)]
pub struct StaffRow {
    /// Who.
    pub staff: Arc<Staff>,
    /// Whether he is off.
    pub off: bool,
    /// Whether he is on duty.
    pub on_duty: bool,
    /// How many cases at work he has.
    pub cases: usize,
}

/// Who has the shift.
#[derive(Clone, Debug, Default)]
pub struct Shift {
    /// Which centre.
    pub centre: Option<String>,
    /// When the next one has it, and which.
    pub next: Option<(Time, String)>,
}

#[derive(Serialize)]
struct StaffForm {
    id: String,
    name: String,
    email: String,
    phone: Option<String>,
    team: Option<String>,
    tier: u8,
    skills: Vec<String>,
    languages: Vec<String>,
    territory: Vec<String>,
    products: Vec<String>,
    manager: Option<String>,
    centre: Option<String>,
    off: bool,
    on_duty: bool,
    cases: usize,
}

fn codes(languages: &[Language]) -> Vec<String> {
    languages.iter().map(ToString::to_string).collect()
}

impl StaffForm {
    fn new(StaffRow { staff, off, on_duty, cases }: &StaffRow) -> Self {
        let staff = Staff::clone(staff);
        Self {
            languages: codes(&staff.languages),
            tier: staff.grade.number(),
            id: staff.id,
            name: staff.name,
            email: staff.email,
            phone: staff.phone,
            team: staff.team,
            skills: staff.skills,
            territory: staff.territory,
            products: staff.products,
            manager: staff.manager,
            centre: staff.centre,
            off: *off,
            on_duty: *on_duty,
            cases: *cases,
        }
    }
}

/// `/api/staff`: everybody, by id.
pub(super) async fn staff(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let (summary, _) = web.services.board.summary();
    good(&summary.staff.iter().map(StaffForm::new).collect::<Vec<_>>())
}

/// Body of `/api/staff/{id}/on` and `…/off`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duty {
    by: Option<String>,
}

#[derive(Serialize)]
struct DutyDone {
    staff: String,
    on: bool,
}

/// `POST /api/staff/{id}/on`.
pub(super) async fn on(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    duty(&web, caller, (segment(id)?, true), request).await
}

/// `POST /api/staff/{id}/off`.
pub(super) async fn off(
    State(web): State<Arc<Web>>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    duty(&web, caller, (segment(id)?, false), request).await
}

async fn duty(
    web: &Web,
    caller: Caller,
    (staff, on): (String, bool),
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_change(caller, request.headers(), web.services.token.as_ref())?;
    let Duty { by } = read_json(request).await?;
    let by = actor(web, caller, by).await?;
    ask(web, by, Wish::Duty { staff: staff.clone(), on }).await?;
    Ok(json(StatusCode::OK, &DutyDone { staff, on }))
}

#[derive(Serialize)]
struct ShiftForm {
    centre: Option<String>,
    next_centre: Option<String>,
    next_at: Option<String>,
    centres: Vec<CentreForm>,
}

#[derive(Serialize)]
struct CentreForm {
    id: String,
    name: String,
    time_zone: String,
    languages: Vec<String>,
}

/// `/api/shift`: which centre has it, and which is next.
pub(super) async fn shift(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let (summary, _) = web.services.board.summary();
    let (next_at, next_centre) = summary.shift.next.clone().unzip();
    let centres = summary.parties.centres.values().map(|centre| CentreForm {
        id: centre.id.clone(),
        name: centre.name.clone(),
        time_zone: centre.time_zone.clone(),
        languages: codes(&centre.languages),
    });
    good(&ShiftForm {
        centre: summary.shift.centre.clone(),
        next_centre,
        next_at: next_at.and_then(|at| stamp(&summary.calendar, at)),
        centres: centres.collect(),
    })
}

#[derive(Serialize)]
pub(super) struct ContractForm {
    id: String,
    tier: &'static str,
    services: Vec<String>,
    valid: bool,
    /// The moment after its last day.
    ends_at: Option<String>,
}

impl ContractForm {
    pub(super) fn new(contract: &Contract, scene: &Scene) -> Self {
        Self {
            id: contract.id.clone(),
            tier: contract.tier.name(),
            services: contract.services.clone(),
            valid: contract.is_valid(scene.now),
            ends_at: scene.stamp(contract.ends),
        }
    }
}

#[derive(Serialize)]
struct SupplierForm {
    id: String,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    languages: Vec<String>,
    territory: Vec<String>,
}

/// `/api/suppliers`: all of them, by id.
pub(super) async fn suppliers(State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let form = |supplier: &Supplier| SupplierForm {
        id: supplier.id.clone(),
        name: supplier.name.clone(),
        email: supplier.email.clone(),
        phone: supplier.phone.clone(),
        languages: codes(&supplier.languages),
        territory: supplier.territory.clone(),
    };
    good(&web.scene().parties.suppliers.values().map(form).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct TraceForm {
    reference: String,
    /// The rule that fired last, the queue and the owner, as they are.
    rule: Option<String>,
    queue: String,
    owner: Option<String>,
    /// Rule by rule what is said of the case as it stands.
    rules: Vec<RuleForm>,
    /// Where it would go, were it opened now.
    team: Option<String>,
    to: Option<String>,
    why: Option<String>,
}

#[derive(Serialize)]
struct RuleForm {
    rule: String,
    says: &'static str,
    unmet: Vec<UnmetForm>,
}

#[derive(Serialize)]
struct UnmetForm {
    condition: &'static str,
    wanted: String,
    found: String,
}

impl TraceForm {
    fn new(reference: Reference, trace: Trace, merits: fn(&Merits) -> String) -> Self {
        let Trace { rules, team, chosen, present: (rule, queue, owner) } = trace;
        let (to, why) = chosen.map(|(to, for_what)| (to, merits(&for_what))).unzip();
        let rules = rules.into_iter().map(|(rule, verdict)| RuleForm::new(rule, verdict)).collect();
        Self { reference: reference.to_string(), rule, queue, owner, rules, team, to, why }
    }
}

impl RuleForm {
    fn new(rule: String, verdict: RuleVerdict) -> Self {
        let (says, unmet) = match verdict {
            RuleVerdict::Fires => ("fires", Vec::new()),
            RuleVerdict::Unmet(unmet) => ("does not hold", unmet),
            RuleVerdict::NotReached => ("not reached", Vec::new()),
        };
        let form = |unmet: crate::domain::desk::Unmet| UnmetForm {
            condition: unmet.condition,
            wanted: unmet.wanted,
            found: unmet.found,
        };
        Self { rule, says, unmet: unmet.into_iter().map(form).collect() }
    }
}

/// `/api/cases/{ref}/route`: which rule fires for a case as it stands, and why no other does. Only the loop knows.
pub(super) async fn route(
    State(web): State<Arc<Web>>,
    reference: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let reference = Reference::parse(&segment(reference)?)?;
    let Done::Trace(trace) = ask(&web, ASKER.to_owned(), Wish::Trace { reference }).await? else {
        unreachable!("who asks for a trace is given one")
    };
    good(&TraceForm::new(reference, *trace, web.services.words.merits))
}

/// Nothing is done by whoever only looks.
const ASKER: &str = "reader";
