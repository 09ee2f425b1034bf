//! Notices out: hands notices to messengers, each over HTTP in the form that it wants.
//!
//! The engine runs on a thread of its own and knows nothing of retries: it makes one attempt and says what became of
//! it. Whether there is another one is the outbox's business. Only what Alertmanager has to be told again and again, it
//! remembers (`alerts`).

mod alerts;
mod sink;
#[cfg(test)]
mod tests;

pub use alerts::{MAX_ALERTS, RESEND_EVERY};
pub use sink::{MAX_ANSWER, Settings};

use crate::domain::letter::{Delivery, LetterId, Mail};
use crate::domain::notice::messenger;
use crate::domain::outbox::MAX_IN_FLIGHT;
use crate::payload::{Form, Notice};
use alerts::Alerts;
use core::fmt;
use sink::Sink;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::runtime;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

/// Requests to one messenger at once.
pub const MAX_REQUESTS: usize = 4;
/// Threads for looking up names. A look-up may outlive its request, but not by many.
const LOOKUPS: usize = 4;

/// Takes note of what became of a notice. It may wait; the notices behind wait with it.
pub type Report = Box<dyn Fn(LetterId, Delivery) + Send>;

/// Why the engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// What a messenger is asked at is no URL, for this reason.
    Url(String, String),
    /// TLS could not be set up.
    Tls(String),
    /// The engine's thread or its runtime could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(name, why) => write!(f, "the URL of messenger {name} is none: {why}"),
            Self::Tls(why) => write!(f, "cannot set up TLS to messengers: {why}"),
            Self::Thread(error) => write!(f, "cannot start the thread that talks to messengers: {error}"),
        }
    }
}

impl core::error::Error for StartError {}

/// A running engine. Dropping it lets it finish what it was handed.
pub struct WebhookEngine {
    queues: BTreeMap<String, Sender<Mail>>,
    desk: Arc<Desk>,
}

impl WebhookEngine {
    /// Makes one attempt to deliver a notice. Every one that is taken is reported exactly once.
    ///
    /// # Errors
    /// What became of a notice that there is no room for, or nobody to take it.
    pub fn send(&self, mail: Mail) -> Result<(), Delivery> {
        let queue = messenger(&mail.to).and_then(|name| self.queues.get(name));
        let queue = queue.ok_or_else(|| Delivery::Refused("no messenger has this name any more".to_owned()))?;
        queue.try_send(mail).map_err(|_full| Delivery::Deferred("the messenger has its hands full".to_owned()))
    }

    /// Whether it knows a messenger of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.queues.contains_key(name)
    }

    /// Begins no request from now on: those under way come to their end, those behind them are put off at once.
    pub fn wind_up(&self) {
        self.desk.closing.store(true, Ordering::Relaxed);
    }
}

/// Starts the engine. `alerts`: what each messenger was told is wrong, and not yet that it is over.
///
/// # Errors
/// When a URL is none, or TLS or the thread can't be set up.
pub fn start(
    messengers: Vec<Settings>,
    alerts: &BTreeMap<String, Vec<Mail>>,
    report: Report,
) -> Result<WebhookEngine, StartError> {
    let desk = Arc::new(Desk { report: Mutex::new(report), closing: AtomicBool::new(false) });
    let mut queues = BTreeMap::new();
    let mut clerks = Vec::new();
    for settings in messengers {
        let (queue, orders) = mpsc::channel(MAX_IN_FLIGHT);
        let name = settings.name.clone();
        let is_alertmanager = settings.form == Form::Alertmanager;
        let known = alerts.get(&name).map_or(&[][..], Vec::as_slice);
        clerks.push((Arc::new(Sink::new(settings)?), orders, is_alertmanager.then(|| Alerts::new(known))));
        queues.insert(name, queue);
    }
    if !queues.is_empty() {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(LOOKUPS)
            .build()
            .map_err(StartError::Thread)?;
        let theirs = Arc::clone(&desk);
        let work = move || {
            runtime.block_on(serve(clerks, theirs));
            // A look-up that hangs must not keep the daemon from stopping.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("webhook".to_owned()).spawn(work).map_err(StartError::Thread)?;
    }
    Ok(WebhookEngine { queues, desk })
}

type Orders = Arc<tokio::sync::Mutex<Receiver<Mail>>>;

async fn serve(clerks: Vec<(Arc<Sink>, Receiver<Mail>, Option<Alerts>)>, desk: Arc<Desk>) {
    let mut tasks = JoinSet::new();
    for (sink, orders, alerts) in clerks {
        match alerts {
            // One after the other: nothing that is over may be told again after its end.
            Some(alerts) => {
                tasks.spawn(watchman(orders, Arc::clone(&desk), sink, alerts));
            }
            None => {
                let orders: Orders = Arc::new(tokio::sync::Mutex::new(orders));
                for _ in 0..MAX_REQUESTS {
                    tasks.spawn(clerk(Arc::clone(&orders), Arc::clone(&desk), Arc::clone(&sink)));
                }
            }
        }
    }
    tasks.join_all().await;
}

/// Sends notices, one after the other.
async fn clerk(orders: Orders, desk: Arc<Desk>, sink: Arc<Sink>) {
    loop {
        let next = async { orders.lock().await.recv().await };
        let Some(mail) = next.await else { return };
        let delivery = match desk.begin(&mail) {
            Ok(notice) => match sink.settings.form.body(&notice) {
                Ok(body) => sink.post(Some(&mail.message_id), body).await,
                Err(why) => Delivery::Refused(why),
            },
            Err(delivery) => delivery,
        };
        desk.settle(&sink, &mail, delivery);
    }
}

/// Sends notices, and all that fires again and again.
async fn watchman(mut orders: Receiver<Mail>, desk: Arc<Desk>, sink: Arc<Sink>, mut alerts: Alerts) {
    let mut rounds: Interval = tokio::time::interval(RESEND_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(mail) = order else { return };
                let delivery = match desk.begin(&mail) {
                    Ok(notice) => sink.post(Some(&mail.message_id), alerts.note(&notice)).await,
                    Err(delivery) => delivery,
                };
                if let (Delivery::Refused(_), Ok(notice)) = (&delivery, Notice::from_json(&mail.body)) {
                    alerts.forget(&notice);
                }
                desk.settle(&sink, &mail, delivery);
            }
            _ = rounds.tick() => {
                for body in alerts.firing() {
                    if desk.closing.load(Ordering::Relaxed) {
                        break;
                    }
                    let delivery = sink.post(None, body).await;
                    sink.count(&delivery, "resent");
                }
            }
        }
    }
}

/// What all of the engine's parts share.
struct Desk {
    report: Mutex<Report>,
    /// Whether no request is to be begun any more.
    closing: AtomicBool,
}

impl Desk {
    /// The notice to deliver, or what becomes of it without an attempt.
    fn begin(&self, mail: &Mail) -> Result<Notice, Delivery> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(Delivery::Deferred("the daemon stops".to_owned()));
        }
        Notice::from_json(&mail.body).map_err(Delivery::Refused)
    }

    fn settle(&self, sink: &Sink, mail: &Mail, delivery: Delivery) {
        sink.count(&delivery, "sent");
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report(mail.id, delivery);
    }
}
