//! Audits the daemon's own deadlines, again and again, beside the loop.

use super::worker::Worker;
use crate::clock::Clock;
use crate::store::{Audit, Reader};
use crate::web::board::Board;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// From the end of an audit to the next one.
const EVERY: Duration = Duration::from_secs(60);

/// A running auditor; it has no orders but to end.
pub(super) type Auditor = Worker<Sender<()>>;

/// Starts one, on a reader of its own.
pub(super) fn start(reader: Reader, clock: Clock, board: Arc<Board>) -> io::Result<Auditor> {
    let (orders, end) = mpsc::channel();
    Worker::start("audit", orders, move |_| work(&reader, &clock, &board, &end))
}

fn work(reader: &Reader, clock: &Clock, board: &Board, end: &Receiver<()>) {
    let mut told = Audit::default();
    while end.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        match reader.audit(clock.now()) {
            Ok(audit) => {
                if audit != told {
                    audit.faults(clock.now()).iter().for_each(|fault| tracing::error!("the self-audit found: {fault}"));
                    told.clone_from(&audit);
                }
                board.set_audit(audit);
            }
            Err(error) => tracing::warn!("cannot audit the deadlines: {error}"),
        }
    }
}
