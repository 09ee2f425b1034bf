//! A mailbox for results.

use ntuwatch::domain::watch::{Outcome, ProbeResult, Round, Slot};
use ntuwatch::engine::Deliver;
use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Longer than any probe of these tests takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Receives an engine's results.
pub(crate) struct Mailbox(Receiver<Vec<ProbeResult>>);

impl Mailbox {
    /// A mailbox, and what an engine puts results into it with.
    pub(crate) fn new() -> (Self, Deliver) {
        let (sender, receiver) = mpsc::channel();
        (Self(receiver), Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0)))
    }

    /// The next `count` results. Panics if one comes twice.
    pub(crate) fn take(&self, count: usize) -> HashMap<(Slot, Round), Outcome> {
        let mut results = HashMap::new();
        while results.len() < count {
            for result in self.0.recv_timeout(PATIENCE).expect("results in time") {
                let earlier = results.insert((result.slot, result.round), result.outcome);
                assert!(earlier.is_none(), "{:?} was reported twice", result.slot);
            }
        }
        assert_eq!(results.len(), count);
        results
    }

    /// The next result, which must be the only one.
    pub(crate) fn take_one(&self) -> Outcome {
        self.take(1).into_values().next().expect("a result")
    }

    /// Whether nothing more comes for a while.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.recv_timeout(Duration::from_millis(100)).is_err()
    }
}
