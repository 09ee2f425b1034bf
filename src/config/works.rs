//! Maintenance that is planned.

use super::check::{self, shown};
use super::fault::Place;
use super::section::Section;
use crate::domain::maintenance::{LONGEST, Scope, Window};
use crate::domain::time::Time;

/// A maintenance, and the places of what is looked at once all files are read.
pub(super) struct Work {
    pub(super) window: Window,
    pub(super) id: Place,
    pub(super) scope: Place,
}

/// Reads a table; its times are in Unix time.
pub(super) fn read(table: &Section<'_>) -> Work {
    let scope = table.require("scope", |value| {
        let text = check::text(value)?;
        Scope::parse(&text).map_err(|e| format!("is {}: {e}", shown(value)))
    });
    let [from, until] = ["from", "until"].map(|key| table.require_moment(key).map(Time::from_millis));
    if let (Some(from), Some(until)) = (from, until) {
        let days = LONGEST.as_secs() / (24 * 3_600);
        if until <= from {
            table.fault("until", "`until` must be later than `from`");
        } else if until.since(from) > LONGEST {
            table.fault("until", format!("`until` must not be more than {days} days after `from`: split the work"));
        }
    }
    let window = Window {
        id: table.require("id", check::id).unwrap_or_default(),
        scope: scope.unwrap_or(Scope::Device(String::new())),
        from: from.unwrap_or(Time::from_millis(0)),
        until: until.unwrap_or(Time::from_millis(0)),
        emergency: table.flag("emergency", false),
        note: table.parse("note", check::text),
    };
    Work { window, id: table.place("id"), scope: table.place("scope") }
}
