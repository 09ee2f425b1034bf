//! Surveys: which can be answered, and what customers said.

use super::reader::{ReadError, Reader};
use super::report::Span;
use crate::domain::desk::Reference;
use crate::domain::time::Time;
use rusqlite::params;

/// What a customer who was asked within a time said, by now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurveyRow {
    /// Who.
    pub customer: String,
    /// How often he was asked.
    pub sent: u64,
    /// How often he answered.
    pub answered: u64,
    /// The sum of his scores.
    pub score_sum: u64,
}

impl Reader {
    /// Whether the survey about a case can be answered at `now`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn survey_is_open(&self, case: Reference, now: Time) -> Result<bool, ReadError> {
        let open = "SELECT 1 FROM surveys WHERE case_number = ?1 AND answered_at IS NULL AND until > ?2";
        Ok(self.one(open, params![case, now], |_| Ok(()))?.is_some())
    }

    /// What customers said who were asked within the time, by their ids.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn report_surveys(&self, span: Span) -> Result<Vec<SurveyRow>, ReadError> {
        let rows = "SELECT customer, count(*), count(answered_at), coalesce(sum(score), 0) FROM surveys \
             WHERE sent_at >= ?1 AND sent_at < ?2 GROUP BY customer ORDER BY customer";
        self.all(rows, params![span.from, span.until], |row| {
            let (customer, sent, answered, score_sum) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(SurveyRow { customer, sent, answered, score_sum })
        })
    }
}
