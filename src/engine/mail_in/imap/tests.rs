//! The engine against a server that can lie.

use super::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

/// What the server does instead of what it should.
enum Lie {
    /// It says this, with `TAG` for the command's tag.
    Say(String),
    /// It says this again and again.
    Flood(&'static str),
    /// It says nothing any more.
    Hang,
    /// It hangs up.
    Drop,
}

/// What lie there is for a command, such as `UID FETCH 2 (…)`, on which connection, counted from 0.
type Liar = Box<dyn Fn(&str, usize) -> Option<Lie> + Send>;

/// A server with one mailbox.
struct Server {
    port: u16,
    /// What was asked of it.
    commands: Receiver<String>,
    mail: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl Server {
    fn start(capabilities: &'static str, messages: u32, liar: Liar) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, commands) = channel();
        let mail: BTreeMap<u32, String> =
            (1..=messages).map(|uid| (uid * 10, format!("Subject: {}\r\n\r\nx\r\n", uid * 10))).collect();
        let mail = Arc::new(Mutex::new(mail));
        let theirs = Arc::clone(&mail);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                // The peer may be gone in the midst of anything.
                drop(converse(&stream, number, capabilities, &theirs, &liar, &sender));
            }
        });
        Self { port, commands, mail }
    }

    fn honest(messages: u32) -> Self {
        Self::start("MOVE IDLE AUTH=PLAIN", messages, Box::new(|_, _| None))
    }

    fn settings(&self) -> Imap {
        Imap {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: Tls::None,
            user: "noc".to_owned(),
            password: Secret::new("a \"word\"".to_owned()),
            mailbox: "INBOX".to_owned(),
            archive: "Archive".to_owned(),
        }
    }

    /// Until every message is moved.
    fn until_empty(&self) {
        let begun = Stopwatch::start();
        while !self.mail.lock().unwrap().is_empty() {
            assert!(begun.elapsed() < LONG);
            thread::yield_now();
        }
    }

    fn until_asked(&self, beginning: &str) {
        while !self.commands.recv_timeout(LONG).unwrap().starts_with(beginning) {}
    }
}

