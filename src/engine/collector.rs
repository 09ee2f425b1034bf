//! Where an engine's results come together: counted once, handed over in batches.

use super::Deliver;
use crate::clock::Stopwatch;
use crate::domain::watch::{Method, Outcome, ProbeResult, Round, Slot};
use core::time::Duration;
use metrics::{Counter, Histogram};

/// How long results gather before they are handed over.
const GATHER: Duration = Duration::from_millis(5);

/// How long to wait before results that the loop had no room for are offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(50);

/// Results in one batch at most.
const MAX_BATCH: usize = 4_096;

/// Gathers the results of one engine. What it holds is bounded by the probes handed in.
pub(super) struct Collector {
    method: Method,
    deliver: Deliver,
    ready: Vec<ProbeResult>,
    /// Since when results wait, and for how long they are to; `None` while there are none.
    waiting: Option<(Stopwatch, Duration)>,
    meters: Meters,
}

impl Collector {
    /// Hands results of `method` to `deliver`.
    pub(super) fn new(method: Method, deliver: Deliver) -> Self {
        Self { method, deliver, ready: Vec::new(), waiting: None, meters: Meters::new(method) }
    }

    /// Reports what became of a probe.
    pub(super) fn report(&mut self, slot: Slot, round: Round, outcome: Outcome) {
        self.meters.count(&outcome);
        self.ready.push(ProbeResult { slot, round, method: self.method, outcome });
        if self.waiting.is_none() {
            self.waiting = Some((Stopwatch::start(), GATHER));
        }
    }

    /// Returns when it is time to [`flush`](Self::flush); never while there is nothing to hand over.
    pub(super) async fn due(&self) {
        match self.wait() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => core::future::pending().await,
        }
    }

    /// How long until that; `None` while there is nothing to hand over.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.waiting.map(|(since, wait)| wait.saturating_sub(since.elapsed()))
    }

    /// Hands over what there is, until the loop has no room for more.
    pub(super) fn flush(&mut self) {
        self.waiting = None;
        while !self.ready.is_empty() {
            let rest = self.ready.split_off(self.ready.len().min(MAX_BATCH));
            let batch = core::mem::replace(&mut self.ready, rest);
            if let Err(mut refused) = (self.deliver)(batch) {
                refused.append(&mut self.ready);
                self.ready = refused;
                self.waiting = Some((Stopwatch::start(), OFFER_AGAIN));
                return;
            }
        }
    }
}

/// The metrics of one method, registered once.
struct Meters {
    sent: Counter,
    answered: Counter,
    lost: Counter,
    unsent: Counter,
    rejected: Counter,
    duration: Histogram,
}

impl Meters {
    fn new(method: Method) -> Self {
        let label = method.name();
        Self {
            sent: metrics::counter!("ntuwatch_probes_sent_total", "method" => label),
            answered: metrics::counter!("ntuwatch_probes_answered_total", "method" => label),
            lost: metrics::counter!("ntuwatch_probes_lost_total", "method" => label),
            unsent: metrics::counter!("ntuwatch_probes_unsent_total", "method" => label),
            rejected: metrics::counter!("ntuwatch_probes_rejected_total", "method" => label),
            duration: metrics::histogram!("ntuwatch_probe_duration_seconds", "method" => label),
        }
    }

    fn count(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Answered { rtt, .. } => {
                self.sent.increment(1);
                self.answered.increment(1);
                self.duration.record(rtt.as_secs_f64());
            }
            Outcome::Rejected { rtt, .. } => {
                self.sent.increment(1);
                self.rejected.increment(1);
                self.duration.record(rtt.as_secs_f64());
            }
            Outcome::Lost { .. } => {
                self.sent.increment(1);
                self.lost.increment(1);
            }
            Outcome::NotSent { .. } => self.unsent.increment(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn everything_is_handed_over_once_in_bounded_batches_however_often_it_is_refused() {
        let (sender, receiver) = mpsc::channel();
        let mut offers = 0;
        let mut collector = Collector::new(
            Method::Icmp,
            Box::new(move |batch| {
                offers += 1;
                if offers % 2 == 1 { Err(batch) } else { sender.send(batch).map_err(|refused| refused.0) }
            }),
        );
        let all = 2 * MAX_BATCH as u32 + 1;
        (0..all).for_each(|slot| collector.report(Slot(slot), 1, Outcome::LOST));
        while collector.waiting.is_some() {
            collector.due().await;
            collector.flush();
        }
        let batches: Vec<Vec<ProbeResult>> = receiver.try_iter().collect();
        assert!(batches.iter().all(|batch| batch.len() <= MAX_BATCH));
        let slots = batches.iter().flatten().map(|result| result.slot.0);
        assert!(slots.eq(0..all), "each once and in order");
    }

    #[test]
    fn every_outcome_is_counted() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let mut collector =
            metrics::with_local_recorder(&recorder, || Collector::new(Method::Snmp, Box::new(|_| Ok(()))));
        let rtt = Duration::from_millis(3);
        let outcomes = [
            Outcome::Answered { rtt, sample: None },
            Outcome::Rejected { rtt, why: "wrong digest" },
            Outcome::LOST,
            Outcome::NotSent { why: "no route".to_owned() },
        ];
        outcomes.into_iter().for_each(|outcome| collector.report(Slot(1), 1, outcome));
        let page = recorder.handle().render();
        for (name, count) in [("sent", 3), ("answered", 1), ("rejected", 1), ("lost", 1), ("unsent", 1)] {
            let line = format!("ntuwatch_probes_{name}_total{{method=\"snmp\"}} {count}\n");
            assert!(page.contains(&line), "{line}{page}");
        }
        assert!(page.contains("ntuwatch_probe_duration_seconds_count{method=\"snmp\"} 2\n"), "{page}");
    }

    #[tokio::test]
    async fn nothing_is_due_while_there_is_nothing() {
        let collector = Collector::new(Method::Snmp, Box::new(Err));
        assert!(tokio::time::timeout(4 * GATHER, collector.due()).await.is_err());
    }
}
