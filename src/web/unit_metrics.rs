//! Metrics of each unit, written straight from the board a chunk at a time: a fleet of any size needs no memory here.

use super::board::{Board, Row};
use crate::domain::time::Calendar;
use crate::domain::watch::Verdict;
use axum::body::{Bytes, HttpBody};
use core::convert::Infallible;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};
use hyper::body::Frame;
use std::sync::Arc;

/// A chunk ends with the series that makes it this long, or with its last row.
const CHUNK: usize = 64 * 1024;
/// Room for that series: ids are short, and what is longer makes room for itself.
const SERIES: usize = 512;

/// One metric: all its series stand together, as the exposition format wants it.
struct Metric {
    name: &'static str,
    help: &'static str,
    /// Whether the verdict is a label.
    by_verdict: bool,
    value: fn(&Row, &Calendar) -> Option<Value>,
}

/// A sample's value. Whole numbers are written in a fraction of the time that others take, and nearly all are.
#[derive(Clone, Copy)]
enum Value {
    Whole(u64),
    Thousandths(i64),
    Millionths(u64),
    /// One number by another, which is not zero.
    Ratio(u16, u16),
}

const METRICS: [Metric; 5] = [
    Metric {
        name: "ntuwatch_unit_up",
        help: "Whether the unit's verdict is UP.",
        by_verdict: false,
        value: |row, _| Some(Value::Whole(u64::from(row.status.verdict == Verdict::Up))),
    },
    Metric {
        name: "ntuwatch_unit_verdict",
        help: "Always 1; the label says which verdict stands.",
        by_verdict: true,
        value: |_, _| Some(Value::Whole(1)),
    },
    Metric {
        name: "ntuwatch_unit_rtt_seconds",
        help: "Round-trip time of the unit's last answer.",
        by_verdict: false,
        value: |row, _| row.status.rtt.map(|rtt| Value::Millionths(rtt.micros().into())),
    },
    Metric {
        name: "ntuwatch_unit_loss_ratio",
        help: "Share of lost probe rounds over the last five minutes.",
        by_verdict: false,
        value: |row, _| {
            Some(row.status.loss).filter(|loss| loss.sent > 0).map(|loss| Value::Ratio(loss.lost, loss.sent))
        },
    },
    Metric {
        name: "ntuwatch_unit_last_contact_timestamp_seconds",
        help: "When the unit last answered.",
        by_verdict: false,
        value: |row, calendar| row.status.last_contact.map(|at| Value::Thousandths(calendar.unix_millis(at))),
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

    fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(CHUNK + SERIES);
        let (metric, after) = match self.current.take() {
            Some((metric, after)) => (metric, Some(after)),
            None => {
                let metric = self.metrics.next()?;
                let Metric { name, help, .. } = metric;
                text.extend_from_slice(format!("# HELP {name} {help}\n# TYPE {name} gauge\n").as_bytes());
                (metric, None)
            }
        };
        let head = format!("{}{{unit=\"", metric.name);
        let next = self.board.look(after.as_deref(), |row| {
            series(&mut text, head.as_bytes(), metric, row, &self.calendar);
            if text.len() < CHUNK { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
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

fn series(text: &mut Vec<u8>, head: &[u8], metric: &Metric, row: &Row, calendar: &Calendar) {
    let Some(circuit) = row.device.circuit() else { return };
    let Some(value) = (metric.value)(row, calendar) else { return };
    text.extend_from_slice(head);
    label(text, row.device.id.as_bytes());
    text.extend_from_slice(b"\",customer=\"");
    label(text, circuit.customer.as_bytes());
    if metric.by_verdict {
        text.extend_from_slice(b"\",verdict=\"");
        text.extend_from_slice(row.status.verdict.name().as_bytes());
    }
    text.extend_from_slice(b"\"} ");
    value.write(text);
    text.push(b'\n');
}

/// The value of a label. An id has nothing to escape, so all of it is looked through first.
fn label(text: &mut Vec<u8>, value: &[u8]) {
    let special = |&byte: &u8| matches!(byte, b'\\' | b'"' | b'\n');
    // Without a way out in the middle, this is done many bytes at once.
    if !value.iter().fold(false, |found, byte| found | special(byte)) {
        text.extend_from_slice(value);
        return;
    }
    for byte in value {
        if special(byte) {
            text.push(b'\\');
        }
        text.push(if *byte == b'\n' { b'n' } else { *byte });
    }
}

impl Value {
    fn write(self, text: &mut Vec<u8>) {
        match self {
            Self::Whole(number) => decimal(text, number, 0),
            Self::Thousandths(number) => {
                if number < 0 {
                    text.push(b'-');
                }
                decimal(text, number.unsigned_abs(), 3);
            }
            Self::Millionths(number) => decimal(text, number, 6),
            Self::Ratio(0, _) => text.push(b'0'),
            Self::Ratio(part, whole) => {
                text.extend_from_slice((f64::from(part) / f64::from(whole)).to_string().as_bytes());
            }
        }
    }
}

/// A number of which the last so many digits stand behind the point.
fn decimal(text: &mut Vec<u8>, mut number: u64, mut behind: usize) {
    while behind > 0 && number.is_multiple_of(10) {
        number /= 10;
        behind -= 1;
    }
    // From the end on: a zero stands before the point, too, and a u64 has at most 20 digits.
    let mut digits = [0; 24];
    let mut first = digits.len();
    for place in 0.. {
        if number == 0 && place > behind {
            break;
        }
        if place == behind && place > 0 {
            first -= 1;
            digits[first] = b'.';
        }
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: Value) -> String {
        let mut text = Vec::new();
        value.write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are() {
        for (value, text) in [
            (Value::Whole(0), "0"),
            (Value::Whole(1), "1"),
            (Value::Whole(u64::MAX), "18446744073709551615"),
            (Value::Millionths(1), "0.000001"),
            (Value::Millionths(12_340), "0.01234"),
            (Value::Millionths(1_000_000), "1"),
            (Value::Millionths(4_294_967_295), "4294.967295"),
            (Value::Millionths(u64::MAX), "18446744073709.551615"),
            (Value::Thousandths(1_800_000_000_000), "1800000000"),
            (Value::Thousandths(1_800_000_000_050), "1800000000.05"),
            (Value::Thousandths(0), "0"),
            (Value::Thousandths(-1), "-0.001"),
            (Value::Thousandths(i64::MIN), "-9223372036854775.808"),
            (Value::Ratio(0, 30), "0"),
            (Value::Ratio(30, 30), "1"),
            (Value::Ratio(1, 4), "0.25"),
            (Value::Ratio(1, 3), "0.3333333333333333"),
        ] {
            assert_eq!(written(value), text);
        }
    }

    #[test]
    fn only_what_is_special_is_escaped() {
        let mut text = Vec::new();
        label(&mut text, "plain-1".as_bytes());
        label(&mut text, " ü\\\"\n.".as_bytes());
        assert_eq!(String::from_utf8(text).unwrap(), "plain-1 ü\\\\\\\"\\n.");
    }
}