fn converse(
    mut stream: &TcpStream,
    number: usize,
    capabilities: &str,
    mail: &Mutex<BTreeMap<u32, String>>,
    liar: &Liar,
    commands: &mpsc::Sender<String>,
) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    if !tell(stream, "", liar("greeting", number), "* OK at your service\r\n")? {
        return Ok(());
    }
    while let Some(line) = lines.next().transpose()? {
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        drop(commands.send(command.to_owned()));
        let lie = liar(command, number);
        let answer = || answer(tag, command, capabilities, &mut mail.lock().unwrap());
        let answer = if lie.is_none() { answer() } else { String::new() };
        if !tell(stream, tag, lie, &answer)? {
            return Ok(());
        }
        match command {
            "IDLE" => {
                lines.next().transpose()?;
                write!(stream, "{tag} OK\r\n")?;
            }
            "AUTHENTICATE PLAIN" => {
                assert_eq!(lines.next().transpose()?.as_deref(), Some("AG5vYwBhICJ3b3JkIg=="));
                write!(stream, "{tag} OK\r\n")?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Says the answer, or lies. `false` if the conversation is over.
fn tell(mut stream: &TcpStream, tag: &str, lie: Option<Lie>, answer: &str) -> io::Result<bool> {
    match lie {
        None => stream.write_all(answer.as_bytes())?,
        Some(Lie::Say(words)) => stream.write_all(words.replace("TAG", tag).as_bytes())?,
        Some(Lie::Drop) => return Ok(false),
        Some(Lie::Hang) => {
            // Until the peer has had enough.
            io::copy(&mut &*stream, &mut io::sink())?;
            return Ok(false);
        }
        Some(Lie::Flood(words)) => {
            let many = words.repeat(1_000);
            while stream.write_all(many.as_bytes()).is_ok() {}
            return Ok(false);
        }
    }
    Ok(true)
}

fn answer(tag: &str, command: &str, capabilities: &str, mail: &mut BTreeMap<u32, String>) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    match words.as_slice() {
        ["CAPABILITY"] => format!("* CAPABILITY IMAP4rev1 {capabilities}\r\n{tag} OK done\r\n"),
        ["SELECT", ..] => format!("* {} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK\r\n", mail.len()),
        ["FETCH", range, ..] => {
            let (from, to) = range.split_once(':').unwrap();
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            let lines = mail.iter().enumerate().skip(from - 1).take(to + 1 - from);
            let lines =
                lines.map(|(at, (uid, text))| format!("* {} FETCH (UID {uid} RFC822.SIZE {})\r\n", at + 1, text.len()));
            lines.collect::<String>() + &format!("{tag} OK\r\n")
        }
        ["UID", "FETCH", uid, _, what] => {
            let text = &mail[&uid.parse().unwrap()];
            let name = if what.contains("HEADER") { "BODY[HEADER]<0>" } else { "BODY[]" };
            format!("* 1 FETCH (UID {uid} {name} {{{}}}\r\n{text})\r\n{tag} OK\r\n", text.len())
        }
        ["UID", "MOVE" | "EXPUNGE", uids, ..] => {
            let moved = uids.split(',').filter(|uid| mail.remove(&uid.parse().unwrap()).is_some());
            moved.map(|_| "* 1 EXPUNGE\r\n").collect::<String>() + &format!("{tag} OK\r\n")
        }
        ["IDLE" | "AUTHENTICATE", ..] => "+ go on\r\n".to_owned(),
        _ => format!("{tag} OK\r\n"),
    }
}

fn patience() -> Patience {
    Patience {
        connect: LONG,
        command: LONG,
        message: LONG,
        poll: SHORT,
        idle: SHORT,
        back_off: Duration::from_millis(20),
        back_off_end: SHORT,
        again: Duration::from_millis(400),
    }
}

fn one_by_one(take: impl Fn(Parcel) -> Taken + Send + 'static) -> Deliver {
    Box::new(move |parcels| parcels.into_iter().map(&take).collect())
}

/// An engine, and the subjects of what it hands on.
fn run(server: &Server, patience: Patience) -> (MailInEngine, Receiver<String>) {
    let (sender, parcels) = channel();
    let deliver = one_by_one(move |parcel: Parcel| {
        let raw = String::from_utf8(parcel.raw).unwrap();
        let subject = raw.lines().next().unwrap().trim_start_matches("Subject: ").to_owned();
        let subject = if parcel.whole { subject } else { format!("head of {subject}") };
        sender.send(subject).map_or(Taken::Later, |()| Taken::Stored)
    });
    (start_with(server.settings(), RootCertStore::empty(), patience, deliver).unwrap(), parcels)
}

fn next(parcels: &Receiver<String>) -> String {
    parcels.recv_timeout(LONG).unwrap()
}

fn until(engine: &MailInEngine, holds: impl Fn(&Status) -> bool) {
    let begun = Stopwatch::start();
    while !holds(&engine.status()) {
        assert!(begun.elapsed() < LONG, "{:?}", engine.status());
        thread::yield_now();
    }
}

fn until_fault(engine: &MailInEngine, words: &str) {
    until(engine, |status| status.fault.as_ref().is_some_and(|fault| fault.contains(words)));
}

/// Everything arrives, once and in order, although the server lies like this on its first connection.
fn survives(lie: fn(&str) -> Option<Lie>, patience: Patience) {
    let server = Server::start(
        "MOVE IDLE AUTH=PLAIN",
        3,
        Box::new(move |command, connection| lie(command).filter(|_| connection == 0)),
    );
    let (engine, parcels) = run(&server, patience);
    assert_eq!([next(&parcels), next(&parcels), next(&parcels)], ["10", "20", "30"]);
    until(&engine, |status| status.taken == 3 && status.connected && status.left.is_empty());
    server.until_empty();
    assert!(parcels.try_recv().is_err(), "each once");
}

#[test]
fn all_messages_are_taken_in_order_and_moved() {
    let server = Server::honest(250);
    let (engine, parcels) = run(&server, patience());
    for number in 1..=250 {
        assert_eq!(next(&parcels), (number * 10).to_string());
    }
    until(&engine, |status| status.taken == 250);
    server.until_empty();
}

#[test]
fn a_server_without_idle_move_or_plain_is_asked_again_and_again() {
    let server = Server::start("UIDPLUS", 1, Box::new(|_, _| None));
    let (engine, parcels) = run(&server, patience());
    assert_eq!(next(&parcels), "10");
    until(&engine, |status| status.taken == 1);
    server.until_empty();
    let commands: Vec<String> = server.commands.try_iter().collect();
    let moving = ["UID COPY 10 \"Archive\"", "UID STORE 10 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 10"];
    assert!(commands.windows(3).any(|three| three == moving), "{commands:?}");
    assert!(commands.contains(&"LOGIN \"noc\" \"a \\\"word\\\"\"".to_owned()), "{commands:?}");
    server.until_asked("NOOP");
    server.until_asked("NOOP");
}

#[test]
fn idle_is_renewed_and_ends_with_news() {
    let news = |command: &str, connection: usize| {
        let idles = command == "IDLE" && connection == 0;
        idles.then(|| Lie::Say("+ idling\r\n* 1 EXISTS\r\n".to_owned()))
    };
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 0, Box::new(news));
    let (_engine, parcels) = run(&server, Patience { idle: LONG, ..patience() });
    server.until_asked("IDLE");
    server.mail.lock().unwrap().insert(5, "Subject: news\r\n\r\n".to_owned());
    assert_eq!(next(&parcels), "news");
    let quiet = Server::honest(0);
    let (_engine, _parcels) = run(&quiet, patience());
    for _ in 0..3 {
        quiet.until_asked("IDLE");
    }
}

#[test]
fn a_server_that_hangs_is_left() {
    let hasty = Patience { command: SHORT, message: SHORT, ..patience() };
    survives(|command| (command == "greeting").then_some(Lie::Hang), hasty);
    survives(|command| (command == "AUTHENTICATE PLAIN").then_some(Lie::Hang), hasty);
    survives(|command| command.starts_with("FETCH").then_some(Lie::Hang), hasty);
    survives(|command| command.starts_with("UID FETCH 20").then_some(Lie::Hang), hasty);
    survives(|command| command.starts_with("UID MOVE").then_some(Lie::Hang), hasty);
    survives(|command| command.starts_with("IDLE").then_some(Lie::Hang), hasty);
}

#[test]
fn a_server_that_hangs_up_is_called_again() {
    survives(|command| (command == "greeting").then_some(Lie::Drop), patience());
    survives(|command| command.starts_with("SELECT").then_some(Lie::Drop), patience());
    survives(|command| command.starts_with("UID FETCH 20").then_some(Lie::Drop), patience());
    survives(|command| command.starts_with("UID MOVE").then_some(Lie::Drop), patience());
    survives(|command| (command == "IDLE").then(|| Lie::Say("* BYE tired\r\n".to_owned())), patience());
}

#[test]
fn what_is_no_imap_is_a_fault() {
    for words in ["HTTP/1.1 400 Bad Request\r\n", "* NO\r\n", "\r\n", "* BYE\r\n", "\0\0\0\n", "NX OK\r\n"] {
        let server = Server::start(
            "MOVE",
            1,
            Box::new(|command, _| (command == "greeting").then(|| Lie::Say(words.to_owned()))),
        );
        let (engine, _parcels) = run(&server, patience());
        until_fault(&engine, "it greets with");
    }
    survives(|command| command.starts_with("FETCH").then(|| Lie::Say("X OK\r\n".to_owned())), patience());
    survives(|command| command.starts_with("FETCH").then(|| Lie::Say("TAG PERHAPS\r\n".to_owned())), patience());
    survives(|command| command.starts_with("UID FETCH 10").then(|| Lie::Say("+\r\n".to_owned())), patience());
}

#[test]
fn what_has_no_end_is_broken_off() {
    survives(
        |command| command.starts_with("FETCH").then_some(Lie::Flood("* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n")),
        patience(),
    );
    survives(|command| (command == "CAPABILITY").then_some(Lie::Flood("* CAPABILITY IMAP4rev1 ")), patience());
    survives(|command| command.starts_with("SELECT").then_some(Lie::Flood("* 4294967295 EXISTS\r\n")), patience());
}

#[test]
fn a_mailbox_that_is_said_to_be_full_and_lists_nothing_ends() {
    let full = |command: &str, _| {
        command.starts_with("SELECT").then(|| Lie::Say("* 4294967295 EXISTS\r\nTAG OK\r\n".to_owned()))
    };
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 2, Box::new(full));
    let (_engine, parcels) = run(&server, patience());
    assert_eq!([next(&parcels), next(&parcels)], ["10", "20"]);
    server.until_asked("IDLE");
}

