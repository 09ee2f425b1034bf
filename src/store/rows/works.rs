//! Maintenance, and alarms about the watch itself.

use super::{before_next_colon, misfit};
use crate::domain::desk::{Alarm, AlarmCause, CanaryStep};
use crate::domain::letter::Thread;
use crate::domain::maintenance::{Maintenance, Scope, Window};
use crate::domain::watch::{GroupKind, Reason};
use rusqlite::{CachedStatement, Result, Row, params};

pub(in crate::store) const PUT_MAINTENANCE: &str = "INSERT INTO maintenance \
     (id, scope_group, scope, begins, ends, emergency, note, origin, revision, announced_at, stage, planned_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET \
     scope_group = ?2, scope = ?3, begins = ?4, ends = ?5, emergency = ?6, note = ?7, origin = ?8, revision = ?9, \
     announced_at = ?10, stage = ?11, planned_at = ?12";

pub(in crate::store) fn put_maintenance(statement: &mut CachedStatement<'_>, planned: &Maintenance) -> Result<()> {
    let window = &planned.window;
    let (group, scope) = match &window.scope {
        Scope::Device(id) => (None, id),
        Scope::Group(kind, name) => (Some(*kind), name),
    };
    statement.execute(params![
        window.id,
        group,
        scope,
        window.from,
        window.until,
        window.emergency,
        window.note,
        planned.origin,
        planned.revision,
        planned.announced_at,
        planned.stage,
        planned.planned_at,
    ])?;
    Ok(())
}

pub(in crate::store) fn maintenance(row: &Row<'_>) -> Result<Maintenance> {
    let scope: String = row.get("scope")?;
    let group: Option<GroupKind> = row.get("scope_group")?;
    Ok(Maintenance {
        window: Window {
            id: row.get("id")?,
            scope: match group {
                None => Scope::Device(scope),
                Some(kind) => Scope::Group(kind, scope),
            },
            from: row.get("begins")?,
            until: row.get("ends")?,
            emergency: row.get("emergency")?,
            note: row.get("note")?,
        },
        origin: row.get("origin")?,
        revision: row.get("revision")?,
        planned_at: row.get("planned_at")?,
        announced_at: row.get("announced_at")?,
        stage: row.get("stage")?,
    })
}

/// From which key on, and before which, the threads of a maintenance are.
pub(in crate::store) fn works_range(planned: &Maintenance) -> (String, String) {
    let Maintenance { window, planned_at, .. } = planned;
    let nobody = Thread::Maintenance { id: window.id.clone(), planned_at: *planned_at, customer: String::new() };
    before_next_colon(nobody.key())
}

const OWN_SIDE: &str = "own_side";
const EVERYBODY: &str = "everybody";
const CANARY: &str = "canary";
/// Its team is in the column of the unit.
const UNSTAFFED: &str = "unstaffed";

pub(in crate::store) const PUT_ALARM: &str = "INSERT INTO alarms (kind, since, cause, reason, unit, step) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind) DO UPDATE SET \
     since = ?2, cause = ?3, reason = ?4, unit = ?5, step = ?6";

pub(in crate::store) fn put_alarm(statement: &mut CachedStatement<'_>, alarm: &Alarm) -> Result<()> {
    let (cause, reason, unit, step): (_, Option<Reason>, Option<&String>, Option<CanaryStep>) = match &alarm.why {
        AlarmCause::OwnSide(reason) => (OWN_SIDE, Some(*reason), None, None),
        AlarmCause::Everybody => (EVERYBODY, None, None, None),
        AlarmCause::Canary { unit, step } => (CANARY, None, Some(unit), Some(*step)),
        AlarmCause::Unstaffed { team } => (UNSTAFFED, None, team.as_ref(), None),
    };
    statement.execute(params![alarm.kind, alarm.since, cause, reason, unit, step])?;
    Ok(())
}

pub(in crate::store) fn alarm(row: &Row<'_>) -> Result<Alarm> {
    let cause: String = row.get("cause")?;
    let why = match cause.as_str() {
        OWN_SIDE => AlarmCause::OwnSide(row.get("reason")?),
        EVERYBODY => AlarmCause::Everybody,
        CANARY => AlarmCause::Canary { unit: row.get("unit")?, step: row.get("step")? },
        UNSTAFFED => AlarmCause::Unstaffed { team: row.get("unit")? },
        other => return Err(misfit(other, "cause")),
    };
    Ok(Alarm { kind: row.get("kind")?, since: row.get("since")?, why })
}
