//! Words: letters, the journal's sentences and the explanations of a case. Pure functions of what they are given.

mod case_letter;
mod count;
mod customers;
mod explain;
mod fact;
mod letter;
mod notice;
mod people;
mod preview;
mod promise;
mod request_letter;
pub mod rfo;
mod sentence;
mod stamp;
mod strain;
mod survey;
#[cfg(test)]
mod tests;
mod time;

pub use count::many;
pub use explain::{explain, held_words};
pub use fact::{data, fields, kind};
pub use letter::{MAX_DOCUMENTS_A_LETTER, mail, mail_passed_on, mail_with};
pub use people::merits_words;
pub use preview::{effect, effect_fields};
pub use sentence::{alarm_words, cause_words, diagnosis_words, finding_words, obstacle_words, sentence};
pub use stamp::{SECRET, Stamp};
pub use strain::{strain, strain_fields};
pub use time::{duration, parse_duration, rfc3339, utc};
