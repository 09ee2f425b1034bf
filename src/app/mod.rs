//! Wiring: starts everything in the right order, runs the loop, and stops everything in the right order.

mod audit;
mod cycle;
mod inbox;
mod journal;
mod mailroom;
mod memory;
mod patience;
mod registry;
mod rfo;
mod shifts;
mod signals;
mod worker;
mod writer;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::domain::mail::{MailId, Parcel};
use crate::domain::notice::hook;
use crate::domain::time::{Calendar, ClockMark};
use crate::domain::turn::Turn;
use crate::domain::watch::{Muster, Role, next_tick};
use crate::engine::mail_in::{self, imap};
use crate::engine::tls::Tls;
use crate::engine::{self, heartbeat, mail_out, resolver, traps, webhook};
use crate::payload::{Form, SigningKey};
use crate::store::{OpenError, Reader, Store};
use crate::text::{self, Stamp};
use crate::web::board::{Board, Summary};
use crate::web::metrics::Metrics;
use crate::web::{self, BindError};
use audit::Auditor;
use cycle::{Cycle, Engines, State};
use inbox::Inbox;
pub(crate) use journal::warn_of;
use mailroom::MailRoom;
use memory::{Memory, Rest};
use patience::Patience;
use registry::Registry;
use rfo::Scribe;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use tokio::sync::oneshot;
use writer::{LetterBox, Writer};

/// Why the daemon could not start, or had to end.
#[derive(Debug)]
pub enum Fatal {
    /// The configuration has faults.
    Config(String),
    /// A directory can't be made.
    Directory(PathBuf, io::Error),
    /// The store can't be opened.
    Open(OpenError),
    /// The store fails.
    Store(String),
    /// The interface can't be offered.
    Bind(BindError),
    /// A probe engine could not start.
    Probe(engine::StartError),
    /// The mail engine could not start.
    Mail(mail_out::StartError),
    /// Messengers can't be told.
    Webhook(webhook::StartError),
    /// The mailbox can't be read.
    MailIn(imap::StartError),
    /// The heartbeat could not start.
    Heartbeat(heartbeat::StartError),
    /// Traps can't be heard.
    Traps(traps::StartError),
    /// The system gives no thread.
    System(io::Error),
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(words) | Self::Store(words) => f.write_str(words),
            Self::Directory(path, error) => {
                write!(f, "cannot make the directory {}: {error}; its parent must exist", path.display())
            }
            Self::Open(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::Probe(error) => error.fmt(f),
            Self::Mail(error) => error.fmt(f),
            Self::Webhook(error) => error.fmt(f),
            Self::MailIn(error) => error.fmt(f),
            Self::Heartbeat(error) => error.fmt(f),
            Self::Traps(error) => error.fmt(f),
            Self::System(error) => write!(f, "cannot start a thread: {error}"),
        }
    }
}

/// Reads the configuration, or says what is wrong with it.
pub type Read = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// How things are said on the web.
const WORDS: web::Words = web::Words {
    explain: text::explain,
    held: text::held_words,
    finding: text::finding_words,
    diagnosis: text::diagnosis_words,
    cause: text::cause_words,
    alarm: text::alarm_words,
    merits: text::merits_words,
    draft: text::rfo::draft,
    rfo_text: text::rfo::text,
    rfo_html: text::rfo::html,
};