#[test]
fn a_message_that_is_larger_than_said_comes_as_its_head() {
    survives_one(
        "UID FETCH 20 (UID BODY.PEEK[])",
        &format!("* 1 FETCH (UID 20 BODY[] {{{}}}\r\n", MAX_MESSAGE + 1),
        ["10", "head of 20", "30"],
    );
}

#[test]
fn of_a_message_that_is_too_large_only_the_head_is_fetched() {
    let list = format!("* 1 FETCH (UID 10 RFC822.SIZE {})\r\nTAG OK\r\n", MAX_MESSAGE + 1);
    let lie = move |command: &str, _| (command == "FETCH 1:1 (UID RFC822.SIZE)").then(|| Lie::Say(list.clone()));
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 1, Box::new(lie));
    let (_engine, parcels) = run(&server, patience());
    assert_eq!(next(&parcels), "head of 10");
}

fn survives_one(command: &'static str, lie: &str, wanted: [&str; 3]) {
    let lie = lie.to_owned();
    let liar = move |asked: &str, _| (asked == command).then(|| Lie::Say(lie.clone()));
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 3, Box::new(liar));
    let (engine, parcels) = run(&server, patience());
    assert_eq!([next(&parcels), next(&parcels), next(&parcels)], wanted);
    until(&engine, |status| status.taken == 3);
}

