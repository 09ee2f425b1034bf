//! The IMAP engine: hands on every message of a mailbox, and moves it to the archive once it is on our disk.
//!
//! It reads no message. What it can't fetch it leaves where it is, goes on with the others, and tries again. Messages are handed on
//! and moved in batches; one is handed on again only if we die between taking and moving it, and who takes it knows its bytes.

mod session;
#[cfg(test)]
mod tests;
mod wire;

use crate::clock::Stopwatch;
use crate::domain::mail::{MAX_MESSAGE, Parcel};
use crate::domain::watch::Secret;
use crate::engine::tls::{self, Tls};
use core::fmt;
use core::time::Duration;
use metrics::{Counter, Gauge};
use rustls::RootCertStore;
use session::{Got, Listed, Session};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use wire::Fault;

/// Longest pause between two attempts to connect; also after a login that was refused.
pub const MAX_BACK_OFF: Duration = Duration::from_secs(60);
/// How long a stop waits for a message that is just being taken. After that it is left to the next start.
pub const STOP_LIMIT: Duration = Duration::from_millis(1_500);
/// Messages that are left in the mailbox and remembered. With more, the session ends and begins anew.
const MAX_LEFT: usize = 1_000;
/// Messages that were moved and are remembered, the latest: if they are listed again, they are not handed on again.
const MAX_MOVED: usize = 10_000;
/// Times that a connection may break over a message before others go first.
const MAX_BREAKS: u32 = 2;
/// Messages that are handed on and moved together: so many UIDs fit in a line of 1,000 bytes (RFC 2683, 3.2.1.5).
const MAX_BATCH: usize = 80;
/// Bytes of messages after which no further one is fetched before they are handed on.
const MAX_BATCH_BYTES: usize = 8 << 20;
/// Threads for looking up the server's name.
const LOOKUPS: usize = 2;

/// A mailbox and how to get there. Not `Debug`: who prints it prints the user's name.
#[derive(Clone)]
pub struct Imap {
    /// The server's name or address.
    pub host: String,
    /// Its port: 993 with [`Tls::Wrapped`], else mostly 143.
    pub port: u16,
    /// How the connection is protected. With [`Tls::None`] the password travels in the open.
    pub tls: Tls,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// The mailbox that is emptied, such as `INBOX`.
    pub mailbox: String,
    /// Where messages go that were taken, in the server's own notation; made if it is missing.
    pub archive: String,
}

/// What became of a message that was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is on the disk for good.
    Stored,
    /// It is not: it stays in the mailbox, and comes again.
    Later,
}

/// Takes messages, and says of each what became of it. It waits until they are on the disk; the messages behind wait with them.
pub type Deliver = Box<dyn Fn(Vec<Parcel>) -> Vec<Taken> + Send>;

/// How the engine fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the mailbox is open.
    pub connected: bool,
    /// What is wrong at the moment, if anything is.
    pub fault: Option<String>,
    /// Messages that were taken since the start.
    pub taken: u64,
    /// Messages that are left in the mailbox for now, with why: by UID.
    pub left: Vec<(u32, String)>,
}

/// Why the engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// TLS could not be set up.
    Tls(String),
    /// The engine's thread or its runtime could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(why) => write!(f, "cannot set up TLS to the IMAP server: {why}"),
            Self::Thread(error) => write!(f, "cannot start the IMAP engine's thread: {error}"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tls(_) => None,
            Self::Thread(error) => Some(error),
        }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For a connection to one of the server's addresses.
    connect: Duration,
    /// For the end of a command.
    command: Duration,
    /// For a whole message.
    message: Duration,
    /// From one look to the next where the server has no IDLE.
    poll: Duration,
    /// For news, before IDLE is renewed: servers end it after 30 min (RFC 2177), and boxes on the way much earlier.
    idle: Duration,
    /// Before the first other attempt; the next wait twice as long each, up to `back_off_end`.
    back_off: Duration,
    back_off_end: Duration,
    /// Before a message that could not be taken is tried again.
    again: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(60),
            message: Duration::from_secs(600),
            poll: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            back_off: Duration::from_secs(1),
            back_off_end: MAX_BACK_OFF,
            again: Duration::from_secs(60),
        }
    }
}

