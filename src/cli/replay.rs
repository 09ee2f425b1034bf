//! `replay`: what would other settings have made of the recorded past?

use super::backup::open_exit;
use super::{Common, Exit, Failure, Page, run};
use crate::config::{self, Config};
use crate::domain::desk::Case;
use crate::domain::time::Time;
use crate::store::{CaseFilter, Loaded, ReadError, Reader};
use crate::story::Print;
use crate::story::replay::{self, Cast, Question, Record, Survey, WARM_UP};
use crate::text::parse_duration;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Cases that are read at once.
const CASES: usize = 1_000;

/// List the cases that other settings would have opened, or not, in the recorded past
///
/// Runs the store's ledger and strips through the same core twice, with the settings in force and with those of
/// --config, and lists the difference. It needs no daemon and disturbs none. The answer is right to within one interval
/// of a unit: probes of the replay fall between those of the record. Single rounds are recorded for noteworthy hours
/// only, so single lost probes of a line that is healthy otherwise are not replayed; nor is what SNMP agents told
/// (reboots, the WAN interface), nor what people did to cases. Canaries and letters are left out. How many of the cases
/// that were opened in fact the first run shows as well is printed, to judge by.
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// How far back, from the end of the record: 12h, 30d
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    since: Duration,
    /// The configuration in force; without it ./ntuwatch.toml or /etc/ntuwatch/ntuwatch.toml
    #[arg(long, value_name = "FILE")]
    current: Option<PathBuf>,
    /// The store, instead of the one of the configuration in force
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

pub(super) fn perform(replay: &Replay, common: &Common, page: &mut Page) -> Result<(), Failure> {
    let new = common
        .config
        .as_deref()
        .ok_or_else(|| Failure::new(Exit::Usage, "give the settings to try as --config FILE"))?;
    let current = match &replay.current {
        Some(file) => file,
        None => super::usual_config()
            .ok_or_else(|| Failure::new(Exit::Usage, "give the configuration in force as --current FILE"))?,
    };
    let (current, new) = (read(current)?, read(new)?);
    let store = replay.store.as_ref().unwrap_or(&current.store);
    let reader = Reader::open(store).map_err(|e| Failure::new(open_exit(&e), e.to_string()))?;
    let print = if page.json { Print::Json } else { Print::Words };
    let unreadable = |e: ReadError| Failure::new(Exit::Data, e.to_string());
    let loaded = reader.load().map_err(unreadable)?;
    let Some(mark) = &loaded.mark else {
        return Err(Failure::new(Exit::Data, format!("nothing was ever recorded in {}", store.display())));
    };
    let (since, until) = (mark.at - replay.since, mark.at);
    let plans = [&current.plan, &new.plan];
    let (cast, record) = remember(&reader, &loaded, plans, since - WARM_UP, until).map_err(unreadable)?;
    let recorded = cases_since(&reader, since).map_err(unreadable)?;
    let works = reader.maintenance(usize::MAX).map_err(unreadable)?;
    let question = Question { plans, since, calendar: &loaded.calendar, works: &works, recorded: &recorded };
    replay::print(&replay::replay(&question, &cast, &record), &loaded.calendar, print, page)?;
    Ok(page.flush()?)
}

fn read(file: &Path) -> Result<Config, Failure> {
    config::read(file, run::credentials().as_deref())
        .map_err(|faults| Failure::Listed(Exit::Config, faults.to_string()))
}

/// Goes through the ledgers twice, first to find out whom they have something to say of: there may be more than memory
/// holds.
fn remember(
    reader: &Reader,
    loaded: &Loaded,
    plans: [&crate::domain::plan::Plan; 2],
    from: Time,
    until: Time,
) -> Result<(Cast, Record), ReadError> {
    let rows = &loaded.saved.devices;
    let mut survey = Survey::new(rows);
    reader.intervals_since(from, |interval| survey.stretch(&interval.device, interval.verdict))?;
    reader.strips_since(from, |device, _| survey.strip(&device))?;
    let cast = Cast::new(plans, &survey);
    let mut record = Record::new(until);
    reader.intervals_since(from, |interval| {
        if cast.has(&interval.device) {
            record.stretch(&interval);
        }
    })?;
    reader.strips_since(from, |device, chunk| {
        if cast.has(&device) {
            record.chunk(&device, chunk);
        }
    })?;
    rows.iter().filter(|row| cast.has(&row.id)).for_each(|row| record.present(row));
    Ok((cast, record))
}

/// The cases that were opened since a time.
fn cases_since(reader: &Reader, since: Time) -> Result<Vec<Case>, ReadError> {
    let mut filter =
        CaseFilter { open_only: false, unit: None, umbrella: None, lacks_prechecks: false, below: None, limit: CASES };
    let mut all = Vec::new();
    loop {
        let page = reader.cases(&filter)?;
        let more = page.len() == CASES && page.last().is_some_and(|case| case.opened_at >= since);
        filter.below = page.last().map(|case| case.opening.reference.number());
        all.extend(page.into_iter().filter(|case| case.opened_at >= since));
        if !more {
            return Ok(all);
        }
    }
}
