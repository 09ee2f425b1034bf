//! What kinds of trouble there are, how often they come, and how long they last.

use super::span::{Span, merged};
use crate::domain::time::Time;
use crate::story::dice::Dice;
use core::time::Duration;

const SECOND: f64 = 1_000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// What rates are given for.
const MONTH: f64 = 30.0 * DAY;

/// Something that comes at exponentially distributed intervals and lasts for log-normally distributed times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trouble {
    /// How often in thirty days.
    pub a_month: f64,
    /// How long half of them last at the most.
    pub median: Duration,
    /// Standard deviation of the logarithm of how long.
    pub sigma: f64,
    /// How long all of them last at the least and at the most.
    pub limits: (Duration, Duration),
}

impl Trouble {
    /// It never comes.
    pub const NONE: Self =
        Self { a_month: 0.0, median: Duration::ZERO, sigma: 0.0, limits: (Duration::ZERO, Duration::ZERO) };

    const fn new(a_month: f64, median_s: u64, sigma: f64, limits_s: (u64, u64)) -> Self {
        let limits = (Duration::from_secs(limits_s.0), Duration::from_secs(limits_s.1));
        Self { a_month, median: Duration::from_secs(median_s), sigma, limits }
    }

    /// When it is there, in order and apart from each other, from the beginning to `until`.
    pub(super) fn spells(&self, dice: &mut Dice, until: Time) -> Vec<Span> {
        let mut spells = Vec::new();
        if self.a_month <= 0.0 {
            return spells;
        }
        let mut at = dice.exponential(MONTH / self.a_month);
        while at < until.as_millis() as f64 {
            let (shortest, longest) = (millis(self.limits.0), millis(self.limits.1));
            let lasts = dice.log_normal(millis(self.median), self.sigma).clamp(shortest, longest);
            spells.push(span(at, lasts));
            at += lasts + dice.exponential(MONTH / self.a_month);
        }
        spells
    }
}

/// A line that is now good, now bad, and loses probes at random in both (Gilbert and Elliott).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gilbert {
    /// Mean time between two bad spells.
    pub good_for: Duration,
    /// Mean length of a bad spell.
    pub bad_for: Duration,
    /// Share of probes lost while it is good.
    pub good_loss: f64,
    /// Share of probes lost while it is bad.
    pub bad_loss: f64,
}

impl Gilbert {
    /// Nothing is lost.
    pub const NONE: Self = Self { good_for: Duration::ZERO, bad_for: Duration::ZERO, good_loss: 0.0, bad_loss: 0.0 };

    pub(super) fn bad_spells(&self, dice: &mut Dice, until: Time) -> Vec<Span> {
        let mut spells = Vec::new();
        if self.good_for.is_zero() {
            return spells;
        }
        let mut at = dice.exponential(millis(self.good_for));
        while at < until.as_millis() as f64 {
            let lasts = dice.exponential(millis(self.bad_for));
            spells.push(span(at, lasts));
            at += lasts + dice.exponential(millis(self.good_for));
        }
        spells
    }
}

/// The kinds of trouble of a world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Outages of one line alone.
    pub single: Trouble,
    /// A unit starts anew.
    pub reboot: Trouble,
    /// Spells in which a line comes and goes, down for seconds to minutes at a time.
    pub flapping: Trouble,
    /// Outages of a point of presence with all that hangs below.
    pub pop: Trouble,
    /// Outages of all lines of a supplier; the nodes go on.
    pub supplier: Trouble,
    /// Loss of an ordinary line.
    pub ordinary: Gilbert,
    /// Loss of a poor line.
    pub poor: Gilbert,
    /// Share of poor lines.
    pub poor_share: f64,
    /// Share of lines that are congested in the evening.
    pub congested_share: f64,
    /// Share of boxes that answer at most one echo in so and so many seconds.
    pub limited_share: f64,
    /// Our own uplink is cut: half of the times sends fail, half of the times they vanish.
    pub uplink: Trouble,
    /// The daemon is stopped and started again.
    pub restart: Trouble,
    /// The daemon crashes, and somebody or something starts it again.
    pub crash: Trouble,
    /// The daemon's machine gets no time.
    pub suspension: Trouble,
    /// Names cannot be looked up.
    pub names: Trouble,
    /// The wall clock is set; how long says nothing.
    pub clock: Trouble,
}

impl Climate {
    /// Nothing ever happens.
    pub const CALM: Self = Self {
        single: Trouble::NONE,
        reboot: Trouble::NONE,
        flapping: Trouble::NONE,
        pop: Trouble::NONE,
        supplier: Trouble::NONE,
        ordinary: Gilbert::NONE,
        poor: Gilbert::NONE,
        poor_share: 0.0,
        congested_share: 0.0,
        limited_share: 0.0,
        uplink: Trouble::NONE,
        restart: Trouble::NONE,
        crash: Trouble::NONE,
        suspension: Trouble::NONE,
        names: Trouble::NONE,
        clock: Trouble::NONE,
    };

    /// A hard month: everything happens, more often than one would wish, so that weeks show what else takes years.
    pub const ROUGH: Self = Self {
        single: Trouble::new(0.8, 20 * 60, 1.8, (60, 2 * 86_400)),
        reboot: Trouble::new(0.5, 120, 0.4, (60, 240)),
        flapping: Trouble::new(0.1, 5_400, 0.7, (900, 6 * 3_600)),
        pop: Trouble::new(0.3, 25 * 60, 1.2, (60, 12 * 3_600)),
        supplier: Trouble::new(0.5, 25 * 60, 1.2, (60, 12 * 3_600)),
        ordinary: Gilbert {
            good_for: Duration::from_secs(8 * 3_600),
            bad_for: Duration::from_secs(90),
            good_loss: 0.001,
            bad_loss: 0.3,
        },
        poor: Gilbert {
            good_for: Duration::from_secs(2 * 3_600),
            bad_for: Duration::from_secs(240),
            good_loss: 0.02,
            bad_loss: 0.7,
        },
        poor_share: 0.1,
        congested_share: 0.2,
        limited_share: 0.15,
        uplink: Trouble::new(4.0, 5 * 60, 1.3, (5, 2 * 3_600)),
        restart: Trouble::new(4.0, 20, 0.7, (2, 120)),
        crash: Trouble::new(2.0, 180, 1.2, (10, 3_600)),
        suspension: Trouble::new(2.0, 180, 1.5, (6, 3_600)),
        names: Trouble::new(2.0, 300, 1.0, (10, 3_600)),
        clock: Trouble::new(2.0, 1, 0.0, (1, 1)),
    };

    /// The times within flapping `spells` at which the line is down.
    pub(super) fn downs(dice: &mut Dice, spells: &[Span]) -> Vec<Span> {
        let mut downs = Vec::new();
        for spell in spells {
            let mut at = spell.from.as_millis() as f64;
            while at < spell.until.as_millis() as f64 {
                let down = dice.between(20.0 * SECOND, 4.0 * MINUTE);
                downs.push(span(at, down));
                at += down + dice.between(20.0 * SECOND, 5.0 * MINUTE);
            }
        }
        merged(downs)
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_millis() as f64
}

fn span(from: f64, lasts: f64) -> Span {
    let from = Time::from_millis(from as i64);
    Span { from, until: from + Duration::from_millis(lasts.max(1.0) as u64) }
}
