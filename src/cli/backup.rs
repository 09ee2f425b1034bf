//! `ntuwatch backup`.

use super::print::{Page, field, parse};
use super::{Common, Exit, Failure};
use crate::store::{BackupError, OpenError, Reader};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(super) struct Backup {
    /// The new file
    file: PathBuf,
}

/// Copies the store. It does this itself, so it works without a daemon too.
pub(super) fn perform(backup: &Backup, common: &Common, page: &mut Page) -> Result<(), Failure> {
    let store = store(common)?;
    let reader = Reader::open(&store).map_err(|e| Failure::new(open_exit(&e), e.to_string()))?;
    reader.backup(&backup.file).map_err(|e| Failure::new(backup_exit(&e), e.to_string()))?;
    let file = backup.file.display().to_string();
    if page.json {
        page.raw(json!({ "backup": file, "store": store.display().to_string() }).to_string().as_bytes())?;
    } else {
        page.line(&format!("{file}: backup of {}", store.display()))?;
    }
    Ok(())
}

/// Where the store is: as the daemon says, or the configuration.
pub(super) fn store(common: &Common) -> Result<PathBuf, Failure> {
    match &common.socket {
        Some(_) => {
            let status: Value = parse(&common.client()?.get("/api/status")?)?;
            Ok(PathBuf::from(field(&status, "store")))
        }
        None => Ok(common.places()?.store),
    }
}

pub(super) const fn open_exit(e: &OpenError) -> Exit {
    match e {
        OpenError::Unusable { .. } => Exit::NoInput,
        OpenError::Foreign { .. } | OpenError::Damaged { .. } | OpenError::Older { .. } | OpenError::Newer { .. } => {
            Exit::Data
        }
        OpenError::InUse { .. } => Exit::Unavailable,
    }
}

const fn backup_exit(e: &BackupError) -> Exit {
    match e {
        BackupError::Exists { .. } | BackupError::Full { .. } | BackupError::Failed { .. } => Exit::CantCreate,
        BackupError::Damaged { .. } => Exit::Data,
    }
}