/// A running engine. Dropping it ends it, within [`STOP_LIMIT`].
pub struct MailInEngine {
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    status: Arc<Mutex<Status>>,
}

impl MailInEngine {
    /// How it fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.follow()()
    }

    /// Says at any time how it fares, also to others than its owner.
    pub fn follow(&self) -> impl Fn() -> Status + Send + Sync + 'static {
        let status = Arc::clone(&self.status);
        move || status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for MailInEngine {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Nobody answers: the channel closes when the thread ends.
        if let Err(mpsc::RecvTimeoutError::Timeout) = self.ended.recv_timeout(STOP_LIMIT + STOP_LIMIT / 4) {
            tracing::warn!("the IMAP engine is left behind: a message that it handed on is not on the disk yet");
        }
    }
}

/// Starts the engine.
///
/// # Errors
/// When TLS or the thread can't be set up.
pub fn start(settings: Imap, deliver: Deliver) -> Result<MailInEngine, StartError> {
    let roots = if settings.tls == Tls::None { RootCertStore::empty() } else { tls::roots() };
    start_with(settings, roots, Patience::default(), deliver)
}

fn start_with(
    settings: Imap,
    roots: RootCertStore,
    patience: Patience,
    deliver: Deliver,
) -> Result<MailInEngine, StartError> {
    let tls = tls::connector(roots).map_err(StartError::Tls)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(LOOKUPS)
        .build()
        .map_err(StartError::Thread)?;
    let status = Arc::new(Mutex::new(Status::default()));
    let busy = Arc::new(AtomicBool::new(false));
    let closing = Arc::new(AtomicBool::new(false));
    let (stop, stopped) = oneshot::channel::<()>();
    let (alive, ended) = mpsc::channel();
    let mut postman = Postman {
        settings,
        tls,
        patience,
        deliver,
        status: Arc::clone(&status),
        meters: Meters::new(),
        busy: Arc::clone(&busy),
        closing: Arc::clone(&closing),
        known: Known::default(),
    };
    let work = move || {
        let _alive: mpsc::Sender<()> = alive;
        runtime.block_on(async {
            let mut rounds = pin!(postman.go_on());
            tokio::select! {
                // Told, or left alone.
                _ = stopped => {
                    closing.store(true, Ordering::Relaxed);
                    if busy.load(Ordering::Relaxed) {
                        // What is on the disk already is moved away, so that it does not come again.
                        drop(timeout(STOP_LIMIT, rounds).await);
                    }
                }
                () = &mut rounds => {}
            }
        });
        // A look-up that hangs must not keep the daemon from stopping.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("mail-in".to_owned()).spawn(work).map_err(StartError::Thread)?;
    Ok(MailInEngine { stop: Some(stop), ended, status })
}

/// A message that stays in the mailbox for now.
struct Leftover {
    why: String,
    /// Whether it is on our disk, and only could not be moved.
    stored: bool,
    /// Whether the server's word on its size is not to be believed: then only its head is fetched.
    too_large: bool,
    /// Whether it is tried at once, before the others.
    first: bool,
    /// Connections that broke over it.
    breaks: u32,
    since: Stopwatch,
}

impl Leftover {
    fn new(why: String) -> Self {
        Self { why, stored: false, too_large: false, first: false, breaks: 0, since: Stopwatch::start() }
    }
}

/// What is known of the mailbox's messages, by UID.
#[derive(Default)]
struct Known {
    validity: u64,
    /// They stay for now.
    left: BTreeMap<u32, Leftover>,
    /// They were moved.
    moved: BTreeSet<u32>,
}

struct Postman {
    settings: Imap,
    tls: TlsConnector,
    patience: Patience,
    deliver: Deliver,
    status: Arc<Mutex<Status>>,
    meters: Meters,
    /// Whether messages are just being taken.
    busy: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
    known: Known,
}

/// What comes of looking at a message in the list.
enum Look {
    /// It stays in the mailbox for now.
    Stays,
    /// It is on our disk already.
    Stored,
    /// It is to be handed on.
    Fetched(Parcel),
}

/// Messages that go the rest of their way together.
#[derive(Default)]
struct Batch {
    /// They are on our disk already, and only have to be moved.
    stored: Vec<u32>,
    fetched: Vec<(u32, Parcel)>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, uid: u32, parcel: Parcel) {
        self.bytes += parcel.raw.len();
        self.fetched.push((uid, parcel));
    }

    const fn is_full(&self) -> bool {
        self.stored.len() + self.fetched.len() >= MAX_BATCH || self.bytes >= MAX_BATCH_BYTES
    }
}

