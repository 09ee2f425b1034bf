//! Our own: who is off, which centre has the shift, and of which contracts' ends customers were told.

use crate::domain::desk::{DutyChange, SavedDuty};
use crate::domain::time::Time;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Writes what changed, in its order.
pub(in crate::store) fn put_duty(db: &Connection, changes: &[DutyChange], at: Time) -> Result<()> {
    for change in changes {
        match change {
            DutyChange::Staff { id, on: true, .. } => {
                db.prepare_cached("DELETE FROM staff_off WHERE id = ?1")?.execute([id])?;
            }
            DutyChange::Staff { id, on: false, by } => {
                let put = "INSERT INTO staff_off (id, since, by) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
                db.prepare_cached(put)?.execute(params![id, at, by])?;
            }
            DutyChange::Shift { centre, complete } => {
                let put = "INSERT INTO shift (only, centre, since, complete) VALUES (1, ?1, ?2, ?3) \
                     ON CONFLICT (only) DO UPDATE SET \
                     since = iif(centre = ?1, since, ?2), centre = ?1, complete = ?3";
                db.prepare_cached(put)?.execute(params![centre, at, complete])?;
            }
            DutyChange::Noticed { contract, last_day } => {
                let put = "INSERT INTO contract_notices (contract, last_day, told_at) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (contract, last_day) DO NOTHING";
                db.prepare_cached(put)?.execute(params![contract, last_day, at])?;
            }
        }
    }
    Ok(())
}

/// All of it.
pub(in crate::store) fn duty(db: &Connection) -> Result<SavedDuty> {
    let off = db.prepare("SELECT id FROM staff_off")?.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    let shift = db.query_row("SELECT centre, complete FROM shift", [], |row| Ok((row.get(0)?, row.get(1)?)));
    let noticed = db
        .prepare("SELECT contract, last_day FROM contract_notices")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    Ok(SavedDuty { off, shift: shift.optional()?, noticed })
}