#[test]
fn a_message_that_can_not_be_fetched_holds_up_no_other_and_is_tried_again() {
    for lie in ["TAG NO [SERVERBUG] broken\r\n", "TAG OK\r\n", "* 1 FETCH (UID 20 BODY[] NIL)\r\nTAG OK\r\n", "bye"] {
        let broken = Arc::new(AtomicBool::new(true));
        let still = Arc::clone(&broken);
        let liar = move |command: &str, _| {
            let lies = command.starts_with("UID FETCH 20") && still.load(Ordering::SeqCst);
            lies.then(|| if lie == "bye" { Lie::Drop } else { Lie::Say(lie.to_owned()) })
        };
        let server = Server::start("MOVE IDLE AUTH=PLAIN", 3, Box::new(liar));
        let (engine, parcels) = run(&server, patience());
        assert_eq!([next(&parcels), next(&parcels)], ["10", "30"], "{lie}");
        until(&engine, |status| status.left.iter().map(|(uid, _)| *uid).eq([20]));
        broken.store(false, Ordering::SeqCst);
        assert_eq!(next(&parcels), "20", "{lie}");
        until(&engine, |status| status.left.is_empty() && status.taken == 3);
    }
}

#[test]
fn what_is_taken_and_not_moved_is_not_handed_on_again() {
    for lie in ["TAG NO [OVERQUOTA] full\r\n", "TAG OK\r\n"] {
        let liar = move |command: &str, _| command.starts_with("UID MOVE 10").then(|| Lie::Say(lie.to_owned()));
        let server = Server::start("MOVE IDLE AUTH=PLAIN", 1, Box::new(liar));
        let (engine, parcels) = run(&server, patience());
        assert_eq!(next(&parcels), "10");
        until(&engine, |status| status.left.len() == 1);
        // It is tried again and again.
        server.until_asked("UID MOVE");
        server.until_asked("UID MOVE");
        assert!(parcels.try_recv().is_err(), "{lie}");
    }
}