impl Postman {
    /// One session after the other.
    async fn go_on(&mut self) {
        let mut pause = self.patience.back_off;
        while !self.closing.load(Ordering::Relaxed) {
            let mut swept = false;
            let Err(fault) = self.session(&mut swept).await else { return };
            if swept {
                pause = self.patience.back_off;
            }
            if matches!(fault, Fault::Refused(_)) {
                pause = self.patience.back_off_end;
            }
            self.note(Err(fault.words()));
            sleep(pause).await;
            pause = (pause * 2).min(self.patience.back_off_end);
        }
    }

    /// Empties the mailbox again and again. Ends without a fault when it is to.
    async fn session(&mut self, swept: &mut bool) -> Result<(), Fault> {
        let mut session = Session::open(&self.settings, &self.tls, self.patience).await?;
        if self.known.validity != session.validity {
            self.known = Known { validity: session.validity, ..Known::default() };
            self.publish();
        }
        self.note(Ok(()));
        let mut pause = self.patience.back_off;
        loop {
            let full = self.sweep(&mut session).await?;
            *swept = true;
            if self.closing.load(Ordering::Relaxed) {
                return Ok(());
            }
            if full {
                sleep(pause).await;
                pause = (pause * 2).min(self.patience.back_off_end);
                session.look().await?;
            } else {
                pause = self.patience.back_off;
                let waits = if self.known.left.is_empty() { self.patience.idle } else { self.patience.again };
                session.wait(waits.min(self.patience.idle)).await?;
            }
        }
    }

