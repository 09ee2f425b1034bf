//! What fires: Alertmanager forgets an alert that it does not hear of for some minutes, so it is told again each minute.

use crate::domain::letter::Mail;
use crate::domain::notice::Signal;
use crate::payload::{Alert, Notice};
use core::time::Duration;
use serde_json::Value;
use std::collections::BTreeMap;

/// How often everything that fires is sent again (Prometheus: 30 s to 3 min; Alertmanager forgets after 5 min).
pub const RESEND_EVERY: Duration = Duration::from_secs(60);
/// Alerts of one messenger that are sent again; those beyond are sent once and lapse there.
pub const MAX_ALERTS: usize = 10_000;
/// Alerts in one request.
const MAX_BATCH: usize = 500;

/// What fires, by the key of what it is about.
pub(super) struct Alerts(BTreeMap<String, Alert>);

impl Alerts {
    pub(super) fn new(known: &[Mail]) -> Self {
        let mut alerts = Self(BTreeMap::new());
        for notice in known.iter().filter_map(|mail| Notice::from_json(&mail.body).ok()) {
            alerts.keep(&notice);
        }
        alerts
    }

    fn keep(&mut self, notice: &Notice) {
        if self.0.len() < MAX_ALERTS || self.0.contains_key(&notice.key) {
            self.0.insert(notice.key.clone(), Alert::new(notice));
        } else {
            tracing::warn!(key = notice.key, "more than {MAX_ALERTS} alerts fire: this one is not sent again");
        }
    }

    /// Takes a notice into account; the body of its request. What it was called before ends with it.
    pub(super) fn note(&mut self, notice: &Notice) -> String {
        let alert = Alert::new(notice);
        let before = self.0.get(&notice.key).filter(|before| !before.is_same(&alert)).cloned();
        let ended = before.map(|before| before.over(&notice.at));
        let now = match notice.signal() {
            Signal::Over => {
                self.0.remove(&notice.key);
                alert.over(&notice.at)
            }
            Signal::Begins | Signal::WorkedOn | Signal::Says => {
                self.keep(notice);
                alert.firing()
            }
        };
        Value::Array(ended.into_iter().chain([now]).collect()).to_string()
    }

    /// The receiver will not have it.
    pub(super) fn forget(&mut self, notice: &Notice) {
        self.0.remove(&notice.key);
    }

    /// The bodies that say again what fires.
    pub(super) fn firing(&self) -> Vec<String> {
        let all: Vec<Value> = self.0.values().map(Alert::firing).collect();
        all.chunks(MAX_BATCH).map(|batch| Value::Array(batch.to_vec()).to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(key: &str, signal: Signal, priority: &str) -> Notice {
        let [sample, _] = Notice::samples();
        Notice { key: key.into(), signal: signal.name().into(), priority: priority.into(), ..sample }
    }

    fn count(body: &str) -> (usize, usize) {
        let alerts: Vec<Value> = serde_json::from_str(body).unwrap();
        (alerts.len(), alerts.iter().filter(|alert| alert.get("endsAt").is_some()).count())
    }

    #[test]
    fn what_fires_is_said_again_until_it_is_over() {
        let mut alerts = Alerts::new(&[]);
        assert_eq!(count(&alerts.note(&notice("a", Signal::Begins, "P2"))), (1, 0));
        assert_eq!(count(&alerts.firing()[0]), (1, 0));
        assert_eq!(count(&alerts.note(&notice("a", Signal::Begins, "P1"))), (2, 1), "what it was called before ends");
        assert_eq!(alerts.firing().len(), 1);
        assert_eq!(count(&alerts.note(&notice("a", Signal::Over, "P1"))), (1, 1));
        assert!(alerts.firing().is_empty());
    }

    #[test]
    fn so_many_are_kept_and_sent_in_batches() {
        let mut alerts = Alerts::new(&[]);
        for number in 0..=MAX_ALERTS {
            alerts.note(&notice(&number.to_string(), Signal::Begins, "P1"));
        }
        let bodies = alerts.firing();
        assert_eq!((bodies.len(), count(&bodies[0]).0), (MAX_ALERTS / MAX_BATCH, MAX_BATCH));
        alerts.note(&notice("0", Signal::Over, "P1"));
        assert_eq!(alerts.0.len(), MAX_ALERTS - 1);
    }
}
