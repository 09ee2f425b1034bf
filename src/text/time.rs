//! Times and durations in words.

use crate::domain::time::{Calendar, Time};
use jiff::Timestamp;
use std::time::Duration;

fn timestamp(at: Time, calendar: &Calendar) -> Timestamp {
    Timestamp::from_millisecond(calendar.unix_millis(at)).unwrap_or(Timestamp::MAX)
}

/// As APIs write it (RFC 3339, UTC, milliseconds).
#[must_use]
pub fn rfc3339(at: Time, calendar: &Calendar) -> String {
    format!("{:.3}", timestamp(at, calendar))
}

/// As letters write it: "2026-11-21 21:14:05 UTC".
#[must_use]
pub fn utc(at: Time, calendar: &Calendar) -> String {
    timestamp(at, calendar).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A duration as people say it: the two largest units that are not zero, "1 h 12 min". Contracts speak of 24 h and
/// 72 h, so days begin after that.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(DAY, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let parts = &parts[usize::from(seconds <= 3 * DAY)..];
    let mut rest = seconds;
    let mut words = Vec::new();
    for &(size, unit) in parts {
        if rest >= size {
            words.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
        if words.len() == 2 {
            break;
        }
    }
    if words.is_empty() { format!("{} ms", duration.as_millis()) } else { words.join(" ") }
}

/// Reads "1h9m59s", "10m", "250ms", "3d", as stories and the command line write a duration.
///
/// # Errors
/// If it is none; says how to write one.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write it as 10s, 9m59s, 26h or 3d");
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 1_000 * 60,
            "h" => 1_000 * 3_600,
            "d" => 1_000 * DAY,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = Duration::from_millis(number.checked_mul(millis).ok_or_else(wrong)?);
        sum = sum.checked_add(part).ok_or_else(wrong)?;
        rest = tail;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sum) }
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let say = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(say(0), "0 ms");
        assert_eq!(say(600), "10 min");
        assert_eq!(say(4_325), "1 h 12 min");
        assert_eq!(say(86_400), "24 h");
        assert_eq!(say(259_200), "72 h");
        assert_eq!(say(432_005), "5 d 5 s");
    }

    #[test]
    fn times_are_utc() {
        let mut calendar = Calendar::default();
        let at = Time::from_millis(1_795_295_645_250);
        assert_eq!(rfc3339(at, &calendar), "2026-11-21T21:14:05.250Z");
        calendar.step(Time::from_millis(0), 3_600_000);
        assert_eq!(utc(at, &calendar), "2026-11-21 22:14:05 UTC");
    }
}
