//! `story`: what would it do if?

use super::{Exit, Failure, Page};
use crate::story::{Print, Story, run};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// Run the real core on a described world in simulated time
#[derive(Debug, clap::Args)]
pub(super) struct StoryFile {
    /// The story
    file: PathBuf,
}

pub(super) fn perform(story: &StoryFile, page: &mut Page) -> Result<(), Failure> {
    let name = story.file.display();
    let text = fs::read_to_string(&story.file)
        .map_err(|error| Failure::new(Exit::NoInput, format!("cannot read {name}: {error}")))?;
    let story = Story::parse(&text).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{name}:{fault}")).collect();
        Failure::Listed(Exit::Data, lines.join("\n"))
    })?;
    let print = if page.json { Print::Json } else { Print::Words };
    let outcome = run(&story, print, page)?;
    page.flush()?;
    if outcome.unmet.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        outcome.unmet.iter().map(|unmet| format!("{name}:{}: {}", unmet.line, unmet.message)).collect();
    Err(Failure::Listed(Exit::Unmet, lines.join("\n")))
}
