//! Metrics of each unit, written straight from the board a chunk at a time: a fleet of any size needs no memory here.

use super::board::{Board, Row};
use crate::domain::time::Calendar;
use crate::domain::watch::Verdict;
use axum::body::{Bytes, HttpBody};
use core::convert::Infallible;
use core::fmt::Write;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};
use hyper::body::Frame;
use std::sync::Arc;

/// One metric: all its series stand together, as the exposition format wants it.
struct Metric {
    name: &'static str,
    help: &'static str,
    /// Whether the verdict is a label.
    by_verdict: bool,
    value: fn(&Row, &Calendar) -> Option<f64>,
}

const METRICS: [Metric; 5] = [
    Metric {
        name: "ntuwatch_unit_up",
        help: "Whether the unit's verdict is UP.",
        by_verdict: false,
        value: |row, _| Some(if row.status.verdict == Verdict::Up { 1.0 } else { 0.0 }),
    },
    Metric {
        name: "ntuwatch_unit_verdict",
        help: "Always 1; the label says which verdict stands.",
        by_verdict: true,
        value: |_, _| Some(1.0),
    },
    Metric {
        name: "ntuwatch_unit_rtt_seconds",
        help: "Round-trip time of the unit's last answer.",
        by_verdict: false,
        value: |row, _| row.status.rtt.map(|rtt| rtt.duration().as_secs_f64()),
    },
    Metric {
        name: "ntuwatch_unit_loss_ratio",
        help: "Share of lost probe rounds over the last five minutes.",
        by_verdict: false,
        value: |row, _| row.status.loss.share(),
    },
    Metric {
        name: "ntuwatch_unit_last_contact_timestamp_seconds",
        help: "When the unit last answered.",
        by_verdict: false,
        value: |row, calendar| row.status.last_contact.map(|at| calendar.unix_millis(at) as f64 / 1000.0),
    },
];

/// The response body.
pub(super) struct UnitMetrics {
    board: Arc<Board>,
    calendar: Arc<Calendar>,
    metrics: core::slice::Iter<'static, Metric>,
    /// The metric that is being written, and the unit it has come to.
    current: Option<(&'static Metric, String)>,
}

impl UnitMetrics {
    pub(super) fn new(board: Arc<Board>) -> Self {
        let calendar = Arc::clone(&board.summary().0.calendar);
        Self { board, calendar, metrics: METRICS.iter(), current: None }
    }

    fn chunk(&mut self) -> Option<String> {
        let mut text = String::new();
        let (metric, after) = match self.current.take() {
            Some((metric, after)) => (metric, Some(after)),
            None => {
                let metric = self.metrics.next()?;
                let Metric { name, help, .. } = metric;
                put(&mut text, format_args!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
                (metric, None)
            }
        };
        let next = self.board.look(after.as_deref(), |row| {
            series(&mut text, metric, row, &self.calendar);
            ControlFlow::Continue(())
        });
        self.current = next.map(|after| (metric, after));
        Some(text)
    }
}

impl HttpBody for UnitMetrics {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(self.chunk().map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}

fn series(text: &mut String, metric: &Metric, row: &Row, calendar: &Calendar) {
    let Some(circuit) = row.device.circuit() else { return };
    let Some(value) = (metric.value)(row, calendar) else { return };
    put(text, format_args!("{}{{unit=\"", metric.name));
    escape(text, &row.device.id);
    text.push_str("\",customer=\"");
    escape(text, &circuit.customer);
    if metric.by_verdict {
        text.push_str("\",verdict=\"");
        text.push_str(row.status.verdict.name());
    }
    put(text, format_args!("\"}} {value}\n"));
}

fn escape(text: &mut String, label: &str) {
    for c in label.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

fn put(text: &mut String, what: core::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    text.write_fmt(what).unwrap_or_default();
}
