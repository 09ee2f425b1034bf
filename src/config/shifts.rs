//! Shifts of support centres: local times in, moments out.
//!
//! A time zone changes its clocks by itself, so shifts that meet to the minute in one part of the year may leave an hour
//! open, or have it twice, in another. Such an hour is nobody's fault: a centre keeps the shift until the next one begins,
//! so that exactly one has it at any moment. What `check` refuses is a gap or an overlap in every week of the year.

use super::check::{self, Checked, shown};
use crate::domain::desk::Roster;
use crate::domain::time::Time;
use core::time::Duration;
use jiff::civil::{Date, Time as Clock, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The shifts of all centres.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifts(pub(super) Vec<CentreShifts>);

/// The shifts of a centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CentreShifts {
    /// The centre.
    pub(super) centre: String,
    /// In which its times are.
    pub(super) zone: TimeZone,
    pub(super) shifts: Vec<Shift>,
}

/// A shift of some days of the week, in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// From Monday on.
    days: [bool; 7],
    from: Clock,
    until: Clock,
}

/// The weeks that are looked at: two years, from a Monday on. Fixed, so that the same file is always judged alike.
const FIRST: Date = date(2026, 1, 5);
const WEEKS: usize = 105;
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
/// What changed clocks may open or double: an hour on each side.
const BRIDGED: Duration = Duration::from_secs(2 * 3_600);

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A time zone by its name.
pub(super) fn zone(name: &str) -> Checked<TimeZone> {
    let wrong = || format!("is {}, which is no time zone: write one such as \"Europe/London\" or \"UTC\"", shown(name));
    check::text(name)?;
    if name.eq_ignore_ascii_case("utc") { Ok(TimeZone::UTC) } else { TimeZone::get(name).map_err(|_| wrong()) }
}

/// A shift such as "mon-fri 08:00-16:30" or "sat,sun 22:00-06:00".
pub(super) fn shift(text: &str) -> Checked<Shift> {
    let wrong = || format!("is {}: write days and local times, such as \"mon-fri 08:00-16:00\"", shown(text));
    let (days, times) = text.split_once(' ').ok_or_else(wrong)?;
    let (from, until) = times.split_once('-').ok_or_else(wrong)?;
    let (from, until) = (clock(from).ok_or_else(wrong)?, clock(until).ok_or_else(wrong)?);
    Ok(Shift { days: weekdays(days).ok_or_else(wrong)?, from, until })
}

/// "24:00" is the same as "00:00" of the next day.
fn clock(text: &str) -> Option<Clock> {
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (number(hour)?, number(minute)?) {
        (24, 0) => Some(Clock::midnight()),
        (hour, minute) => Clock::new(hour, minute, 0, 0).ok(),
    }
}

fn weekdays(text: &str) -> Option<[bool; 7]> {
    let index = |name: &str| DAYS.iter().position(|(known, _)| *known == name);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (index(first)?, index(last)?);
        let length = (last + 7 - first) % 7;
        (0..=length).for_each(|n| days[(first + n) % 7] = true);
    }
    Some(days)
}

/// A shift at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: Timestamp,
    until: Timestamp,
    centre: usize,
}

/// A time in which not exactly one shift is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mismatch {
    from: Timestamp,
    until: Timestamp,
    /// Whose shift comes too late, or too early.
    centre: usize,
    is_gap: bool,
}

impl Mismatch {
    fn length(&self) -> Duration {
        Duration::try_from(self.until.duration_since(self.from)).unwrap_or_default()
    }
}

impl Shifts {
    /// From when on which centre has the shift, in Unix time: every change of it from `from` until `until`, both in
    /// milliseconds of it.
    #[must_use]
    pub fn roster(&self, from: i64, until: i64) -> Roster {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
        let mut roster = Roster::new();
        for span in self.spans(at(from), at(until)) {
            let centre = &self.0[span.centre].centre;
            if roster.last().is_none_or(|(_, last)| last != centre) {
                roster.push((Time::from_millis(span.from.as_millisecond()), centre.clone()));
            }
        }
        roster
    }

