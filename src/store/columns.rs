//! Domain values as columns: words as words, times and sums of time as milliseconds.

use crate::domain::desk::{
    Actor, AlarmKind, CanaryStep, Cause, Channel, EscalatedBy, LetterKind, Level, MAX_CASES, MailOutcome, Priority,
    PromiseKind, Reference, SiteCause, Step, Subject, WaitingOn,
};
use crate::domain::letter::{LetterState, Thread};
use crate::domain::mail::Authentic;
use crate::domain::maintenance::{Origin, Stage};
use crate::domain::time::Time;
use crate::domain::watch::{AgentState, GroupKind, Reason, Symptom, Verdict};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::time::Duration;

/// Types of which every value has a name.
macro_rules! words {
    ($($word:ty),+) => {$(
        impl ToSql for $word {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.name().into())
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let name = value.as_str()?;
                Self::ALL.into_iter().find(|word| word.name() == name).ok_or_else(|| unknown(name))
            }
        }
    )+};
}

words!(Verdict, Reason, Symptom, AgentState, GroupKind);
words!(Authentic, Channel, MailOutcome, Step, Subject);
words!(Level, Priority, WaitingOn, SiteCause, LetterKind, LetterState, AlarmKind, CanaryStep, Stage);

fn unknown(word: &str) -> FromSqlError {
    FromSqlError::Other(format!("{word:?} is no word of this column").into())
}

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_millis)
    }
}

/// A duration in whole milliseconds.
pub(super) struct Millis(pub(super) Duration);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::column_result(value).map(|millis| Self(Duration::from_millis(millis)))
    }
}

/// A count, up to what a column holds.
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::column_result(value).map(Self)
    }
}

/// References are stored by their numbers; the text beside them is for people.
impl ToSql for Reference {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.number()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Reference {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        let valid = u64::try_from(number).ok().filter(|number| (1..MAX_CASES).contains(number));
        valid.map(Self::from_number).ok_or(FromSqlError::OutOfRange(number))
    }
}

const WATCH: &str = "watch";
const STAFF: &str = "staff:";
const CUSTOMER: &str = "customer:";

impl ToSql for Actor {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Watch => WATCH.into(),
            Self::Staff(name) => format!("{STAFF}{name}").into(),
            Self::Customer(address) => format!("{CUSTOMER}{address}").into(),
        })
    }
}

impl FromSql for Actor {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        match (text.strip_prefix(STAFF), text.strip_prefix(CUSTOMER)) {
            (Some(name), _) => Ok(Self::Staff(name.into())),
            (None, Some(address)) => Ok(Self::Customer(address.into())),
            (None, None) if text == WATCH => Ok(Self::Watch),
            (None, None) => Err(unknown(text)),
        }
    }
}

impl ToSql for EscalatedBy {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Missed(kind) => kind.name().into(),
            Self::Staff(name) => format!("{STAFF}{name}").into(),
            Self::Customer(address) => format!("{CUSTOMER}{address}").into(),
        })
    }
}

impl FromSql for EscalatedBy {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        let missed = || PromiseKind::ALL.into_iter().find(|kind| kind.name() == text).map(Self::Missed);
        let staff = text.strip_prefix(STAFF).map(|name| Self::Staff(name.into()));
        let customer = text.strip_prefix(CUSTOMER).map(|address| Self::Customer(address.into()));
        staff.or(customer).or_else(missed).ok_or_else(|| unknown(text))
    }
}

const CONFIG: &str = "config";

impl ToSql for Origin {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Config => CONFIG.into(),
            Self::Staff(name) => format!("{STAFF}{name}").into(),
        })
    }
}

impl FromSql for Origin {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        match text.strip_prefix(STAFF) {
            Some(name) => Ok(Self::Staff(name.into())),
            None if text == CONFIG => Ok(Self::Config),
            None => Err(unknown(text)),
        }
    }
}

impl ToSql for Cause {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Cause {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Self::parse(text).ok_or_else(|| unknown(text))
    }
}

impl ToSql for Thread {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.key().into())
    }
}

impl FromSql for Thread {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let key = value.as_str()?;
        Self::parse(key).ok_or_else(|| unknown(key))
    }
}