/// Runs the daemon until it is told to stop. `read` reads the configuration, now and at every reload.
///
/// # Errors
/// If it can't start, or the store fails for too long.
pub fn run(read: Read) -> Result<(), Fatal> {
    // It takes a fifth of a second to calibrate its clock; meanwhile the configuration is read.
    let recorder = thread::Builder::new().name("recorder".to_owned()).spawn(web::metrics::install);
    let recorder = recorder.map_err(Fatal::System)?;
    let config = read().map_err(Fatal::Config)?;
    // First of all: a signal that nobody listens for would end the program.
    let (inbox, messages) = Inbox::new();
    let stopping = Arc::new(AtomicBool::new(false));
    signals::listen(inbox.clone(), Arc::clone(&stopping)).map_err(Fatal::System)?;
    let (store, mark, calendar) = claim_store(&config)?;
    let clock = Clock::resume(mark.as_ref(), &calendar);
    let mut turn = Turn::new(clock.now());
    let memory = Memory::read(store, turn.at)?;
    let mut muster = Muster::new(&config.plan, turn.at);
    let reader = Reader::open(&config.store).map_err(Fatal::Open)?;
    let doors = web::bind(config.http.listen, &config.http.socket).map_err(Fatal::Bind)?;
    let address = doors.address();
    // The engines count from their beginning.
    let metrics = recorder.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    let engines = start_engines(&config, &inbox, &reader)?;
    muster.recall(memory.devices()?, mark.map(|mark| mark.at), &mut turn);
    let memory = ask_meanwhile(&mut muster, memory, &engines, &clock, metrics, &mut turn)?;
    let plan = shifts::plan(&config, turn.at, calendar.offset_ms(turn.at));
    let watch = muster.open(memory.desk, memory.maintenance, &plan, &mut turn);
    let calendar = Arc::new(calendar);
    let board = Arc::new(Board::new(Summary::at_start(turn.at, Arc::clone(&calendar))));
    let heartbeat = start_heartbeat(&config, &board)?;
    let (stamp, registry) = open_mail_room(&config, &memory.secret, memory.unread, &inbox)?;
    let writer = Writer::start(memory.store, Arc::clone(&board), metrics, stamp.clone(), registry);
    let writer = writer.map_err(Fatal::System)?;
    let letter_box = writer.letter_box()?;
    let mail_in = start_mail_in(&config, letter_box.clone(), &clock)?;
    let services = web::Services {
        board: Arc::clone(&board),
        ask: inbox.ask(),
        keep: keep(letter_box, &clock),
        mailbox: mail_in.as_ref().map(|engine| mailbox(engine.follow())),
        surveyed: Arc::new(move |token| stamp.surveyed(token)),
        words: WORDS,
        store: config.store.clone(),
        token: config.http.token.clone(),
        metrics,
    };
    let server = web::serve(doors, services).map_err(Fatal::System)?;
    announce(&config, address);
    let (scribe, auditor) = start_readers(&config.store, &inbox, &clock, &board)?;
    let (state, patience) = (State::new(turn.at), Patience::new(stopping));
    let mut cycle = Cycle {
        clock,
        calendar,
        writer,
        reader,
        scribe,
        watch,
        turn,
        inbox: messages,
        engines,
        board,
        metrics,
        patience,
        config,
        read,
        door: inbox.clone(),
        state,
    };
    let outcome = cycle.run();
    drop(heartbeat);
    drop(auditor);
    // While the writer still takes what it is about to hand over.
    drop(mail_in);
    // Before the cycle and the store in it go: its readers would keep the store's write-ahead log in use.
    server.stop();
    outcome
}

/// Makes the house, and takes possession of the store.
fn claim_store(config: &Config) -> Result<(Store, Option<ClockMark>, Calendar), Fatal> {
    for path in [&config.store, &config.http.socket] {
        make_home(path)?;
    }
    let store = Store::claim(&config.store).map_err(Fatal::Open)?;
    let (mark, calendar) = store.clocks().map_err(Fatal::Open)?;
    Ok((store, mark, calendar))
}

/// Asks those who are due until the store has been read to its end.
fn ask_meanwhile(
    muster: &mut Muster,
    memory: Memory,
    engines: &Engines,
    clock: &Clock,
    metrics: &Metrics,
    turn: &mut Turn,
) -> Result<Rest, Fatal> {
    loop {
        muster.ask(turn);
        engines.ask(turn, metrics);
        if memory.is_complete() {
            return memory.rest();
        }
        thread::sleep(next_tick(turn.at).since(clock.now()));
        turn.at = clock.now();
    }
}

/// Begins to read what the store has kept, `unread` first.
fn open_mail_room(
    config: &Config,
    secret: &[u8; text::SECRET],
    unread: Vec<(MailId, u32)>,
    inbox: &Inbox,
) -> Result<(Stamp, Registry), Fatal> {
    let stamp = Stamp::new(secret, config.mail.from.domain(), config.mail_in.address.as_deref());
    let reader = Reader::open(&config.store).map_err(Fatal::Open)?;
    let room = MailRoom::start(reader, (us(config), stamp.clone()), inbox.clone(), unread).map_err(Fatal::System)?;
    Ok((stamp, Registry::new(room, config.mail_in.keep)))
}

