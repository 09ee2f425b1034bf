//! What happened? What the witnesses of an outage support, once it is over.

use super::reference::Reference;
use crate::domain::time::Time;
use crate::domain::watch::Obstacle;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

/// What was wrong, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause that the witnesses support.
    pub cause: SiteCause,
    /// The witnesses.
    pub witnesses: Vec<Witness>,
}

impl Diagnosis {
    /// Whether it was drawn while the line was still lost: all that there is then is what routers say of it.
    #[must_use]
    pub fn is_early(&self) -> bool {
        let from_afar = |witness: &Witness| matches!(witness, Witness::Undelivered { .. });
        !self.witnesses.is_empty() && self.witnesses.iter().all(from_afar)
    }
}

/// Where the cause of an outage was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteCause {
    /// The box started anew during the outage: power or a reboot at the site.
    Site,
    /// The box went on running and could not be reached: the access line.
    AccessLine,
    /// What it is reached through was down, or others were lost with it.
    Upstream,
    /// The witnesses don't say.
    Unknown,
}

impl SiteCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Site, Self::AccessLine, Self::Upstream, Self::Unknown];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::AccessLine => "access_line",
            Self::Upstream => "upstream",
            Self::Unknown => "unknown",
        }
    }
}

/// What speaks for a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// sysUpTime says that the box started then.
    Booted(Time),
    /// The same, and that was before contact was lost.
    RanOn(Time),
    /// This device, which it is reached through, was lost meanwhile.
    Upstream(String),
    /// Others were lost together with it, under this umbrella.
    Shared(Reference),
    /// The box itself sent this trap.
    Trapped {
        /// The trap's name.
        says: String,
        /// When it came.
        at: Time,
    },
    /// A router on the way could not pass our probes on. Where they ended is not yet why: alone it supports no cause.
    Undelivered {
        /// What kept them.
        why: Obstacle,
        /// Who said so.
        router: IpAddr,
        /// When it was said last.
        at: Time,
    },
}

impl Witness {
    /// As it is stored: `booted:TIME`, `ran_on:TIME`, `upstream:ID`, `shared:NTU-…`, `trap:TIME:NAME`,
    /// `undelivered:TIME:OBSTACLE:ROUTER`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Booted(at) => format!("booted:{}", at.as_millis()),
            Self::RanOn(at) => format!("ran_on:{}", at.as_millis()),
            Self::Upstream(device) => format!("upstream:{device}"),
            Self::Shared(umbrella) => format!("shared:{umbrella}"),
            Self::Trapped { says, at } => format!("trap:{}:{says}", at.as_millis()),
            Self::Undelivered { why, router, at } => {
                format!("undelivered:{}:{}:{router}", at.as_millis(), why.name())
            }
        }
    }

    /// The witness that is stored as `key`.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (sort, rest) = key.split_once(':')?;
        let time = |text: &str| text.parse().ok().map(Time::from_millis);
        match sort {
            "booted" => time(rest).map(Self::Booted),
            "ran_on" => time(rest).map(Self::RanOn),
            "upstream" => Some(Self::Upstream(rest.to_string())),
            "shared" => Reference::parse(rest).ok().map(Self::Shared),
            "trap" => {
                let (at, says) = rest.split_once(':')?;
                Some(Self::Trapped { says: says.to_string(), at: time(at)? })
            }
            "undelivered" => {
                let (at, rest) = rest.split_once(':')?;
                let (name, router) = rest.split_once(':')?;
                let why = Obstacle::ALL.into_iter().find(|why| why.name() == name)?;
                Some(Self::Undelivered { why, router: router.parse().ok()?, at: time(at)? })
            }
            _ => None,
        }
    }
}

/// Draws the conclusion from all witnesses. What is shared explains more than what is the site's own.
#[must_use]
pub(crate) fn conclude(witnesses: Vec<Witness>) -> Diagnosis {
    let any = |which: fn(&Witness) -> bool| witnesses.iter().any(which);
    let cause = if any(|witness| matches!(witness, Witness::Upstream(_) | Witness::Shared(_))) {
        SiteCause::Upstream
    } else if any(|witness| matches!(witness, Witness::Booted(_))) {
        SiteCause::Site
    } else if any(|witness| matches!(witness, Witness::RanOn(_))) {
        SiteCause::AccessLine
    } else {
        SiteCause::Unknown
    };
    Diagnosis { cause, witnesses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_read_as_they_were_stored_and_support_one_cause() {
        let at = Time::from_millis(5);
        let trap = Witness::Trapped { says: "1.3.6.1.4.1.9:x".into(), at };
        let shared = Witness::Shared(Reference::from_number(3));
        let undelivered = |why, router: &str| Witness::Undelivered { why, router: router.parse().unwrap(), at };
        for (witness, cause) in [
            (Witness::Booted(at), SiteCause::Site),
            (Witness::RanOn(at), SiteCause::AccessLine),
            (Witness::Upstream("pop-lon".into()), SiteCause::Upstream),
            (shared, SiteCause::Upstream),
            (trap, SiteCause::Unknown),
            (undelivered(Obstacle::Prohibited, "192.0.2.1"), SiteCause::Unknown),
            (undelivered(Obstacle::HopLimit, "2001:db8::1"), SiteCause::Unknown),
        ] {
            assert_eq!(Witness::parse(&witness.key()).as_ref(), Some(&witness));
            assert_eq!(conclude([witness, Witness::RanOn(at)].into()).cause, cause.min_known());
        }
        assert_eq!(conclude(Vec::new()).cause, SiteCause::Unknown);
        assert_eq!(Witness::parse("rumour:5"), None);
    }

    impl SiteCause {
        /// Beside a box that ran on.
        fn min_known(self) -> Self {
            if self == Self::Unknown { Self::AccessLine } else { self }
        }
    }
}
