//! Symptoms: what makes a line that answers a degraded one (R15), and the limits that the operator sets.

use super::ledger::Reason;
use core::time::Duration;

/// A way in which a line that answers is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symptom {
    /// Probes are lost.
    Loss,
    /// Answers take longer than is acceptable for anybody.
    Slow,
    /// Answers take much longer than is usual for this unit.
    Slower,
    /// Contact is lost again and again.
    Flapping,
    /// The box starts again and again.
    Rebooting,
    /// The WAN interface is down, though the box answers.
    InterfaceDown,
    /// The WAN interface loses packets to errors.
    InterfaceErrors,
    /// The WAN interface carries as much as it is committed to.
    Overloaded,
}

impl Symptom {
    /// Every symptom, the most telling first.
    pub const ALL: [Self; 8] = [
        Self::InterfaceDown,
        Self::Flapping,
        Self::Rebooting,
        Self::Loss,
        Self::Slow,
        Self::Slower,
        Self::InterfaceErrors,
        Self::Overloaded,
    ];

    /// As a reason of the verdict DEGRADED.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Loss => Reason::Lossy,
            Self::Slow => Reason::Slow,
            Self::Slower => Reason::Slower,
            Self::Flapping => Reason::Flapping,
            Self::Rebooting => Reason::Rebooting,
            Self::InterfaceDown => Reason::InterfaceDown,
            Self::InterfaceErrors => Reason::InterfaceErrors,
            Self::Overloaded => Reason::Overloaded,
        }
    }

    /// Whether it is the SNMP agent that tells of it.
    pub(crate) const fn is_of_agent(self) -> bool {
        match self {
            Self::InterfaceDown | Self::Rebooting | Self::InterfaceErrors | Self::Overloaded => true,
            Self::Flapping | Self::Loss | Self::Slow | Self::Slower => false,
        }
    }

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.reason().name()
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Symptoms that a line has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symptoms(u8);

impl Symptoms {
    /// Those that are stored as `bits`.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// As they are stored.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the line has this one.
    #[must_use]
    pub const fn has(self, symptom: Symptom) -> bool {
        self.0 & symptom.bit() != 0
    }

    /// The most telling one.
    #[must_use]
    pub fn first(self) -> Option<Symptom> {
        self.iter().next()
    }

    /// All of them, the most telling first.
    pub fn iter(self) -> impl Iterator<Item = Symptom> {
        Symptom::ALL.into_iter().filter(move |&symptom| self.has(symptom))
    }

    pub(crate) const fn set(&mut self, symptom: Symptom, on: bool) {
        if on {
            self.0 |= symptom.bit();
        } else {
            self.0 &= !symptom.bit();
        }
    }
}

/// A symptom as it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub symptom: Symptom,
    /// What was measured: thousandths for shares, microseconds for round trips and lengths of time, else a count.
    pub measured: u64,
    /// The limit that it passed, in the same unit.
    pub limit: u64,
    /// Over how long it was measured.
    pub over: Duration,
}

/// A share in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permille(pub u16);

/// From what on a line counts as degraded. What is `None` is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Over how long losses and round trips are measured, and errors and load.
    pub window: Duration,
    /// So many windows in a row must be free of a symptom before it counts as gone.
    pub good_windows: u32,
    /// Share of scheduled rounds lost in a window.
    pub loss: Option<Permille>,
    /// The 95th percentile of the round trips in a window.
    pub rtt: Option<Duration>,
    /// The same as a multiple of what is usual for the unit.
    pub rtt_factor: Option<u32>,
    /// Losses of contact, and within how long.
    pub flaps: Option<(u32, Duration)>,
    /// Reboots, and within how long.
    pub reboots: Option<(u32, Duration)>,
    /// Whether the WAN interface must be up.
    pub interface: bool,
    /// Share of the WAN interface's packets with errors in a window.
    pub errors: Option<Permille>,
    /// Share of the committed rate that is used on average over a window.
    pub load: Option<Permille>,
}

impl Limits {
    /// What holds where the operator says nothing.
    pub const DEFAULT: Self = Self {
        window: Duration::from_secs(600),
        good_windows: 3,
        loss: Some(Permille(100)),
        rtt: Some(Duration::from_millis(800)),
        rtt_factor: Some(3),
        flaps: Some((3, Duration::from_secs(3_600))),
        reboots: Some((3, Duration::from_secs(3_600))),
        interface: true,
        errors: Some(Permille(10)),
        load: Some(Permille(900)),
    };

    /// Whether anything makes the line have this symptom.
    #[must_use]
    pub const fn looks_at(&self, symptom: Symptom) -> bool {
        match symptom {
            Symptom::Loss => self.loss.is_some(),
            Symptom::Slow => self.rtt.is_some(),
            Symptom::Slower => self.rtt_factor.is_some(),
            Symptom::Flapping => self.flaps.is_some(),
            Symptom::Rebooting => self.reboots.is_some(),
            Symptom::InterfaceDown => self.interface,
            Symptom::InterfaceErrors => self.errors.is_some(),
            Symptom::Overloaded => self.load.is_some(),
        }
    }

    /// How long a symptom must stay away to count as gone.
    #[must_use]
    pub fn recovery(&self) -> Duration {
        self.window.saturating_mul(self.good_windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_each_symptom_and_tells_the_most_telling_first() {
        let mut symptoms = Symptoms::default();
        for symptom in Symptom::ALL {
            symptoms.set(symptom, true);
        }
        assert!(symptoms.iter().eq(Symptom::ALL));
        assert_eq!(Symptoms::from_bits(symptoms.bits()), symptoms);
        symptoms.set(Symptom::InterfaceDown, false);
        assert_eq!(symptoms.first(), Some(Symptom::Flapping));
        Symptom::ALL.into_iter().for_each(|symptom| symptoms.set(symptom, false));
        assert!(symptoms.is_empty() && symptoms.first().is_none());
    }
}