/// Begins to write reasons for outage, and to audit deadlines.
fn start_readers(store: &Path, inbox: &Inbox, clock: &Clock, board: &Arc<Board>) -> Result<(Scribe, Auditor), Fatal> {
    let open = || Reader::open(store).map_err(Fatal::Open);
    let scribe = Scribe::start(open()?, inbox.clone()).map_err(Fatal::System)?;
    let auditor = audit::start(open()?, clock.clone(), Arc::clone(board)).map_err(Fatal::System)?;
    Ok((scribe, auditor))
}

/// Who we are, for whoever reads our mail.
fn us(config: &Config) -> mail_in::Us {
    let from = config.mail.from.address.to_ascii_lowercase();
    let inbox = config.mail_in.address.as_ref().map(|address| address.to_ascii_lowercase());
    mail_in::Us {
        addresses: [from].into_iter().chain(inbox).collect(),
        authserv_id: config.mail_in.authserv_id.clone(),
        domain: config.mail.from.domain().to_owned(),
    }
}

/// The way of messages that are handed over to the store.
fn keep(letter_box: LetterBox, clock: &Clock) -> web::Keep {
    let (letter_box, clock) = (Mutex::new(letter_box), clock.clone());
    Arc::new(move |parcel| {
        let (answer, kept) = oneshot::channel();
        // Whoever brought it may have gone away meanwhile.
        let answer = Box::new(move |result| drop(answer.send(result)));
        letter_box.lock().unwrap_or_else(PoisonError::into_inner).keep(parcel, clock.now(), answer);
        kept
    })
}

/// Empties the mailbox that the operator wants read, if there is one.
fn start_mail_in(config: &Config, letter_box: LetterBox, clock: &Clock) -> Result<Option<imap::MailInEngine>, Fatal> {
    let Some(mailbox) = &config.mail_in.imap else { return Ok(None) };
    let settings = imap::Imap {
        host: mailbox.host.clone(),
        port: mailbox.port,
        tls: tls_of(mailbox.tls),
        user: mailbox.user.clone(),
        password: mailbox.password.clone(),
        mailbox: mailbox.mailbox.clone(),
        archive: mailbox.archive.clone(),
    };
    let clock = clock.clone();
    let deliver = Box::new(move |parcels: Vec<Parcel>| {
        let keep = |parcel| {
            let (answer, kept) = mpsc::channel();
            let answer = Box::new(move |result| drop(answer.send(result)));
            letter_box.keep(parcel, clock.now(), answer);
            kept
        };
        // All are handed over before the first is waited for, so that they are kept together.
        let kept: Vec<mpsc::Receiver<_>> = parcels.into_iter().map(keep).collect();
        let taken = |kept: mpsc::Receiver<_>| match kept.recv() {
            Ok(Ok(_)) => imap::Taken::Stored,
            Ok(Err(_)) | Err(_) => imap::Taken::Later,
        };
        kept.into_iter().map(taken).collect()
    });
    imap::start(settings, deliver).map(Some).map_err(Fatal::MailIn)
}

/// How the mailbox fares, as it is shown.
fn mailbox(follow: impl Fn() -> imap::Status + Send + Sync + 'static) -> web::Mailbox {
    Box::new(move || {
        let imap::Status { connected, fault, taken, left } = follow();
        web::MailboxStatus { connected, fault, taken, left }
    })
}

const fn tls_of(tls: config::Tls) -> Tls {
    match tls {
        config::Tls::None => Tls::None,
        config::Tls::StartTls => Tls::StartTls,
        config::Tls::Wrapped => Tls::Wrapped,
    }
}

/// Tells a dead man's switch that somebody watches, if the operator wants that.
fn start_heartbeat(config: &Config, board: &Arc<Board>) -> Result<Option<heartbeat::Heartbeat>, Fatal> {
    let Some(config::Heartbeat { url, every }) = config.heartbeat.clone() else { return Ok(None) };
    let board = Arc::clone(board);
    let healthy = Box::new(move || board.is_healthy());
    heartbeat::start(heartbeat::Settings { url, every }, healthy).map(Some).map_err(Fatal::Heartbeat)
}

