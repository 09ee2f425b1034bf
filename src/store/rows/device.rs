//! Devices: what is known of them, their ledger and their strips.

use super::misfit;
use crate::domain::time::{Tally, Time};
use crate::domain::turn::DeviceRow;
use crate::domain::watch::{Baseline, Chunk, Evidence, Interval, Reason, Symptoms, Trouble, Verdict};
use crate::store::columns::Millis;
use rusqlite::{CachedStatement, Result, Row, params};
use std::net::IpAddr;

/// Takes every column of [`put_device`]. Where the primary key is a table's only index, to replace is to overwrite: an
/// update that is also an insert would keep a copy of each page.
pub(in crate::store) const PUT_DEVICE: &str =
    "REPLACE INTO devices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

pub(in crate::store) fn put_device(statement: &mut CachedStatement<'_>, device: &DeviceRow) -> Result<()> {
    let evidence = &device.evidence;
    let trouble = evidence.trouble();
    let (level, windows) = device.baseline.parts();
    statement.execute(params![
        device.id,
        evidence.verdict(),
        evidence.reason(),
        evidence.since(),
        evidence.last_contact(),
        trouble.map(|trouble| trouble.first_loss),
        trouble.map(|trouble| trouble.detected),
        trouble.map(|trouble| Millis(trouble.loss.banked())),
        trouble.and_then(|trouble| trouble.loss.running_since()),
        trouble.and_then(|trouble| trouble.fault_at).map(Millis),
        device.address.map(|address| address.to_string()),
        evidence.symptoms().bits(),
        level,
        windows,
        device.agent,
    ])?;
    Ok(())
}

/// By position: there may be a million of these at start-up.
pub(in crate::store) fn device(row: &Row<'_>) -> Result<DeviceRow> {
    let trouble = match row.get::<_, Option<Time>>(5)? {
        None => None,
        Some(first_loss) => Some(Trouble {
            first_loss,
            detected: row.get(6)?,
            loss: Tally::new(row.get::<_, Millis>(7)?.0, row.get(8)?),
            fault_at: row.get::<_, Option<Millis>>(9)?.map(|millis| millis.0),
        }),
    };
    let verdict: (Verdict, Reason) = (row.get(1)?, row.get(2)?);
    let address: Option<String> = row.get(10)?;
    let address = address.map(|text| text.parse::<IpAddr>().map_err(|_| misfit(&text, "address"))).transpose()?;
    let symptoms = Symptoms::from_bits(row.get(11)?);
    Ok(DeviceRow {
        id: row.get(0)?,
        evidence: Evidence::restored(verdict, row.get(3)?, row.get(4)?, symptoms, trouble),
        address,
        baseline: Baseline::from_parts(row.get(12)?, row.get(13)?),
        agent: row.get(14)?,
    })
}

pub(in crate::store) fn interval(row: &Row<'_>) -> Result<Interval> {
    Ok(Interval {
        device: row.get("device")?,
        from: row.get("since")?,
        until: row.get("until")?,
        verdict: row.get("verdict")?,
        reason: row.get("reason")?,
    })
}

pub(in crate::store) const PUT_CHUNK: &str =
    "REPLACE INTO strips (device, since, interval_ms, cells) VALUES (?1, ?2, ?3, ?4)";

pub(in crate::store) fn put_chunk(statement: &mut CachedStatement<'_>, device: &str, chunk: &Chunk) -> Result<()> {
    statement.execute(params![device, chunk.from, Millis(chunk.interval), chunk.cells])?;
    Ok(())
}

pub(in crate::store) fn chunk(row: &Row<'_>) -> Result<Chunk> {
    let interval = row.get::<_, Millis>("interval_ms")?.0;
    Ok(Chunk { from: row.get("since")?, interval, cells: row.get("cells")? })
}

pub(in crate::store) fn device_chunk(row: &Row<'_>) -> Result<(String, Chunk)> {
    Ok((row.get("device")?, chunk(row)?))
}
