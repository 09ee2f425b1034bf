//! Chance that can be repeated: splitmix64.

/// The step from one state to the next.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of random numbers. Same seed, same sequence.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for each `name` and `number`, so that none depends on how much another one is used.
    pub(super) const fn of(seed: u64, name: u64, number: u64) -> Self {
        Self(mix(mix(seed ^ mix(name)).wrapping_add(number)))
    }

    pub(super) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 to 1, without 1.
    pub(super) const fn roll(&mut self) -> f64 {
        share(self.draw())
    }

    /// A number from `low` to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }

    /// An exponentially distributed number with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.roll()).ln()
    }

    /// A log-normally distributed number: `sigma` is the standard deviation of its logarithm (Box and Muller).
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.roll()).ln()).sqrt();
        median * (sigma * radius * (core::f64::consts::TAU * self.roll()).cos()).exp()
    }
}

/// Spreads the bits of a number over the whole of it: what belongs to a name, without a sequence.
pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The upper 53 bits as a number from 0 to 1, without 1.
pub(super) const fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
