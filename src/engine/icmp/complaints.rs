//! What routers said of echoes that they could not pass on, until it is known what became of these.

use crate::domain::watch::{Obstacle, Undelivered};
use core::net::IpAddr;
use core::time::Duration;
use metrics::Counter;
use std::collections::HashMap;

/// Addresses that something is remembered of at most: as many as may have a probe in flight.
const MAX_ADDRESSES: usize = super::MAX_IN_FLIGHT;

/// What was said counts for probes that are given up within this time. A router looks for a neighbour for some seconds before it says
/// that he is not there, so its word on one probe often comes only when the next one is under way.
const COUNTS_FOR: Duration = Duration::from_secs(120);

/// The latest word on each address whose latest probe was not answered. Nothing is kept of those that answer.
pub(super) struct Complaints {
    said: HashMap<IpAddr, (Duration, Undelivered)>,
    counted: [Counter; Obstacle::ALL.len()],
}

impl Complaints {
    /// The metrics recorder must be installed before.
    pub(super) fn new() -> Self {
        let counted = Obstacle::ALL.map(|why| metrics::counter!("ntuwatch_icmp_errors_total", "what" => why.name()));
        Self { said: HashMap::new(), counted }
    }

    /// A router said something of an echo to this address.
    pub(super) fn note(&mut self, to: IpAddr, word: Undelivered, now: Duration) {
        self.counted[word.why as usize].increment(1);
        if self.said.len() < MAX_ADDRESSES || self.said.contains_key(&to) {
            self.said.insert(to, (now, word));
        }
    }

    /// What was said of echoes to this address lately.
    pub(super) fn about(&self, address: IpAddr, now: Duration) -> Option<Undelivered> {
        let (at, word) = self.said.get(&address)?;
        (now.saturating_sub(*at) <= COUNTS_FOR).then_some(*word)
    }

    /// A probe to this address was answered.
    pub(super) fn answered(&mut self, address: IpAddr) {
        if !self.said.is_empty() {
            self.said.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn the_latest_word_counts_for_a_while_unless_there_is_an_answer() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let mut complaints = metrics::with_local_recorder(&recorder, Complaints::new);
        let [here, there] = [1, 2].map(|host| IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)));
        let says = |why| Undelivered { why, router: there };
        let at = Duration::from_secs;
        complaints.note(here, says(Obstacle::Net), at(10));
        complaints.note(here, says(Obstacle::Host), at(11));
        assert_eq!(complaints.about(here, at(12)), Some(says(Obstacle::Host)));
        assert_eq!(complaints.about(here, at(12)), Some(says(Obstacle::Host)), "for the next one too");
        assert_eq!(complaints.about(there, at(12)), None);
        assert_eq!(complaints.about(here, at(11) + COUNTS_FOR), Some(says(Obstacle::Host)));
        assert_eq!(complaints.about(here, at(12) + COUNTS_FOR), None);
        complaints.answered(here);
        assert_eq!(complaints.about(here, at(12)), None);
        let page = recorder.handle().render();
        for (what, count) in [("net_unreachable", 1), ("host_unreachable", 1), ("hop_limit", 0)] {
            assert!(page.contains(&format!("ntuwatch_icmp_errors_total{{what=\"{what}\"}} {count}\n")), "{page}");
        }
    }
}