fn start_engines(config: &Config, inbox: &Inbox, reader: &Reader) -> Result<Engines, Fatal> {
    Ok(Engines {
        icmp: engine::icmp::start(inbox.deliver()).map_err(Fatal::Probe)?,
        snmp: engine::snmp::start(inbox.deliver()).map_err(Fatal::Probe)?,
        mail: mail_out::start(mail_settings(config), inbox.attempted()).map_err(Fatal::Mail)?,
        webhook: start_webhook(config, inbox, reader)?,
        resolver: resolver::start(inbox.resolved()).map_err(Fatal::System)?,
        traps: start_traps(config, inbox)?,
    })
}

/// Begins to tell messengers, and those that count what is wrong of what they were told.
fn start_webhook(config: &Config, inbox: &Inbox, reader: &Reader) -> Result<webhook::WebhookEngine, Fatal> {
    let mut alerts = BTreeMap::new();
    let mut messengers = Vec::new();
    for messenger in &config.messengers {
        if messenger.form == Form::Alertmanager {
            let fires = reader.alerts(&hook(&messenger.name), webhook::MAX_ALERTS);
            alerts.insert(messenger.name.clone(), fires.map_err(|error| Fatal::Store(error.to_string()))?);
        }
        let signing = messenger.signing.as_ref().map(|secret| SigningKey::new(secret.expose())).transpose();
        messengers.push(webhook::Settings {
            name: messenger.name.clone(),
            url: messenger.url.clone(),
            form: messenger.form.clone(),
            auth: messenger.auth.clone(),
            signing: signing.map_err(Fatal::Config)?,
            timeout: messenger.timeout,
        });
    }
    webhook::start(messengers, &alerts, inbox.attempted()).map_err(Fatal::Webhook)
}

/// Begins to hear traps, if it is wanted.
fn start_traps(config: &Config, inbox: &Inbox) -> Result<Option<traps::TrapEngine>, Fatal> {
    let start = |listen| traps::start(traps::Settings { listen }, inbox.trapped()).map_err(Fatal::Traps);
    config.traps.map(start).transpose()
}

/// Tells whoever started us where everything is.
fn announce(config: &Config, address: Option<SocketAddr>) {
    let units = config.plan.devices.iter().filter(|device| matches!(device.role, Role::Unit(_))).count();
    let (store, socket) = (config.store.display(), config.http.socket.display());
    let web = address.map_or_else(|| "nowhere".to_owned(), |address| format!("http://{address}"));
    let mail = match &config.mail.route {
        config::Route::Folder(folder) => folder.display().to_string(),
        config::Route::Smtp(smtp) => format!("{}:{}", smtp.host, smtp.port),
    };
    tracing::info!("units: {units}, store {store}, socket {socket}, API {web}, mail to {mail}");
}

/// Makes the directory that a file of ours is to be in, if it is not there.
fn make_home(file: &Path) -> Result<(), Fatal> {
    let Some(home) = file.parent().filter(|home| !home.as_os_str().is_empty() && !home.exists()) else {
        return Ok(());
    };
    DirBuilder::new().mode(0o750).create(home).map_err(|error| Fatal::Directory(home.to_owned(), error))
}

fn mail_settings(config: &Config) -> mail_out::Settings {
    let mail = &config.mail;
    mail_out::Settings {
        from_name: mail.from.name.clone(),
        from_address: mail.from.address.clone(),
        route: match &mail.route {
            config::Route::Folder(folder) => mail_out::Route::Folder(folder.clone()),
            config::Route::Smtp(smtp) => mail_out::Route::Smtp {
                host: smtp.host.clone(),
                port: smtp.port,
                tls: tls_of(smtp.tls),
                credentials: smtp
                    .credentials
                    .as_ref()
                    .map(|(user, password)| (user.clone(), password.expose().to_owned())),
                connections: mail_out::MAX_CONNECTIONS,
            },
        },
    }
}