    /// Takes every message in the mailbox, in the order of UIDs. `true` if nothing can be stored at the moment.
    async fn sweep(&mut self, session: &mut Session) -> Result<bool, Fault> {
        // Those that stay are the first in the mailbox, and are passed over.
        let mut stay = BTreeSet::new();
        loop {
            let listed = session.list(u32::try_from(stay.len()).unwrap_or(u32::MAX)).await?;
            // Nothing, or nothing new.
            if listed.iter().all(|message| stay.contains(&message.uid)) {
                self.known.left.retain(|uid, _| stay.contains(uid));
                self.publish();
                return Ok(false);
            }
            if self.take(session, listed, &mut stay).await? {
                return Ok(true);
            }
            if self.closing.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
    }

    /// Takes what is listed, batch by batch; what stays is noted. `true` if nothing can be stored at the moment.
    async fn take(
        &mut self,
        session: &mut Session,
        listed: Vec<Listed>,
        stay: &mut BTreeSet<u32>,
    ) -> Result<bool, Fault> {
        let mut batch = Batch::default();
        for message in listed {
            match self.look_at(session, message).await {
                Ok(Look::Stays) => drop(stay.insert(message.uid)),
                Ok(Look::Stored) => batch.stored.push(message.uid),
                Ok(Look::Fetched(parcel)) => batch.add(message.uid, parcel),
                Err(fault) => return self.rescue(batch, fault),
            }
            if batch.is_full() {
                let full = self.settle(session, mem::take(&mut batch), stay).await?;
                if full || self.closing.load(Ordering::Relaxed) {
                    return Ok(full);
                }
            }
        }
        self.settle(session, batch, stay).await
    }

    /// Fetches a message, if there is need and hope.
    async fn look_at(&mut self, session: &mut Session, message: Listed) -> Result<Look, Fault> {
        let uid = message.uid;
        if self.known.moved.contains(&uid) && !self.known.left.contains_key(&uid) {
            let why = "it was moved and is still listed".to_owned();
            return self.leave(uid, Leftover { stored: true, ..Leftover::new(why) });
        }
        let left = self.known.left.get(&uid);
        if left.is_some_and(|left| !left.first && left.since.elapsed() < self.patience.again) {
            return Ok(Look::Stays);
        }
        let (stored, too_large) = left.map_or((false, false), |left| (left.stored, left.too_large));
        if stored {
            return Ok(Look::Stored);
        }
        let whole = message.size <= MAX_MESSAGE as u64 && !too_large;
        match session.fetch(uid, whole).await {
            Ok(Got::Bytes(raw)) if !raw.is_empty() => Ok(Look::Fetched(Parcel { raw, whole })),
            Ok(Got::Bytes(_)) => self.leave(uid, Leftover::new("it is empty".to_owned())),
            Ok(Got::Gone) => self.leave(uid, Leftover::new("it is listed and can't be fetched".to_owned())),
            Ok(Got::Refused(why)) => self.leave(uid, Leftover::new(why)),
            Err(fault) => Err(self.blame(uid, whole, fault)),
        }
    }

    /// Hands on what was fetched before the conversation broke off: who breaks off again and again keeps us from nothing.
    fn rescue(&mut self, batch: Batch, fault: Fault) -> Result<bool, Fault> {
        let (stored, _full) = self.hand_on(batch);
        self.busy.store(false, Ordering::Relaxed);
        self.not_moved(stored, &fault)?;
        Err(fault)
    }

    /// Hands a batch on and moves what is on our disk. `true` if something can't be stored at the moment.
    async fn settle(&mut self, session: &mut Session, batch: Batch, stay: &mut BTreeSet<u32>) -> Result<bool, Fault> {
        let (stored, full) = self.hand_on(batch);
        let archived = self.archive(session, stored).await;
        self.busy.store(false, Ordering::Relaxed);
        stay.extend(archived?);
        Ok(full)
    }

    /// What of a batch is on our disk now, and whether something could not be stored. We are busy from here on.
    fn hand_on(&mut self, batch: Batch) -> (Vec<u32>, bool) {
        let Batch { mut stored, fetched, .. } = batch;
        self.busy.store(true, Ordering::Relaxed);
        if fetched.is_empty() {
            return (stored, false);
        }
        let (uids, parcels): (Vec<u32>, Vec<Parcel>) = fetched.into_iter().unzip();
        let fates = (self.deliver)(parcels);
        let taken: Vec<u32> =
            uids.iter().zip(fates).filter(|(_, fate)| *fate == Taken::Stored).map(|(uid, _)| *uid).collect();
        self.meters.taken.increment(taken.len() as u64);
        self.status.lock().unwrap_or_else(PoisonError::into_inner).taken += taken.len() as u64;
        let full = taken.len() < uids.len();
        stored.extend(taken);
        (stored, full)
    }

    /// Moves messages that are on our disk: together, and if the server does not want that, one by one. Gives those that stay.
    async fn archive(&mut self, session: &mut Session, uids: Vec<u32>) -> Result<Vec<u32>, Fault> {
        let mut stays = Vec::new();
        let mut groups: VecDeque<Vec<u32>> = (!uids.is_empty()).then_some(uids).into_iter().collect();
        while let Some(group) = groups.pop_front() {
            match (session.archive(&group).await, group.as_slice()) {
                (Ok(Ok(())), _) => group.into_iter().for_each(|uid| self.moved(uid)),
                (Ok(Err(why)), [uid]) => {
                    let why = format!("it can't be moved: {why}");
                    self.leave(*uid, Leftover { stored: true, ..Leftover::new(why) })?;
                    stays.push(*uid);
                }
                (Ok(Err(_)), _) => groups.extend(group.into_iter().map(|uid| vec![uid])),
                (Err(fault), _) => {
                    self.not_moved(group.into_iter().chain(groups.into_iter().flatten()).collect(), &fault)?;
                    return Err(fault);
                }
            }
        }
        Ok(stays)
    }

    /// If nobody has moved these after all, the next session does.
    fn not_moved(&mut self, uids: Vec<u32>, fault: &Fault) -> Result<(), Fault> {
        for uid in uids {
            let why = format!("it was not moved: {}", fault.words());
            self.leave(uid, Leftover { stored: true, first: true, ..Leftover::new(why) })?;
        }
        Ok(())
    }

    fn moved(&mut self, uid: u32) {
        self.known.left.remove(&uid);
        self.known.moved.insert(uid);
        if self.known.moved.len() > MAX_MOVED {
            self.known.moved.pop_first();
        }
    }

    /// A message over which the conversation breaks off again and again is not the first to be asked for in the next.
    fn blame(&mut self, uid: u32, whole: bool, fault: Fault) -> Fault {
        let breaks = self.known.left.get(&uid).map_or(0, |left| left.breaks).saturating_add(1);
        let too_large = whole && matches!(fault, Fault::TooLarge);
        let first = too_large || breaks < MAX_BREAKS;
        let left = Leftover { too_large, first, breaks, ..Leftover::new(fault.words()) };
        self.leave(uid, left).map_or_else(|full| full, |_stays| fault)
    }

    /// Leaves a message in the mailbox, to be tried again.
    fn leave(&mut self, uid: u32, left: Leftover) -> Result<Look, Fault> {
        tracing::warn!(uid, why = left.why, "a message stays in the mailbox for now");
        self.meters.left_behind.increment(1);
        if self.known.left.len() >= MAX_LEFT && !self.known.left.contains_key(&uid) {
            return Err(Fault::broken("too many messages can't be taken"));
        }
        self.known.left.insert(uid, left);
        self.publish();
        Ok(Look::Stays)
    }

    fn publish(&self) {
        let left = self.known.left.iter().map(|(uid, left)| (*uid, left.why.clone())).collect();
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.left = left;
        self.meters.left.set(status.left.len() as f64);
    }

    /// Counts and shows how it fares, and logs a change.
    fn note(&self, outcome: Result<(), String>) {
        let server = self.settings.host.as_str();
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let connected = outcome.is_ok();
        match (&outcome, &status.fault) {
            (Ok(()), _) if !status.connected => tracing::info!(server, "the mailbox is open"),
            (Err(why), before) if before.as_ref() != Some(why) => tracing::warn!(server, why, "no mail comes in"),
            (Ok(()) | Err(_), _) => {}
        }
        if !connected {
            self.meters.faults.increment(1);
        }
        self.meters.connected.set(f64::from(u8::from(connected)));
        status.connected = connected;
        status.fault = outcome.err();
    }
}

/// The metrics, registered once.
struct Meters {
    taken: Counter,
    faults: Counter,
    left_behind: Counter,
    connected: Gauge,
    left: Gauge,
}

impl Meters {
    fn new() -> Self {
        Self {
            taken: metrics::counter!("ntuwatch_mail_in_taken_total"),
            faults: metrics::counter!("ntuwatch_mail_in_faults_total"),
            left_behind: metrics::counter!("ntuwatch_mail_in_left_total"),
            connected: metrics::gauge!("ntuwatch_mail_in_connected"),
            left: metrics::gauge!("ntuwatch_mail_in_left"),
        }
    }
}
