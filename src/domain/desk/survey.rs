//! Surveys: whether a customer is asked how a case went, and what he answers (R62, R63).

use super::Desk;
use super::reference::Reference;
use super::words::LetterKind;
use crate::domain::fact::{CustomerFact, Fact};
use crate::domain::letter::Content;
use crate::domain::party::Asked;
use crate::domain::time::Time;
use crate::domain::turn::{Refusal, Turn};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// A customer who wants it monthly is asked once within this time, at the most.
pub const MONTH: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The longest comment, in characters.
pub const MAX_COMMENT: usize = 2_000;

/// How customers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyRules {
    /// What the address of the page begins with; without a slash at its end.
    pub base_url: String,
    /// For how long the link in a letter can be used.
    pub valid_for: Duration,
}

/// The link to a survey in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The case that it is about; the first one of several.
    pub case: Reference,
    /// What its address begins with.
    pub rules: Arc<SurveyRules>,
    /// Until when it can be used.
    pub until: Time,
}

/// A survey that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSurvey {
    /// The case that it is about; the first one of several. There is one survey of a case, for it is closed once.
    pub case: Reference,
    /// Who is asked.
    pub customer: String,
    /// Until when.
    pub until: Time,
}

/// How often a customer was asked lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurveyTally {
    /// Letters about closed cases since he was asked last.
    pub closed: u32,
    /// When he was asked last.
    pub asked_at: Option<Time>,
}

/// How content a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u8);

impl Score {
    /// The best.
    pub const BEST: u8 = 5;

    /// From 1, the worst, to [`BEST`](Self::BEST).
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if matches!(number, 1..=Self::BEST) { Some(Self(number)) } else { None }
    }

    /// As a number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// What the store is to remember of surveys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurveyChange {
    /// A customer is asked, in a letter about so many cases.
    Sent(OpenSurvey, usize),
    /// He answered.
    Answered {
        /// Of which case.
        case: Reference,
        /// How content he is.
        score: Score,
        /// What he has to say.
        comment: Option<String>,
    },
    /// A letter about closed cases went to a customer.
    Counted(String, SurveyTally),
}

/// What the store remembers of surveys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedSurveys {
    /// Those that can be answered.
    pub open: Vec<OpenSurvey>,
    /// How often each customer was asked lately.
    pub tallies: BTreeMap<String, SurveyTally>,
}

impl SavedSurveys {
    /// Takes a change into account.
    pub fn note(&mut self, change: &SurveyChange) {
        match change {
            SurveyChange::Sent(survey, _) => self.open.push(survey.clone()),
            SurveyChange::Answered { case, .. } => self.open.retain(|survey| survey.case != *case),
            SurveyChange::Counted(customer, tally) => drop(self.tallies.insert(customer.clone(), *tally)),
        }
    }
}

/// Why a customer is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// He does not want to be.
    Never,
    /// It is another one's turn.
    NotItsTurn,
    /// He was, within the month.
    Lately,
}

/// Whether a customer is asked after a letter about closed cases, of which `tally` does not know yet.
///
/// # Errors
/// Says why not.
pub const fn is_asked(wants: Asked, tally: SurveyTally, now: Time) -> Result<(), NotAsked> {
    match wants {
        Asked::Never => Err(NotAsked::Never),
        Asked::Every(nth) => {
            if tally.closed.saturating_add(1) >= nth {
                Ok(())
            } else {
                Err(NotAsked::NotItsTurn)
            }
        }
        Asked::Monthly => match tally.asked_at {
            Some(at) if now.as_millis() - at.as_millis() < MONTH.as_millis() as i64 => Err(NotAsked::Lately),
            Some(_) | None => Ok(()),
        },
    }
}

/// Surveys that can be answered, and how often customers were asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Surveys {
    rules: Option<Arc<SurveyRules>>,
    open: BTreeMap<Reference, (String, Time)>,
    /// When they end.
    ends: BTreeSet<(Time, Reference)>,
    tallies: BTreeMap<String, SurveyTally>,
}

impl Surveys {
    pub(super) fn restored(saved: SavedSurveys) -> Self {
        let mut surveys = Self { tallies: saved.tallies, ..Self::default() };
        saved.open.into_iter().for_each(|survey| surveys.add(survey));
        surveys
    }

    pub(super) fn set_rules(&mut self, rules: Option<&Arc<SurveyRules>>) {
        self.rules = rules.cloned();
    }