    /// All shifts that begin from `from` until `until`, the first one first.
    fn spans(&self, from: Timestamp, until: Timestamp) -> Vec<Span> {
        let mut spans = Vec::new();
        for (centre, of) in self.0.iter().enumerate() {
            let day = |at: Timestamp| of.zone.to_datetime(at).date();
            let (mut today, last) = (day(from), day(until));
            while today <= last {
                spans.extend(of.shifts.iter().filter_map(|shift| shift.on(today, &of.zone, centre)));
                let Ok(tomorrow) = today.tomorrow() else { break };
                today = tomorrow;
            }
        }
        spans.retain(|span| (from..until).contains(&span.from));
        spans.sort_unstable();
        spans
    }

    /// What is wrong with them as a whole: which centre's, and how.
    pub(super) fn fault(&self) -> Option<(usize, String)> {
        let begin = FIRST.to_zoned(TimeZone::UTC).ok()?.timestamp();
        // What is on when it begins began before, and what ends it comes after.
        let end = begin + WEEK * (WEEKS as u32 + 2);
        let spans = self.spans(begin - WEEK, end);
        let Some(first) = spans.first() else { return (!self.0.is_empty()).then(|| (0, "no shift at all".to_owned())) };
        let mut mismatches = Vec::new();
        let mut covered = first.until;
        for span in spans.iter().skip(1) {
            if span.from != covered {
                let (from, until) = (covered.min(span.from), covered.max(span.from).min(span.until.max(span.from)));
                mismatches.push(Mismatch { from, until, centre: span.centre, is_gap: span.from > covered });
            }
            covered = covered.max(span.until);
        }
        mismatches.retain(|mismatch| mismatch.from >= begin);
        let week = |at: Timestamp| at.duration_since(begin).as_secs() / WEEK.as_secs() as i64;
        let is_exact = |week_no: i64| mismatches.iter().all(|mismatch| week(mismatch.from) != week_no);
        let all_wrong = !(0..WEEKS as i64).any(is_exact);
        let found = mismatches.iter().find(|mismatch| all_wrong || mismatch.length() > BRIDGED)?;
        Some((found.centre, self.words(found)))
    }

    fn words(&self, mismatch: &Mismatch) -> String {
        let utc = |at: Timestamp| at.strftime("%a %H:%M").to_string();
        let (from, until) = (utc(mismatch.from), utc(mismatch.until));
        let week = mismatch.from.strftime("%Y-%m-%d");
        let what = if mismatch.is_gap { "no centre has the shift" } else { "two shifts are on" };
        format!("{what} from {from} to {until} UTC (first on {week}): at any moment exactly one must have it")
    }
}

