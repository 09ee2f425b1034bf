//! `check`: every fault of the configuration at once.

use super::{Common, Exit, Failure, Page, run};
use crate::config::{self, Config};
use crate::domain::preview::{Effect, preview};
use crate::domain::watch::{Role, strains};
use crate::store::Reader;
use crate::text;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// Check the configuration and report all its faults at once, and what a reload would change in the store's open cases
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
        Ok(config) => approve(&config, page),
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

fn approve(config: &Config, page: &mut Page) -> Result<(), Failure> {
    let plan = &config.plan;
    let count = |wanted: fn(&Role) -> bool| plan.devices.iter().filter(|device| wanted(&device.role)).count();
    let units = count(|role| matches!(role, Role::Unit(_)));
    let nodes = count(|role| *role == Role::Node);
    let sentinels = count(|role| matches!(role, Role::Sentinel(_)));
    let customers = plan.customers.len();
    let (effects, strains) = (effects(config), strains(&plan.devices));
    if page.json {
        let mut answer = json!({
            "faults": [], "customers": customers, "units": units, "nodes": nodes, "sentinels": sentinels,
        });
        match effects {
            Ok(None) => {}
            Ok(Some(effects)) => answer["reload"] = effects.iter().map(text::effect_fields).collect(),
            Err(why) => answer["store_fault"] = Value::String(why),
        }
        if !strains.is_empty() {
            answer["strained"] = strains.iter().map(text::strain_fields).collect();
        }
        return Ok(page.raw(answer.to_string().as_bytes())?);
    }
    page.line(&format!(
        "{}: good: {} of {}, {}, {}",
        config.file.display(),
        text::many(units, "unit"),
        text::many(customers, "customer"),
        text::many(nodes, "node"),
        text::many(sentinels, "sentinel")
    ))?;
    strains.iter().try_for_each(|strain| page.line(&format!("warning: {}", text::strain(strain))))?;
    match effects {
        Ok(effects) => effects.iter().flatten().try_for_each(|effect| page.line(&text::effect(effect)))?,
        Err(why) => page.line(&format!("what a reload would change is not known: {why}"))?,
    }
    Ok(())
}

/// What a reload would change at once, if there is a store.
fn effects(config: &Config) -> Result<Option<Vec<Effect>>, String> {
    if !config.store.exists() {
        return Ok(None);
    }
    let reader = Reader::open(&config.store).map_err(|e| e.to_string())?;
    let loaded = reader.load().map_err(|e| e.to_string())?;
    let Some(mark) = &loaded.mark else { return Ok(None) };
    let known = loaded.saved.devices.iter().map(|row| (row.id.as_str(), &row.evidence));
    Ok(Some(preview(known, &loaded.saved.desk.cases, &config.plan, mark.at)))
}
