//! A real server on a socket and a port of its own, with a loop that gives set answers.

use ntuwatch::domain::desk::{Merits, Move, NotOpen, Reference, RuleVerdict, Trace, Unmet};
use ntuwatch::domain::letter::{Letter, Mail};
use ntuwatch::domain::maintenance::{Maintenance, Origin, Scope, Stage, Window};
use ntuwatch::domain::party::{BadContact, Channel, Contact, ContactDraft, ContactOrigin, ContactRole, ContactVerb};
use ntuwatch::domain::time::{Calendar, ClockMark, Rtt, Time};
use ntuwatch::domain::turn::{BadMaintenance, Done, Filing, Refusal, Turn, Wish};
use ntuwatch::domain::view::DeviceStatus;
use ntuwatch::domain::watch::{
    AgentState, Circuit, Device, Limits, Lost, Pace, Reason, Role, Rules, Secret, Symptoms, Terms, Verdict,
};
use ntuwatch::store::{Commit, Entry, Store};
use ntuwatch::text::{self, Stamp};
use ntuwatch::web::board::{Board, Row, Summary};
use ntuwatch::web::{self, Ask, Busy, Keep, Server, Services, Surveyed, Words};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// When the tests' world is: 2027-01-15T08:00:00Z.
pub(crate) const NOW: Time = Time::from_millis(1_800_000_000_000);
pub(crate) const TOKEN: &str = "correct horse battery staple";

/// The case that the loop knows, the one that it has closed, and one that is never answered.
pub(crate) const OPEN: u64 = 1;
pub(crate) const CLOSED: u64 = 2;
pub(crate) const DROPPED: u64 = 3;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) board: Arc<Board>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) address: SocketAddr,
    server: Option<Server>,
}

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

impl World {
    pub(crate) fn new(token: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let board = Arc::new(Board::new(Summary::at_start(NOW, Arc::new(Calendar::default()))));
        let asked = Arc::default();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let doors = web::bind(Some(anywhere), &folder.path().join("sock")).unwrap();
        let address = doors.address().unwrap();
        let services = Services {
            board: Arc::clone(&board),
            ask: ask(Arc::clone(&asked)),
            keep: keep(folder.path().join("store.db")),
            mailbox: None,
            surveyed: surveyed(),
            words: Words {
                explain: text::explain,
                held: text::held_words,
                finding: text::finding_words,
                diagnosis: text::diagnosis_words,
                cause: text::cause_words,
                alarm: text::alarm_words,
                draft: text::rfo::draft,
                rfo_text: text::rfo::text,
                rfo_html: text::rfo::html,
                merits: text::merits_words,
            },
            store: folder.path().join("store.db"),
            token: token.map(|token| Secret::new(token.to_owned())),
            metrics: web::metrics::install(),
        };
        let server = Some(web::serve(doors, services).unwrap());
        Self { folder, board, asked, address, server }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// Sends bytes to the Unix socket and reads to the end.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        exchange(UnixStream::connect(self.socket()).unwrap(), request)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// The daemon's metrics. All worlds of this program share them, so one at a time may show its own.
    pub(crate) fn metrics(&self) -> Answer {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        self.get("/metrics")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.raw(post(path, "", body).as_bytes())
    }

    /// A change over TCP, with further header lines.
    pub(crate) fn post_tcp(&self, path: &str, headers: &str, body: &str) -> Answer {
        exchange(TcpStream::connect(self.address).unwrap(), post(path, headers, body).as_bytes())
    }

    pub(crate) fn get_tcp(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        exchange(TcpStream::connect(self.address).unwrap(), request.as_bytes())
    }

    /// Commits a turn to the store that the server reads.
    pub(crate) fn store(&self, turn: &Turn, entries: &[Entry]) {
        let mail = |letter: &Letter| Mail {
            id: letter.id,
            to: letter.to.clone(),
            message_id: format!("{}@ntuwatch", letter.id),
            in_reply_to: None,
            references: Vec::new(),
            reply_to: None,
            subject: "Line down".to_owned(),
            body: "Dear customer".to_owned(),
            written_unix_ms: letter.written_at.as_millis(),
        };
        let mails: Vec<_> = turn.letters.iter().map(mail).collect();
        let clocks = ClockMark { at: NOW, boot_id: "b".to_owned(), boot_ms: 0, unix_ms: NOW.as_millis() };
        let commit = Commit { turn, mails: &mails, entries, mark: &clocks, calendar_step: None };
        let (mut store, _) = Store::open(&self.folder.path().join("store.db")).unwrap();
        store.commit(&commit).unwrap();
    }

    /// Runs the program against this server.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntuwatch"));
        command.arg("--socket").arg(self.socket()).args(arguments).output().unwrap()
    }

