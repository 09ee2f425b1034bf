//! Mail out: hands letters to a mail server, or writes them to a folder.
//!
//! The engine runs on a thread of its own and knows nothing of retries: it makes one attempt and says what became of
//! it. Whether there is another one is the outbox's business.

mod compose;
mod folder;
mod relay;
#[cfg(test)]
mod tests;

use crate::clock;
use crate::domain::letter::{Delivery, LetterId, Mail};
use crate::domain::outbox::MAX_IN_FLIGHT;
use compose::Composer;
use core::fmt;
use folder::Folder;
use lettre::Message;
use relay::{Line, Patience, Relay};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::runtime;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;

pub use crate::engine::tls::Tls;

/// Connections to the mail server at once, kept open while there are letters. Few servers grant one client more than 10 to 50.
pub const MAX_CONNECTIONS: usize = 4;
/// Direct mails that find room beside a full outbox.
const MAX_DIRECT: usize = 8;

/// Takes note of what became of a letter. It may wait; the letters behind wait with it.
pub type Report = Box<dyn Fn(LetterId, Delivery) + Send>;

/// What the engine needs to know. Not `Debug`: it may hold a password.
pub struct Settings {
    /// The name beside the sender's address.
    pub from_name: Option<String>,
    /// The sender's address; what bounces comes back to it.
    pub from_address: String,
    /// Where letters go.
    pub route: Route,
}

/// Where letters go.
pub enum Route {
    /// Into files of this folder.
    Folder(PathBuf),
    /// To a mail server.
    Smtp {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        tls: Tls,
        /// User and password, where the server asks for them. With [`Tls::None`] they travel in the open.
        credentials: Option<(String, String)>,
        /// Connections to it at once; [`MAX_CONNECTIONS`] but in a bench.
        connections: usize,
    },
}

/// Why the engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// The sender's address is no address.
    From(String),
    /// Letters can't be written to this folder.
    Folder(PathBuf, io::Error),
    /// TLS could not be set up.
    Tls(String),
    /// The engine's thread or its runtime could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(why) => write!(f, "the sender's mail address {why}"),
            Self::Folder(path, error) => write!(f, "cannot write mail to {}: {error}", path.display()),
            Self::Tls(why) => write!(f, "cannot set up TLS to the mail server: {why}"),
            Self::Thread(error) => write!(f, "cannot start the mail engine's thread: {error}"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::From(_) | Self::Tls(_) => None,
            Self::Folder(_, error) | Self::Thread(error) => Some(error),
        }
    }
}

/// A running engine. Dropping it lets it finish what it was handed.
pub struct MailEngine {
    queue: Sender<Order>,
    desk: Arc<Desk>,
}

impl MailEngine {
    /// Makes one attempt to deliver `mail`. Every letter that is taken is reported exactly once.
    ///
    /// # Errors
    /// What became of a letter that there is no room for.
    pub fn send(&self, mail: Mail) -> Result<(), Delivery> {
        self.put(Order { mail, origin: Origin::Outbox }).map_err(|_refused| no_room())
    }

    /// Sends a mail that does not come from the outbox, as well as may be: what becomes of it is only logged.
    pub fn direct(&self, to: &[String], subject: &str, body: &str) {
        let written_unix_ms = clock::unix_millis();
        for (number, to) in to.iter().enumerate() {
            let mail = Mail {
                id: 0,
                to: to.clone(),
                reply_to: None,
                message_id: format!("direct.{written_unix_ms}.{number}@{}", self.desk.composer.domain()),
                in_reply_to: None,
                references: Vec::new(),
                subject: subject.to_owned(),
                body: body.to_owned(),
                written_unix_ms,
            };
            if let Err(order) = self.put(Order { mail, origin: Origin::Direct }) {
                self.desk.settle(&order, no_room());
            }
        }
    }

    /// Begins no letter from now on: those under way come to their end, those behind them are put off at once.
    pub fn wind_up(&self) {
        self.desk.closing.store(true, Ordering::Relaxed);
    }

    fn put(&self, order: Order) -> Result<(), Box<Order>> {
        self.queue.try_send(order).map_err(|refused| Box::new(refused.into_inner()))
    }
}

fn no_room() -> Delivery {
    Delivery::Deferred("the mail engine has its hands full".to_owned())
}