impl Shift {
    /// The shift that begins on a day, if one does.
    fn on(&self, day: Date, zone: &TimeZone, centre: usize) -> Option<Span> {
        let index = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
        if !self.days[index] {
            return None;
        }
        let last = if self.until > self.from { day } else { day.checked_add(1.day()).ok()? };
        // A local time that clocks leave out is taken after it, one that comes twice is taken the first time.
        let moment = |day: Date, clock: Clock| zone.to_timestamp(day.to_datetime(clock)).ok();
        Some(Span { from: moment(day, self.from)?, until: moment(last, self.until)?, centre })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifts(centres: &[(&str, &str, &[&str])]) -> Shifts {
        let centre = |(id, zone_name, texts): &(&str, &str, &[&str])| CentreShifts {
            centre: (*id).to_owned(),
            zone: zone(zone_name).unwrap(),
            shifts: texts.iter().map(|text| shift(text).unwrap()).collect(),
        };
        Shifts(centres.iter().map(centre).collect())
    }

    /// Exact while London and New York are both in winter or both in summer, and Singapore in London's winter.
    fn three() -> Shifts {
        shifts(&[
            ("lon", "Europe/London", &["mon-sun 08:00-16:00"]),
            ("nyc", "America/New_York", &["mon-sun 11:00-19:00"]),
            ("sin", "Asia/Singapore", &["mon-sun 08:00-16:00"]),
        ])
    }

    fn millis(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// Who has the shift in each minute of a day, as changes.
    fn changes(shifts: &Shifts, day: &str) -> Vec<String> {
        let (from, until) = (millis(&format!("{day}T00:00:00Z")), millis(&format!("{day}T23:59:59Z")));
        let shown = |(at, centre): (Time, String)| {
            let at = Timestamp::from_millisecond(at.as_millis()).unwrap();
            format!("{} {centre}", at.strftime("%H:%M"))
        };
        shifts.roster(from, until).into_iter().map(shown).collect()
    }

    #[test]
    fn shifts_are_local_times_of_weekdays() {
        assert_eq!(weekdays("fri-mon").unwrap(), [true, false, false, false, true, true, true]);
        assert_eq!(weekdays("tue,thu").unwrap(), [false, true, false, true, false, false, false]);
        for bad in [
            "",
            "mon",
            "mon 8-16",
            "mon 08:00",
            "mon 08:00-16:0",
            "mon 08:00-25:00",
            "day 08:00-16:00",
            "mon 08:60-16:00",
        ] {
            assert!(shift(bad).is_err(), "{bad}");
        }
        assert!(zone("Europe/Londn").is_err() && zone("").is_err());
    }

    #[test]
    fn at_the_edges_of_daylight_saving_a_centre_keeps_the_shift_until_the_next_begins() {
        let three = three();
        assert_eq!(three.fault(), None);
        assert_eq!(changes(&three, "2026-02-01"), ["00:00 sin", "08:00 lon", "16:00 nyc"], "both in winter");
        // From 8 March on New York is ahead, London follows on 29 March.
        assert_eq!(changes(&three, "2026-03-08"), ["00:00 sin", "08:00 lon", "15:00 nyc"]);
        assert_eq!(changes(&three, "2026-03-28"), ["00:00 sin", "08:00 lon", "15:00 nyc"]);
        assert_eq!(changes(&three, "2026-03-29"), ["00:00 sin", "07:00 lon", "15:00 nyc"]);
        // London is back on 25 October, New York on 1 November.
        assert_eq!(changes(&three, "2026-10-25"), ["00:00 sin", "08:00 lon", "15:00 nyc"]);
        assert_eq!(changes(&three, "2026-11-01"), ["00:00 sin", "08:00 lon", "16:00 nyc"]);
    }

    #[test]
    fn both_hemispheres_change_against_each_other_and_still_exactly_one_has_every_minute() {
        let both = shifts(&[
            ("lon", "Europe/London", &["mon-sun 08:00-21:00"]),
            ("syd", "Australia/Sydney", &["mon-sun 08:00-19:00"]),
        ]);
        assert_eq!(both.fault(), None, "exact in London's winter");
        assert_eq!(changes(&both, "2026-01-10"), ["08:00 lon", "21:00 syd"]);
        assert_eq!(changes(&both, "2026-07-10"), ["07:00 lon", "22:00 syd"]);
        // A year minute by minute: the holder is whoever began last, and there always is one.
        let roster = both.roster(millis("2026-01-01T00:00:00Z"), millis("2027-01-01T00:00:00Z"));
        assert!(roster.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
        assert_eq!(roster.len(), 2 * 365);
    }

    #[test]
    fn a_gap_or_an_overlap_in_every_week_is_a_fault() {
        let fault =
            |centres: &[(&str, &str, &[&str])]| shifts(centres).fault().map_or(String::new(), |(_, words)| words);
        let gap = fault(&[("a", "UTC", &["mon-sun 00:00-12:00"]), ("b", "UTC", &["mon-sun 12:30-24:00"])]);
        assert!(gap.starts_with("no centre has the shift from Mon 12:00 to Mon 12:30 UTC"), "{gap}");
        let twice = fault(&[("a", "UTC", &["mon-sun 00:00-13:00"]), ("b", "UTC", &["mon-sun 12:00-24:00"])]);
        assert!(twice.starts_with("two shifts are on from Mon 12:00 to Mon 13:00 UTC"), "{twice}");
        let sunday = fault(&[("a", "Asia/Tokyo", &["mon-sat 00:00-24:00"])]);
        assert!(sunday.starts_with("no centre has the shift from Sat 15:00 to Sun 15:00 UTC"), "{sunday}");
        let minute = fault(&[
            ("a", "UTC", &["mon-sun 00:00-12:00"]),
            ("b", "UTC", &["mon-fri 12:00-24:00", "sat,sun 12:01-24:00"]),
        ]);
        assert!(minute.contains("Sat 12:00 to Sat 12:01"), "{minute}");
        assert_eq!(fault(&[("a", "America/St_Johns", &["mon-sun 00:00-24:00"])]), "");
        assert_eq!(fault(&[("a", "UTC", &["mon-sun 22:00-22:00"])]), "");
        assert_eq!(shifts(&[]).fault(), None);
    }
}
