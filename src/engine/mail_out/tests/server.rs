//! A mail server that says what the test wants.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

/// How the server takes a command. The greeting is asked for by `HI`, the end of a letter comes as `.`.
pub(super) enum Answer {
    /// Says this.
    Say(&'static str),
    /// Closes the connection.
    Drop,
    /// Says nothing until the client gives up.
    Stall,
}

/// From the number of the connection, counted from 1, and the first word of a command.
pub(super) type Script = Box<dyn Fn(usize, &str) -> Answer + Send + Sync>;

/// TLS as the server offers it.
#[derive(Clone)]
pub(super) enum Offer {
    None,
    StartTls(Arc<ServerConfig>),
    Wrapped(Arc<ServerConfig>),
}

/// A running server.
pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    commands: Vec<String>,
    letters: Vec<String>,
    /// How many of them came in one piece, final dot and all.
    whole: usize,
}

/// What a polite server says.
pub(super) fn polite(command: &str) -> Answer {
    Answer::Say(match command {
        "HI" => "220 mx.example ESMTP",
        "EHLO" => "250 mx.example",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "250 ok",
    })
}

impl Server {
    pub(super) fn start(script: Script) -> Self {
        Self::offering(Offer::None, script)
    }

    pub(super) fn offering(offer: Offer, script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (script, theirs) = (Arc::new(script), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = {
                    let mut seen = theirs.lock().expect("no panic");
                    seen.connections += 1;
                    seen.connections
                };
                let (script, seen, offer) = (Arc::clone(&script), Arc::clone(&theirs), offer.clone());
                thread::spawn(move || converse(Box::new(stream), offer, &|command| script(number, command), &seen));
            }
        });
        Self { port, seen }
    }

    /// Polite, but that `command` gets this answer.
    pub(super) fn answering(command: &'static str, answer: fn() -> Answer) -> Self {
        Self::start(Box::new(move |_, given| if given == command { answer() } else { polite(given) }))
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.lock().expect("no panic").connections
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").commands.clone()
    }

    /// The letters it took.
    pub(super) fn letters(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").letters.clone()
    }

    /// How many letters came in one piece, final dot and all.
    pub(super) fn whole(&self) -> usize {
        self.seen.lock().expect("no panic").whole
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

type Reader = BufReader<Box<dyn Stream>>;

fn encrypted(config: Arc<ServerConfig>, stream: Box<dyn Stream>) -> Box<dyn Stream> {
    Box::new(StreamOwned::new(ServerConnection::new(config).expect("a server"), stream))
}

/// One connection, until either side has had enough.
fn converse(
    mut stream: Box<dyn Stream>,
    offer: Offer,
    script: &dyn Fn(&str) -> Answer,
    seen: &Mutex<Seen>,
) -> Option<()> {
    if let Offer::Wrapped(config) = &offer {
        stream = encrypted(Arc::clone(config), stream);
    }
    let mut reader: Reader = BufReader::new(stream);
    let mut command = "HI".to_owned();
    loop {
        let answer = script(&command);
        let listens_to_a_letter = matches!(answer, Answer::Say(words) if words.starts_with("354"));
        match answer {
            Answer::Say(words) => reader
                .get_mut()
                .write_all(format!("{words}\r\n").as_bytes())
                .and_then(|()| reader.get_mut().flush())
                .ok()?,
            Answer::Drop => return None,
            Answer::Stall => {
                reader.read_to_end(&mut Vec::new()).ok()?;
                return None;
            }
        }
        if command == "QUIT" {
            return None;
        }
        if let Offer::StartTls(config) = &offer
            && command == "STARTTLS"
        {
            reader = BufReader::new(encrypted(Arc::clone(config), reader.into_inner()));
        }
        command = if listens_to_a_letter {
            let whole = reader.fill_buf().ok()?.ends_with(b"\r\n.\r\n");
            let letter = data(&mut reader)?;
            let mut seen = seen.lock().expect("no panic");
            seen.letters.push(letter);
            seen.whole += usize::from(whole);
            ".".to_owned()
        } else {
            let line = line(&mut reader)?;
            let verb = line.split([' ', '\r']).next()?.to_owned();
            seen.lock().expect("no panic").commands.push(line.trim_end().to_owned());
            verb
        };
    }
}

fn line(reader: &mut Reader) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then_some(line)
}

/// A letter up to its final dot, as it was before it was stuffed with dots.
fn data(reader: &mut Reader) -> Option<String> {
    let mut letter = String::new();
    loop {
        let line = line(reader)?;
        if line == ".\r\n" {
            return Some(letter);
        }
        letter.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
