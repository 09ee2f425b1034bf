//! What a reload would change at once, in words.

use super::time::duration;
use crate::domain::preview::{Brings, Effect};
use serde_json::{Value, json};

/// A sentence about an effect.
#[must_use]
pub fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Unwatched { case, unit } => {
            format!("a reload would leave {case} without its unit: {unit} leaves the inventory, nobody watches it on")
        }
        Effect::Fault { unit, lost, down_after, brings } => {
            let does = match brings {
                Brings::NewCase => format!("open a P1 on {unit}"),
                Brings::Upgrade(case) => format!("raise {case} on {unit} to P1"),
                Brings::Return(case) => format!("return {case} on {unit} to work"),
            };
            let (lost, down_after) = (duration(*lost), duration(*down_after));
            format!("a reload would {does} at once: lost for {lost}, down_after becomes {down_after}")
        }
        Effect::Overlooked { case, unit, symptom } => format!(
            "a reload would let the symptom of {case} on {unit} count as gone: {} is not looked at any more",
            symptom.name()
        ),
        Effect::Moved { case, unit, from, to } => {
            format!("a reload would give {unit} to {to}: {case} stays {from}'s, and so do its letters")
        }
    }
}

/// The same for programs.
#[must_use]
pub fn effect_fields(what: &Effect) -> Value {
    let (name, case, unit) = match what {
        Effect::Unwatched { case, unit } => ("unwatched", Some(case), unit),
        Effect::Fault { unit, brings, .. } => match brings {
            Brings::NewCase => ("case_opened", None, unit),
            Brings::Upgrade(case) => ("case_upgraded", Some(case), unit),
            Brings::Return(case) => ("case_returned", Some(case), unit),
        },
        Effect::Overlooked { case, unit, .. } => ("symptom_overlooked", Some(case), unit),
        Effect::Moved { case, unit, .. } => ("customer_changed", Some(case), unit),
    };
    json!({ "effect": name, "unit": unit, "case": case.map(ToString::to_string), "text": effect(what) })
}
