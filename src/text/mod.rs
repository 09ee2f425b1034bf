//! Words: letters, the journal's sentences and the explanations of a case. Pure functions of what they are given.

mod case_letter;
mod explain;
mod fact;
mod letter;
mod preview;
#[cfg(test)]
mod tests;
mod time;

pub use explain::{explain, held_words};
pub use fact::{alarm_words, cause_words, diagnosis_words, fields, finding_words, json_time, kind, sentence};
pub use letter::mail;
pub use preview::{effect, effect_fields};
pub use time::{duration, parse_duration, rfc3339, utc};
