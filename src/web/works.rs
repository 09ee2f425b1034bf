//! `/api/maintenance/{id}`: one maintenance, with what it covers, who was told, and what was lost within it.

use super::Web;
use super::api::{MAX_TIMELINE, good, segment};
use super::board::{Board, Row};
use super::maintenance::MaintenanceForm;
use super::problem::Problem;
use super::scene::{Scene, stamp};
use super::show::{EntryForm, LetterForm, circuit, latest};
use crate::domain::letter::Thread;
use crate::domain::maintenance::{Maintenance, Scope, Stage};
use crate::domain::time::{Calendar, Time};
use crate::domain::watch::{Interval, Reason};
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
/// Devices that one is reached through, at the most.
const MAX_DEPTH: usize = 64;

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
            Thread::Case { .. } | Thread::Umbrella { .. } | Thread::Alarm { .. } => None,
        };
        Self { customer, letter: LetterForm::new(letter, calendar) }
    }
}

/// What is within a scope, as the board has it.
struct Covered {
    board: Arc<Board>,
    scope: Scope,
    /// Through what other devices are reached: few are asked for often.
    upstream: HashMap<String, Option<String>>,
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

    fn has(&mut self, row: &Row) -> bool {
        let id = match &self.scope {
            Scope::Group(kind, name) => return circuit(row).is_some_and(|line| line.group(*kind) == Some(name)),
            Scope::Device(id) => id.clone(),
        };
        let mut next = Some(row.device.id.clone());
        for _ in 0..=MAX_DEPTH {
            match next {
                None => return false,
                Some(device) if device == id => return true,
                Some(device) if device == row.device.id => next = row.device.upstream.clone(),
                Some(device) => next = self.upstream_of(device),
            }
        }
        false
    }

    fn upstream_of(&mut self, device: String) -> Option<String> {
        if let Some(known) = self.upstream.get(&device) {
            return known.clone();
        }
        let found = self.board.find(&device).and_then(|row| row.device.upstream.clone());
        self.upstream.insert(device, found.clone());
        found
    }

    fn count(&mut self, row: &Row) {
        if !self.has(row) {
            return;
        }
        if let Some(circuit) = circuit(row) {
            self.units += 1;
            if !self.customers.contains(&circuit.customer) {
                self.customers.insert(circuit.customer.clone());
            }
        }
        if row.status.reason == Reason::Maintenance {
            self.lost.push((row.device.id.clone(), row.status.since));
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
    let mut after = None;
    loop {
        // Looked at only afterwards, for the board is not to be asked from within a look.
        let mut rows = Vec::new();
        after = web.services.board.look(after.as_deref(), |row| {
            rows.push(row.clone());
            ControlFlow::Continue(())
        });
        rows.iter().for_each(|row| covered.count(row));
        if after.is_none() {
            break;
        }
        tokio::task::yield_now().await;
    }
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
        if covered.board.find(&device).is_some_and(|row| covered.has(&row)) {
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