#[test]
fn a_missing_archive_is_made() {
    let made = AtomicBool::new(false);
    let liar = move |command: &str, _| {
        if command == "CREATE \"Archive\"" {
            made.store(true, Ordering::SeqCst);
        }
        let misses = command.starts_with("UID MOVE") && !made.load(Ordering::SeqCst);
        misses.then(|| Lie::Say("TAG NO [TRYCREATE] no such mailbox\r\n".to_owned()))
    };
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 1, Box::new(liar));
    let (engine, parcels) = run(&server, patience());
    assert_eq!(next(&parcels), "10");
    until(&engine, |status| status.taken == 1);
}

#[test]
fn a_refusal_is_told_in_words_and_tried_again() {
    let refuse = |words: &'static str| {
        move |command: &str, _| command.starts_with(words).then(|| Lie::Say("TAG NO [X] not you\r\n".to_owned()))
    };
    let closed = Server::start("MOVE", 1, Box::new(refuse("LOGIN")));
    let (engine, _parcels) = run(&closed, patience());
    until_fault(&engine, "it does not let us in: [X] not you");
    closed.until_asked("LOGIN");
    closed.until_asked("LOGIN");
    let shut = Server::start("MOVE", 1, Box::new(refuse("SELECT")));
    let (engine, _parcels) = run(&shut, patience());
    until_fault(&engine, "it does not open the mailbox: [X] not you");
    let poor = Server::start("IDLE", 1, Box::new(|_, _| None));
    let (engine, _parcels) = run(&poor, patience());
    until_fault(&engine, "neither MOVE nor UIDPLUS");
}

#[test]
fn a_server_that_is_away_is_a_fault_until_it_is_back() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = Imap { port, ..Server::honest(0).settings() };
    let engine = start_with(settings, RootCertStore::empty(), patience(), one_by_one(|_| Taken::Stored)).unwrap();
    until_fault(&engine, "refused");
    assert!(!engine.status().connected);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert!(listener.accept().is_ok(), "it calls again");
}

#[test]
fn while_nothing_can_be_stored_messages_stay_and_come_again() {
    let server = Server::honest(2);
    let (sender, parcels) = channel();
    let deliver = one_by_one(move |parcel: Parcel| {
        let raw = String::from_utf8(parcel.raw).unwrap();
        sender.send(raw.lines().next().unwrap().to_owned()).unwrap();
        // The receiver says when.
        if raw.starts_with("Subject: 10") && sender_is_early(&raw) { Taken::Later } else { Taken::Stored }
    });
    let engine = start_with(server.settings(), RootCertStore::empty(), patience(), deliver).unwrap();
    // The second one waits for nobody.
    let heard: Vec<String> = (0..4).map(|_| next(&parcels)).collect();
    assert_eq!(heard, ["Subject: 10", "Subject: 20", "Subject: 10", "Subject: 10"]);
    until(&engine, |status| status.taken == 2);
}

/// True the first two times.
fn sender_is_early(_raw: &str) -> bool {
    use std::cell::Cell;
    thread_local!(static TIMES: Cell<u32> = const { Cell::new(0) });
    TIMES.with(|times| {
        times.set(times.get() + 1);
        times.get() <= 2
    })
}

