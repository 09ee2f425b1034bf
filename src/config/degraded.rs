//! From what on a line counts as degraded.

use super::check;
use super::section::Section;
use crate::domain::watch::{Limits, MAX_CELLS, MAX_COUNT, Pace};
use core::time::Duration;

/// Most windows that a symptom must stay away for.
const MAX_GOOD_WINDOWS: i64 = 100;
/// Multiples of the usual round trip.
const MIN_FACTOR: i64 = 2;
const MAX_FACTOR: i64 = 100;
/// One event is no repetition.
const MIN_COUNT: i64 = 2;
/// Most rounds in a window: the strip of rounds holds two of them.
const MAX_ROUNDS: u32 = MAX_CELLS as u32 / 2;

/// Limits of a table, on top of `base`.
pub(super) fn limits(table: &Section<'_>, base: &Limits) -> Limits {
    Limits {
        window: table.duration("window", base.window),
        good_windows: table.integer("good_windows", 1..=MAX_GOOD_WINDOWS).unwrap_or(base.good_windows),
        loss: table.parse("loss", |v| check::or_off(v, check::share)).unwrap_or(base.loss),
        rtt: table.parse("rtt", |v| check::or_off(v, check::duration)).unwrap_or(base.rtt),
        rtt_factor: table.integer_or_off("rtt_factor", MIN_FACTOR..=MAX_FACTOR).unwrap_or(base.rtt_factor),
        flaps: repeated(table, ["flaps", "flap_window"], base.flaps, Limits::DEFAULT.flaps),
        reboots: repeated(table, ["reboots", "reboot_window"], base.reboots, Limits::DEFAULT.reboots),
        interface: table.flag("interface", base.interface),
        errors: table.parse("errors", |v| check::or_off(v, check::share)).unwrap_or(base.errors),
        load: table.parse("load", |v| check::or_off(v, check::share)).unwrap_or(base.load),
    }
}

/// How often something may happen, and within how long. What is switched off in `base` has its window from `default`.
fn repeated(
    table: &Section<'_>,
    [count, window]: [&str; 2],
    base: Option<(u32, Duration)>,
    default: Option<(u32, Duration)>,
) -> Option<(u32, Duration)> {
    let wanted = table.integer_or_off(count, MIN_COUNT..=i64::from(MAX_COUNT)).unwrap_or(base.map(|(count, _)| count));
    if wanted.is_none() && table.has(window) {
        table.fault(
            window,
            format!("`{window}` is of no use while `{count}` is off: set `{count}`, or remove `{window}`"),
        );
    }
    let within = base.or(default).map(|(_, within)| within);
    let within = table.parse(window, check::duration).or(within);
    wanted.zip(within)
}

/// Whether limits and pace fit each other; `table` holds the limits of `section`, if it has any of its own.
pub(super) fn relate(section: &Section<'_>, table: Option<&Section<'_>>, pace: Pace, limits: &Limits) {
    let Pace { interval, timeout, history, .. } = pace;
    let window = limits.window;
    // As with the pace, what is inherited is complained of once, at its source.
    let own = |key: &'static str| table.filter(|table| table.has(key)).map(|table| (table, key));
    let given = |key, other: &'static str| own(key).or_else(|| section.has(other).then_some((section, other)));
    if let Some((at, key)) = given("window", "interval") {
        if window < interval {
            at.fault(key, format!("`window` ({window:?}) must not be shorter than `interval` ({interval:?})"));
        }
        let most = interval.saturating_mul(MAX_ROUNDS);
        if window > most {
            let rule = format!("must be at most {MAX_ROUNDS} times `interval` ({most:?})");
            at.fault(key, format!("`window` ({window:?}) {rule}: longer ones are not kept"));
        }
    }
    if let Some((at, key)) = given("window", "history").filter(|_| window > history) {
        let rule = "a window is measured from the rounds that are kept";
        at.fault(key, format!("`history` ({history:?}) must not be shorter than `window` ({window:?}): {rule}"));
    }
    if let Some((at, key)) = own("rtt")
        && let Some(rtt) = limits.rtt.filter(|&rtt| rtt >= timeout)
    {
        let rule = "a later answer is a lost one";
        at.fault(key, format!("`rtt` ({rtt:?}) must be shorter than `timeout` ({timeout:?}): {rule}"));
    }
}
