//! `/api/maintenance/{id}`: one maintenance, with what it covers, who was told, and what was lost within it.

use super::Web;
use super::api::{MAX_TIMELINE, good, segment};
use super::board::{Board, Row};
use super::maintenance::MaintenanceForm;
use super::problem::Problem;
use super::scene::{Scene, stamp};
use super::show::{EntryForm, LetterForm, latest};
use crate::domain::letter::Thread;
use crate::domain::maintenance::{Maintenance, Scope, Stage};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Device, Interval, MAX_DEPTH, Reason};
use crate::store::{LetterRow, Reader};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use core::ops::ControlFlow;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The most losses that a maintenance shows.
pub const MAX_LOSSES: usize = 1_000;

/// A maintenance by itself.
#[derive(Serialize)]
struct MaintenanceDetail {
    #[serde(flatten)]
    maintenance: MaintenanceForm,
    /// Units within its scope, as the inventory is now, and whose they are.
    unit_count: usize,
    customer_count: usize,
    /// Units and nodes that were lost within it for a while.
    lost_count: usize,
    /// False if the latest losses are left out.
    losses_complete: bool,
    /// In the order in which they ended.
    losses: Vec<LossForm>,
    /// False if the oldest entries are left out.
    timeline_complete: bool,
    timeline: Vec<EntryForm>,
    /// The same of the letters.
    letters_complete: bool,
    letters: Vec<NoticeForm>,
}

#[derive(Serialize)]
struct LossForm {
    device: String,
    from: Option<String>,
    /// Not there while it lasts.
    until: Option<String>,
}

/// A letter to a customer about it; its number is that of the revision.
#[derive(Serialize)]
struct NoticeForm {
    customer: Option<String>,
    #[serde(flatten)]
    letter: LetterForm,
}

impl NoticeForm {
    fn new(letter: LetterRow, calendar: &Calendar) -> Self {
        let customer = match &letter.thread {
            Thread::Maintenance { customer, .. } => Some(customer.clone()),
            Thread::Case { .. }
            | Thread::Umbrella { .. }
            | Thread::Alarm { .. }
            | Thread::Contract { .. }
            | Thread::Reach { .. } => None,
        };
        Self { customer, letter: LetterForm::new(letter, calendar) }
    }
}

/// What is within a scope, as the board has it.
struct Covered {
    board: Arc<Board>,
    scope: Scope,
    /// Whether what a device is reached through is within the scope, by its id. Few are asked for often.
    upstream: HashMap<String, bool>,
    units: usize,
    customers: BTreeSet<String>,
    /// What is lost under a maintenance just now, and since when.
    lost: Vec<(String, Time)>,
}

impl Covered {
    fn new(board: Arc<Board>, scope: Scope) -> Self {
        let (upstream, customers) = (HashMap::new(), BTreeSet::new());
        Self { board, scope, upstream, units: 0, customers, lost: Vec::new() }
    }

    /// Whether the device is within the scope; nothing if it has to be asked of the board first.
    fn known(&self, device: &Device) -> Option<bool> {
        match (&self.scope, device.upstream()) {
            (Scope::Group(kind, name), _) => Some(device.is_of(*kind, name)),
            (Scope::Device(id), _) if *id == device.id => Some(true),
            (Scope::Device(_), None) => Some(false),
            (Scope::Device(_), Some(upstream)) => self.upstream.get(upstream).copied(),
        }
    }

    /// Whether the device is within the scope. Not to be called from within a look at the board.
    fn has(&mut self, device: &Device) -> bool {
        if let (None, Some(upstream)) = (self.known(device), device.upstream()) {
            let next = |id: &String| Some(self.board.find(id)?.device.upstream()?.to_owned());
            let mut above = core::iter::successors(Some(upstream.to_string()), next).take(MAX_DEPTH);
            let found = above.any(|id| matches!(&self.scope, Scope::Device(root) if *root == id));
            self.upstream.insert(upstream.to_string(), found);
        }
        self.known(device).unwrap_or(false)
    }