    fn add(&mut self, survey: OpenSurvey) {
        self.ends.insert((survey.until, survey.case));
        self.open.insert(survey.case, (survey.customer, survey.until));
    }

    /// Forgets those that are too old to be answered.
    fn expire(&mut self, now: Time) {
        while let Some(&(until, case)) = self.ends.first().filter(|(until, _)| *until <= now) {
            self.ends.remove(&(until, case));
            self.open.remove(&case);
        }
    }
}

impl Desk {
    /// The link that a letter brings, if it tells a customer that cases are closed and he is asked about them. Of many
    /// lines under an umbrella it asks once.
    pub(super) fn invite(&mut self, kind: LetterKind, content: &Content, turn: &mut Turn) -> Option<Invitation> {
        let rules = self.surveys.rules.clone().filter(|_| kind == LetterKind::Closed)?;
        let (case, lines) = match content {
            Content::Case(case) => (case, 1),
            Content::Lines { lines, .. } => (&lines.first()?.0, lines.len()),
            Content::Umbrella { .. }
            | Content::Maintenance { .. }
            | Content::Alarm(_)
            | Content::Contract(_)
            | Content::PassedOn { .. }
            | Content::OutOfReach { .. } => return None,
        };
        let customer = self.customers.get(case.opening.circuit.customer.as_str())?;
        let tally = self.surveys.tallies.get(&customer.id).copied().unwrap_or_default();
        let asked = is_asked(customer.survey, tally, turn.at);
        let tally = match asked {
            Ok(()) => SurveyTally { closed: 0, asked_at: Some(turn.at) },
            Err(_) => SurveyTally { closed: tally.closed.saturating_add(1), ..tally },
        };
        self.surveys.tallies.insert(customer.id.clone(), tally);
        turn.surveys.push(SurveyChange::Counted(customer.id.clone(), tally));
        asked.ok()?;
        let (reference, until) = (case.opening.reference, turn.at + rules.valid_for);
        let survey = OpenSurvey { case: reference, customer: customer.id.clone(), until };
        turn.facts.push(Fact::Customer(CustomerFact::SurveySent {
            case: reference,
            unit: case.opening.unit.clone(),
            customer: customer.id.clone(),
            lines,
        }));
        turn.surveys.push(SurveyChange::Sent(survey.clone(), lines));
        self.surveys.expire(turn.at);
        self.surveys.add(survey);
        Some(Invitation { case: reference, rules, until })
    }

    /// A customer says how content he is.
    pub(crate) fn answer_survey(
        &mut self,
        case: Reference,
        score: Score,
        comment: Option<String>,
        turn: &mut Turn,
    ) -> Result<Reference, Refusal> {
        self.surveys.expire(turn.at);
        let Some((customer, until)) = self.surveys.open.remove(&case) else {
            return Err(Refusal::NoSurvey { reference: case });
        };
        self.surveys.ends.remove(&(until, case));
        let comment = comment.map(|comment| comment.trim().to_string()).filter(|comment| !comment.is_empty());
        let answered = CustomerFact::SurveyAnswered { case, customer, score, comment: comment.clone() };
        turn.facts.push(Fact::Customer(answered));
        turn.surveys.push(SurveyChange::Answered { case, score, comment });
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn a_customer_is_asked_as_he_wants() {
        let month = MONTH.as_millis() as i64;
        let tally = |closed, asked_at| SurveyTally { closed, asked_at };
        for (wants, tally, now, expected) in [
            (Asked::Every(1), tally(0, None), 0, Ok(())),
            (Asked::Never, tally(9, None), 0, Err(NotAsked::Never)),
            (Asked::Every(3), tally(1, None), 0, Err(NotAsked::NotItsTurn)),
            (Asked::Every(3), tally(2, None), 0, Ok(())),
            (Asked::Every(3), tally(7, Some(at(0))), 0, Ok(())),
            (Asked::Monthly, tally(0, None), 0, Ok(())),
            (Asked::Monthly, tally(5, Some(at(7))), month + 6, Err(NotAsked::Lately)),
            (Asked::Monthly, tally(5, Some(at(7))), month + 7, Ok(())),
        ] {
            assert_eq!(is_asked(wants, tally, at(now)), expected, "{wants:?} {tally:?} {now}");
        }
    }

    #[test]
    fn a_score_is_from_one_to_five() {
        let known: Vec<u8> = (0..=u8::MAX).filter_map(Score::new).map(Score::number).collect();
        assert_eq!(known, [1, 2, 3, 4, 5]);
    }
}
