//! What is done while the store takes no commit: the turn is kept and tried again, nothing new begins, and the operator
//! is told by every way that does not need the store.

use super::Fatal;
use crate::clock::Stopwatch;
use crate::engine::mail_out::MailEngine;
use crate::engine::systemd;
use crate::web::board::Board;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The first wait between two attempts; doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two attempts.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// After this the network operations centre gets a mail, once.
const MAIL_AFTER: Duration = Duration::from_secs(10);
/// After this the process gives up and is started again from what is on the disk.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// Counts how long the store has been failing.
pub(super) struct Patience {
    failing: Option<Failing>,
    /// Set when the daemon is told to stop, which must not wait for a store that does not come back.
    stopping: Arc<AtomicBool>,
}

struct Failing {
    since: Stopwatch,
    wait: Duration,
    mailed: bool,
}

impl Patience {
    pub(super) const fn new(stopping: Arc<AtomicBool>) -> Self {
        Self { failing: None, stopping }
    }

    /// Whether the last attempt failed.
    pub(super) const fn is_tried(&self) -> bool {
        self.failing.is_some()
    }

    /// The store works.
    pub(super) fn restore(&mut self, board: &Board) {
        if let Some(failing) = self.failing.take() {
            tracing::info!(seconds = failing.since.elapsed().as_secs(), "the store takes commits again");
            systemd::status("watching");
            board.set_store_fault(None);
        }
    }

    /// A commit failed: tells the operator and waits for the next attempt.
    pub(super) fn wait(&mut self, why: &str, board: &Board, mail: &MailEngine, noc: &[String]) -> Result<(), Fatal> {
        let is_first = self.failing.is_none();
        let failing = self.failing.get_or_insert_with(|| {
            tracing::error!(why, "the store is failing; nothing is lost, but nothing goes on either");
            systemd::status(&format!("the store is failing: {why}"));
            Failing { since: Stopwatch::start(), wait: FIRST_WAIT, mailed: false }
        });
        board.set_store_fault(Some(why.to_owned()));
        let lasted = failing.since.elapsed();
        // A daemon that is told to stop tries once more: another program may just have held the store.
        if lasted >= GIVE_UP_AFTER || !is_first && self.stopping.load(Ordering::Relaxed) {
            return Err(Fatal::Store(format!("the store has been failing for {} s: {why}", lasted.as_secs())));
        }
        if lasted >= MAIL_AFTER && !failing.mailed {
            failing.mailed = true;
            let body = format!(
                "The store of ntuwatch takes no commits: {why}\n\nUntil it does, no unit is watched and no case is \
                 worked on. Make room on its file system, or see to its disk; ntuwatch goes on by itself.\n"
            );
            mail.direct(noc, "ntuwatch: the store is failing", &body);
        }
        thread::sleep(failing.wait);
        failing.wait = (failing.wait * 2).min(LAST_WAIT);
        Ok(())
    }
}