    fn count(&mut self, device: &Device, lost: Option<Time>) {
        if let Some(circuit) = device.circuit() {
            self.units += 1;
            if !self.customers.contains(circuit.customer.as_str()) {
                self.customers.insert(circuit.customer.to_string());
            }
        }
        self.lost.extend(lost.map(|since| (device.id.to_string(), since)));
    }

    /// Counts what is within the scope. What can't be known within a look is looked at again after it.
    async fn count_all(&mut self) {
        let board = Arc::clone(&self.board);
        let mut after = None;
        loop {
            let mut unknown = Vec::new();
            after = board.look(after.as_deref(), |Row { device, status, .. }| {
                let lost = (status.reason == Reason::Maintenance).then_some(status.since);
                match self.known(device) {
                    Some(true) => self.count(device, lost),
                    Some(false) => {}
                    None => unknown.push((Arc::clone(device), lost)),
                }
                ControlFlow::Continue(())
            });
            for (device, lost) in unknown {
                if self.has(&device) {
                    self.count(&device, lost);
                }
            }
            if after.is_none() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// `/api/maintenance/{id}`.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = segment(id)?;
    let scene = web.scene();
    let unknown = format!("there is no maintenance {id:?}");
    let found = web.readers.read(move |reader| Ok(reader.one_maintenance(&id)?)).await?;
    let planned = found.ok_or_else(|| Problem::unknown(unknown))?;
    let board = Arc::clone(&web.services.board);
    let mut covered = Covered::new(board, planned.window.scope.clone());
    covered.count_all().await;
    good(&web.readers.read(move |reader| detail(reader, &planned, covered, &scene)).await?)
}

fn detail(
    reader: &Reader,
    planned: &Maintenance,
    mut covered: Covered,
    scene: &Scene,
) -> Result<MaintenanceDetail, Problem> {
    let calendar = &scene.calendar;
    let Losses { losses, complete: losses_complete, lost } = losses(reader, planned, &mut covered, calendar)?;
    let timeline = reader.maintenance_timeline(planned, MAX_TIMELINE + 1)?;
    let letters = reader.maintenance_letters(planned, MAX_TIMELINE + 1)?;
    let (timeline_complete, timeline) = latest(timeline, MAX_TIMELINE, |entry| EntryForm::new(entry, calendar));
    let (letters_complete, letters) = latest(letters, MAX_TIMELINE, |letter| NoticeForm::new(letter, calendar));
    Ok(MaintenanceDetail {
        maintenance: MaintenanceForm::new(planned, scene),
        unit_count: covered.units,
        customer_count: covered.customers.len(),
        lost_count: lost.len(),
        losses_complete,
        losses,
        timeline_complete,
        timeline,
        letters_complete,
        letters,
    })
}

/// What was lost within a maintenance.
#[derive(Default)]
struct Losses {
    losses: Vec<LossForm>,
    complete: bool,
    lost: BTreeSet<String>,
}

impl Losses {
    fn note(&mut self, device: String, from: Time, until: Option<Time>, calendar: &Calendar) {
        self.complete = self.losses.len() < MAX_LOSSES;
        if self.complete {
            let until = until.and_then(|at| stamp(calendar, at));
            self.losses.push(LossForm { device: device.clone(), from: stamp(calendar, from), until });
        }
        self.lost.insert(device);
    }
}

fn losses(
    reader: &Reader,
    planned: &Maintenance,
    covered: &mut Covered,
    calendar: &Calendar,
) -> Result<Losses, Problem> {
    let window = &planned.window;
    let mut losses = Losses { complete: true, ..Losses::default() };
    match planned.stage {
        Stage::Active | Stage::Ended => {}
        // What is lost under another one is not its own.
        Stage::Planned | Stage::Cancelled => return Ok(losses),
    }
    reader.maintained_losses(window.from, window.until, |Interval { device, from, until, .. }| {
        if covered.board.find(&device).is_some_and(|row| covered.has(&row.device)) {
            losses.note(device, from, Some(until), calendar);
        }
    })?;
    for (device, since) in core::mem::take(&mut covered.lost) {
        if since < window.until {
            losses.note(device, since, None, calendar);
        }
    }
    Ok(losses)
}
