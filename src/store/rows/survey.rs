//! Surveys: who is asked, and what he answered.

use crate::domain::desk::{OpenSurvey, SavedSurveys, SurveyChange, SurveyTally};
use crate::domain::time::Time;
use rusqlite::{Connection, Result, params};

/// Writes what changed, in its order.
pub(in crate::store) fn put_surveys(db: &Connection, changes: &[SurveyChange], at: Time) -> Result<()> {
    for change in changes {
        match change {
            SurveyChange::Sent(survey, lines) => {
                let put =
                    "INSERT INTO surveys (case_number, customer, lines, sent_at, until) VALUES (?1, ?2, ?3, ?4, ?5)";
                let values = params![survey.case, survey.customer, *lines as u64, at, survey.until];
                db.prepare_cached(put)?.execute(values)?;
            }
            SurveyChange::Answered { case, score, comment } => {
                let put = "UPDATE surveys SET answered_at = ?2, score = ?3, comment = ?4 WHERE case_number = ?1";
                db.prepare_cached(put)?.execute(params![case, at, score.number(), comment])?;
            }
            SurveyChange::Counted(customer, tally) => {
                let put = "INSERT INTO survey_tallies (customer, closed, asked_at) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (customer) DO UPDATE SET closed = ?2, asked_at = ?3";
                db.prepare_cached(put)?.execute(params![customer, tally.closed, tally.asked_at])?;
            }
        }
    }
    Ok(())
}

/// Those that can be answered at `now`, and how often customers were asked.
pub(in crate::store) fn surveys(db: &Connection, now: Option<Time>) -> Result<SavedSurveys> {
    let open = "SELECT case_number, customer, until FROM surveys WHERE answered_at IS NULL AND until > ?1 \
         ORDER BY case_number";
    let open = db
        .prepare(open)?
        .query_map([now], |row| Ok(OpenSurvey { case: row.get(0)?, customer: row.get(1)?, until: row.get(2)? }))?
        .collect::<Result<_>>()?;
    let tallies = db
        .prepare("SELECT customer, closed, asked_at FROM survey_tallies")?
        .query_map([], |row| Ok((row.get(0)?, SurveyTally { closed: row.get(1)?, asked_at: row.get(2)? })))?
        .collect::<Result<_>>()?;
    Ok(SavedSurveys { open, tallies })
}