#[test]
fn a_stop_takes_less_than_two_seconds_whatever_the_server_and_the_store_do() {
    let limit = Duration::from_secs(2);
    let hanging = Server::start("MOVE", 1, Box::new(|command, _| (command == "greeting").then_some(Lie::Hang)));
    let (engine, _parcels) = run(&hanging, patience());
    let stop = Stopwatch::start();
    drop(engine);
    assert!(stop.elapsed() < limit);
    let server = Server::honest(1);
    let (sender, taken) = channel();
    let (_never, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let deliver = one_by_one(move |_parcel| {
        sender.send(()).unwrap();
        wait.lock().unwrap().recv_timeout(LONG).unwrap_or_default();
        Taken::Later
    });
    let engine = start_with(server.settings(), RootCertStore::empty(), patience(), deliver).unwrap();
    taken.recv_timeout(LONG).unwrap();
    let stop = Stopwatch::start();
    drop(engine);
    assert!(stop.elapsed() < limit);
}

#[test]
fn a_stop_in_the_midst_of_a_batch_moves_it_first() {
    let many = u32::try_from(MAX_BATCH).unwrap() + 5;
    let server = Server::honest(many);
    let (sender, begun) = channel();
    let (go_on, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let deliver = Box::new(move |parcels: Vec<Parcel>| {
        sender.send(parcels.len()).unwrap();
        wait.lock().unwrap().recv_timeout(LONG).unwrap_or_default();
        vec![Taken::Stored; parcels.len()]
    });
    let engine = start_with(server.settings(), RootCertStore::empty(), patience(), deliver).unwrap();
    assert_eq!(begun.recv_timeout(LONG).unwrap(), MAX_BATCH);
    let stopping = thread::spawn(move || drop(engine));
    // It is told to stop while the messages are being stored.
    thread::sleep(SHORT);
    go_on.send(()).unwrap();
    stopping.join().unwrap();
    let rest: Vec<u32> = server.mail.lock().unwrap().keys().copied().collect();
    assert_eq!(rest, (many - 4..=many).map(|number| number * 10).collect::<Vec<_>>());
    assert!(begun.try_recv().is_err(), "no other was begun");
}

#[test]
fn a_batch_is_moved_together_and_one_by_one_where_the_server_does_not_want_that() {
    let server = Server::honest(3);
    let (engine, parcels) = run(&server, patience());
    until(&engine, |status| status.taken == 3);
    server.until_empty();
    server.until_asked("UID MOVE 10,20,30 \"Archive\"");
    assert_eq!(parcels.try_iter().count(), 3);

    let picky = |command: &str, _| {
        let refuses = command.starts_with("UID MOVE 10,20,30") || command.starts_with("UID MOVE 20 ");
        refuses.then(|| Lie::Say("TAG NO [LIMIT] not that\r\n".to_owned()))
    };
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 3, Box::new(picky));
    let (engine, parcels) = run(&server, patience());
    until(&engine, |status| status.taken == 3 && status.left.iter().map(|(uid, _)| *uid).eq([20]));
    assert_eq!(server.mail.lock().unwrap().keys().copied().collect::<Vec<_>>(), [20]);
    assert_eq!(parcels.try_iter().count(), 3, "each once");
}

#[test]
fn a_server_that_breaks_off_after_a_few_messages_is_emptied_all_the_same() {
    let fetched = Mutex::new(0);
    let tired = move |command: &str, _| {
        let mut fetched = fetched.lock().unwrap();
        *fetched += u32::from(command.starts_with("UID FETCH"));
        // Every fourth one.
        (command.starts_with("UID FETCH") && fetched.is_multiple_of(4)).then_some(Lie::Drop)
    };
    let server = Server::start("MOVE IDLE AUTH=PLAIN", 20, Box::new(tired));
    let (engine, parcels) = run(&server, patience());
    let mut heard: Vec<u32> = (0..20).map(|_| next(&parcels).parse().unwrap()).collect();
    until(&engine, |status| status.taken == 20);
    server.until_empty();
    heard.sort_unstable();
    assert_eq!(heard, (1..=20).map(|number| number * 10).collect::<Vec<_>>());
    assert!(parcels.try_recv().is_err(), "each once");
}
