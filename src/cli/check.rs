//! `check`: every fault of the configuration at once.

use super::{Common, Exit, Failure, Page, run};
use crate::config;
use crate::domain::watch::Role;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Check the configuration and report all its faults at once
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration file; the same as --config
    file: Option<PathBuf>,
}

pub(super) fn perform(check: &Check, common: &Common, page: &mut Page) -> Result<(), Failure> {
    let file = match &check.file {
        Some(file) => file,
        None => common.config()?,
    };
    match config::read(file, run::credentials().as_deref()) {
        Ok(config) => {
            let plan = &config.plan;
            let count = |wanted: fn(&Role) -> bool| plan.devices.iter().filter(|device| wanted(&device.role)).count();
            let units = count(|role| matches!(role, Role::Unit(_)));
            let nodes = count(|role| *role == Role::Node);
            let sentinels = count(|role| matches!(role, Role::Sentinel(_)));
            let customers = plan.customers.len();
            if page.json {
                let counts = json!({
                    "faults": [], "customers": customers, "units": units, "nodes": nodes, "sentinels": sentinels,
                });
                page.raw(counts.to_string().as_bytes())?;
            } else {
                page.line(&format!(
                    "{}: good: {units} units of {customers} customers, {nodes} nodes, {sentinels} sentinels",
                    file.display()
                ))?;
            }
            Ok(())
        }
        Err(faults) if page.json => {
            let list: Vec<_> = faults
                .0
                .iter()
                .map(|fault| {
                    json!({
                        "file": fault.file.display().to_string(), "line": fault.line, "column": fault.column,
                        "message": fault.message,
                    })
                })
                .collect();
            page.raw(json!({ "faults": list }).to_string().as_bytes())?;
            page.flush()?;
            Err(Failure::new(Exit::Config, format!("{} faults", faults.0.len())))
        }
        Err(faults) => Err(Failure::Listed(Exit::Config, faults.to_string())),
    }
}