/// Starts the engine.
///
/// # Errors
/// When the sender's address is none, the folder can't be made, or TLS or the thread can't be set up.
pub fn start(settings: Settings, report: Report) -> Result<MailEngine, StartError> {
    start_with(settings, Patience::default(), report)
}

fn start_with(settings: Settings, patience: Patience, report: Report) -> Result<MailEngine, StartError> {
    let composer = Composer::new(settings.from_name.as_deref(), &settings.from_address).map_err(StartError::From)?;
    let desk = Arc::new(Desk { composer, report: Mutex::new(report), closing: AtomicBool::new(false) });
    let (queue, orders) = mpsc::channel(MAX_IN_FLIGHT + MAX_DIRECT);
    let thread = thread::Builder::new().name("mail".to_owned());
    let theirs = Arc::clone(&desk);
    match settings.route {
        Route::Folder(path) => {
            let folder = Folder::open(&path).map_err(|error| StartError::Folder(path, error))?;
            thread.spawn(move || file_letters(orders, &theirs, &folder))
        }
        Route::Smtp { host, port, tls, credentials, connections } => {
            let relay = Relay::new(host, port, tls, credentials, patience).map_err(StartError::Tls)?;
            let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
            thread.spawn(move || runtime.block_on(post_letters(orders, theirs, relay, connections)))
        }
    }
    .map_err(StartError::Thread)?;
    Ok(MailEngine { queue, desk })
}

/// A mail to be sent, and whom to tell.
struct Order {
    mail: Mail,
    origin: Origin,
}

#[derive(Clone, Copy)]
enum Origin {
    /// The outbox hears what became of it.
    Outbox,
    /// Nobody waits for an answer.
    Direct,
}

/// What all of the engine's parts share.
struct Desk {
    composer: Composer,
    report: Mutex<Report>,
    /// Whether no letter is to be begun any more.
    closing: AtomicBool,
}

impl Desk {
    /// The message to deliver, or what becomes of the order without an attempt.
    fn begin(&self, order: &Order) -> Result<Message, Delivery> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(Delivery::Deferred("the daemon stops".to_owned()));
        }
        self.composer.compose(&order.mail).map_err(Delivery::Refused)
    }

    /// Tells what became of an order.
    fn settle(&self, order: &Order, delivery: Delivery) {
        match (order.origin, delivery) {
            (Origin::Outbox, delivery) => {
                let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
                report(order.mail.id, delivery);
            }
            (Origin::Direct, Delivery::Sent) => tracing::info!(to = order.mail.to, "direct mail sent"),
            (
                Origin::Direct,
                Delivery::Deferred(why)
                | Delivery::Unreachable(why)
                | Delivery::Refused(why)
                | Delivery::Throttled { why, .. },
            ) => {
                tracing::error!(to = order.mail.to, why, "direct mail not sent");
            }
        }
    }
}

fn file_letters(mut orders: Receiver<Order>, desk: &Desk, folder: &Folder) {
    while let Some(order) = orders.blocking_recv() {
        let delivery = match desk.begin(&order) {
            Ok(message) => folder.put(&order.mail, &message.formatted()),
            Err(delivery) => delivery,
        };
        desk.settle(&order, delivery);
    }
}

type Orders = Arc<tokio::sync::Mutex<Receiver<Order>>>;

async fn post_letters(orders: Receiver<Order>, desk: Arc<Desk>, relay: Relay, connections: usize) {
    let orders: Orders = Arc::new(tokio::sync::Mutex::new(orders));
    let relay = Arc::new(relay);
    let mut clerks = JoinSet::new();
    for _ in 0..connections {
        clerks.spawn(clerk(Arc::clone(&orders), Arc::clone(&desk), Line::new(Arc::clone(&relay))));
    }
    clerks.join_all().await;
}

/// Sends letters over one connection, one after the other.
async fn clerk(orders: Orders, desk: Arc<Desk>, mut line: Line) {
    loop {
        let next = async { orders.lock().await.recv().await };
        match tokio::time::timeout(relay::IDLE, next).await {
            Ok(Some(order)) => {
                let delivery = match desk.begin(&order) {
                    Ok(message) => line.deliver(&message).await,
                    Err(delivery) => delivery,
                };
                desk.settle(&order, delivery);
            }
            Ok(None) => break,
            Err(_idle) => line.hang_up().await,
        }
    }
    line.hang_up().await;
}
