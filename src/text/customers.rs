//! What happens between us and customers, beside their cases, in sentences.

use super::count::many;
use crate::domain::desk::Score;
use crate::domain::fact::CustomerFact;

pub(super) fn customer_sentence(fact: &CustomerFact) -> String {
    match fact {
        CustomerFact::SurveySent { customer, lines, .. } => {
            let about =
                if *lines > 1 { format!(", in a letter about {}", many(*lines, "case")) } else { String::new() };
            format!("Customer {customer} is asked how it went{about}.")
        }
        CustomerFact::SurveyAnswered { customer, score, comment, .. } => {
            let comment = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_else(|| ".".to_owned());
            format!("Customer {customer} gives {} of {}{comment}", score.number(), Score::BEST)
        }
    }
}