    /// What the loop was asked for last.
    pub(crate) fn last_asked(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> Answer {
    // A server that has heard enough may close while we still write.
    drop(stream.write_all(request));
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { dechunk(body) } else { body.to_owned() };
    Answer { status, head: head.to_owned(), body }
}

fn dechunk(mut rest: &str) -> String {
    let mut whole = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
}

/// As the daemon knows its own tokens.
pub(crate) fn stamp() -> Stamp {
    Stamp::new(&[7; text::SECRET], "example.net", None)
}

fn surveyed() -> Surveyed {
    let stamp = stamp();
    Arc::new(move |token| stamp.surveyed(token))
}

/// Keeps messages at once, as the daemon's writer does.
fn keep(path: PathBuf) -> Keep {
    Arc::new(move |parcel| {
        let (answer, receiver) = oneshot::channel();
        let (mut store, _) = Store::open(&path).unwrap();
        answer.send(Ok(store.keep(&parcel, NOW).unwrap())).unwrap();
        receiver
    })
}

fn ask(asked: Arc<Mutex<Vec<String>>>) -> Ask {
    Arc::new(move |by, wish| {
        if by == "crowd" {
            return Err(Busy);
        }
        asked.lock().unwrap().push(format!("{by}: {wish:?}"));
        let (answer, receiver) = oneshot::channel();
        let result = match wish {
            Wish::Open { unit, .. } if unit == "busy-1" => {
                Err(Refusal::AlreadyOpen { reference: Reference::from_number(OPEN) })
            }
            Wish::Open { .. } => Ok(Done::Case(Reference::from_number(OPEN))),
            Wish::Work { reference, command } => match reference.number() {
                OPEN => Ok(Done::Case(reference)),
                CLOSED => Err(Refusal::NotOpen { reference, wanted: command.wanted(), why: NotOpen::Closed }),
                // The sender goes away unused, as when the daemon stops.
                DROPPED => return Ok(receiver),
                _ => Err(Refusal::UnknownReference { reference }),
            },
            Wish::Update { umbrella, .. } => match umbrella.number() {
                OPEN => Ok(Done::Case(umbrella)),
                _ => Err(Refusal::UnknownUmbrella { reference: umbrella }),
            },
            Wish::Maintain(draft) => maintain(by, draft.over(None)),
            Wish::CallOff { id } if id == "mw-1" => {
                let (from, until) = (NOW + Duration::from_secs(3_600), NOW + Duration::from_secs(7_200));
                let window = Window {
                    id,
                    scope: Scope::Device("pop-lon".to_owned()),
                    from,
                    until,
                    emergency: false,
                    note: None,
                };
                let (origin, stage) = (Origin::Staff("anna".to_owned()), Stage::Cancelled);
                Ok(Done::Maintenance(Arc::new(Maintenance {
                    window,
                    origin,
                    revision: 2,
                    planned_at: NOW,
                    announced_at: NOW,
                    stage,
                })))
            }
            Wish::File { heard, filing: Filing::Dismiss } => Ok(Done::Mail(heard.mail)),
            Wish::File { filing: Filing::Join(reference), .. } => Ok(Done::Case(reference)),
            Wish::File { heard, filing: Filing::Open { .. } } => Err(Refusal::NotAside { mail: heard.mail }),
            Wish::CallOff { id } => Err(Refusal::UnknownMaintenance { id }),
            Wish::Duty { staff, on } if staff == "ann" => Ok(Done::Duty { staff, on }),
            Wish::Duty { staff, .. } => Err(Refusal::UnknownStaff { staff }),
            Wish::Contact { verb, customer, id, draft } => contact(by, verb, (customer, id), *draft),
            Wish::Answer { case, .. } => match case.number() {
                DROPPED => Err(Refusal::NoSurvey { reference: case }),
                _ => Ok(Done::Case(case)),
            },
            Wish::Trace { reference } => match reference.number() {
                OPEN => Ok(Done::Trace(Box::new(trace()))),
                CLOSED => Err(Refusal::NotRouted { reference }),
                _ => Err(Refusal::UnknownReference { reference }),
            },
        };
        answer.send(result).unwrap();
        Ok(receiver)
    })
}

/// What the loop says of a contact: customer acme has one, joe.
fn contact(
    by: String,
    verb: ContactVerb,
    (customer, id): (String, String),
    draft: ContactDraft,
) -> Result<Done, Refusal> {
    if customer != "acme" {
        return Err(Refusal::UnknownCustomer { customer });
    }
    match (verb, id.as_str()) {
        (ContactVerb::Add, "joe") => return Err(Refusal::BadContact { id, why: BadContact::Taken }),
        (ContactVerb::Add, _) | (_, "joe") => {}
        (_, _) => return Err(Refusal::BadContact { id, why: BadContact::Unknown }),
    }
    Ok(Done::Contact(Box::new(Contact {
        id,
        customer,
        name: draft.name.unwrap_or_else(|| "Joe".to_owned()),
        email: draft.email,
        phone: draft.phone,
        address: draft.address,
        role: draft.role.unwrap_or(ContactRole::Primary),
        prefers: draft.prefers.unwrap_or(Channel::Email),
        letters: draft.letters.unwrap_or(false),
        origin: ContactOrigin::Staff { by, at: NOW },
    })))
}

/// One rule does not hold, one fires, one is not reached.
fn trace() -> Trace {
    let unmet = Unmet { condition: "priority", wanted: "P1".to_owned(), found: "P2".to_owned() };
    let verdicts = [RuleVerdict::Unmet(vec![unmet]), RuleVerdict::Fires, RuleVerdict::NotReached]
        .into_iter()
        .zip(["down", "rest", "all"]);
    let merits = Merits { skill: None, product: false, language: Some(true), territory: true, load: 2, among: 3 };
    Trace {
        rules: verdicts.map(|(verdict, name)| (name.to_owned(), verdict)).collect(),
        team: Some("noc".to_owned()),
        chosen: Some(("ann".to_owned(), merits)),
        present: (Some("rest".to_owned()), "noc".to_owned(), None),
    }
}

/// What the loop says of a maintenance: one that is called "over" is, and there is nothing "nowhere".
fn maintain(by: String, window: Window) -> Result<Done, Refusal> {
    if window.id == "over" {
        return Err(Refusal::BadMaintenance { id: window.id, why: BadMaintenance::Over });
    }
    if window.id.contains(':') {
        return Err(Refusal::BadMaintenance { id: window.id, why: BadMaintenance::BadId });
    }
    if window.scope == Scope::Device("nowhere".to_owned()) {
        return Err(Refusal::BadMaintenance { id: window.id, why: BadMaintenance::NothingThere });
    }
    let origin = Origin::Staff(by);
    let planned =
        Maintenance { window, origin, revision: 1, planned_at: NOW, announced_at: NOW, stage: Stage::Planned };
    Ok(Done::Maintenance(Arc::new(planned)))
}

pub(crate) fn reference(number: u64) -> String {
    Reference::from_number(number).to_string()
}

pub(crate) fn path(number: u64, verb: Move) -> String {
    format!("/api/cases/{}/{}", reference(number), verb.name())
}

/// A unit of a customer.
pub(crate) fn unit(id: &str, customer: &str, verdict: Verdict) -> Row {
    let circuit = Circuit {
        customer: Arc::new(customer.to_owned()),
        order: format!("SO-{id}").into(),
        terms: Arc::new(Terms {
            service: "DIA".to_owned(),
            region: "EMEA".to_owned(),
            ttr: Duration::from_secs(4 * 3600),
            supplier: None,
            pop: Some("lon".to_owned()),
            access: Some("fibre".to_owned()),
            rate: Some(100_000_000),
        }),
    };
    row(id, Role::Unit(circuit), verdict)
}

pub(crate) fn row(id: &str, role: Role, verdict: Verdict) -> Row {
    let pace = Pace {
        interval: Duration::from_secs(10),
        snmp_interval: Duration::from_secs(60),
        timeout: Duration::from_secs(1),
        down_after: Duration::from_secs(600),
        solve_after: Duration::from_secs(300),
        history: Duration::from_secs(4 * 3600),
    };
    let rules = Arc::new(Rules { icmp: true, snmp: None, pace, limits: Limits::DEFAULT, probe_rate: None });
    let device = Device { id: id.into(), role, host: "192.0.2.1".into(), upstream: None, rules };
    let status = DeviceStatus {
        verdict,
        reason: Reason::Answered,
        since: NOW - Duration::from_secs(60),
        last_contact: Some(NOW),
        rtt: Some(Rtt::from(Duration::from_micros(12_345))),
        loss: Lost { lost: 1, sent: 4 },
        agent: AgentState::Unknown,
        symptoms: Symptoms::default(),
        maintained: false,
        sample: None,
    };
    Row::new(Arc::new(device), None, status)
}
