//! The mail server: postfix's smtp-sink, and the letters that it took.

use crate::daemon::until;
use crate::net::{Net, Place};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::SystemTime;

pub(crate) const PORT: u16 = 2525;

/// Words by which the last line of a letter is known.
const ENDS: [&str; 8] = [
    "so that it reaches this case",
    "ntuwatch case explain",
    // Of a reason for outage.
    "ask us to verify it, or for that form.",
    // Of an umbrella's.
    "if it is about one line only.",
    "gets one letter about all of them.",
    // Of a maintenance's.
    " (order ",
    // Of an alarm's.
    "opens no case.",
    "All clear after ",
];

/// A running smtp-sink. Dropping it kills it.
pub(crate) struct Sink {
    process: Child,
}

impl Sink {
    /// Starts one at the monitor's place that writes each letter to a file in `folder`.
    pub(crate) fn start(net: &Net, folder: &Path, options: &[&str]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut command = net.command(Place::Monitor, "/usr/sbin/smtp-sink");
        command.args(["-u", "root", "-d", "letter."]).args(options);
        command.args([&format!("127.0.0.1:{PORT}"), "100"]).current_dir(folder);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let sink = Self { process };
        let listens = format!(":{PORT:04X} 00000000:0000 0A ");
        until("a mail server", || {
            let table = fs::read_to_string(format!("/proc/{}/net/tcp", sink.process.id())).ok()?;
            table.contains(&listens).then_some(())
        });
        sink
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A letter as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    headers: HashMap<String, Vec<String>>,
    pub(crate) body: String,
    arrived: SystemTime,
}

impl Letter {
    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let arrived = fs::metadata(file).ok()?.modified().ok()?;
        let (head, body) = text.split_once("\n\n")?;
        let mut headers: HashMap<String, Vec<String>> = HashMap::new();
        for line in head.replace("\n\t", " ").replace("\n ", " ").lines() {
            let (name, value) = line.split_once(':')?;
            headers.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        let letter = Self { headers, body: readable(body), arrived };
        // One that broke off did not arrive.
        let last = letter.body.trim_end().lines().last()?;
        ENDS.iter().any(|end| last.contains(end)).then_some(letter)
    }

    /// The header of this name, which must be there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        match self.headers.get(&name.to_ascii_lowercase()).map(Vec::as_slice) {
            Some([value]) => value,
            other => panic!("{name}: {other:?} in {self:#?}"),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(&name.to_ascii_lowercase())
    }

    /// The names of all headers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(String::as_str)
    }

    pub(crate) fn id(&self) -> &str {
        self.header("Message-ID")
    }

    pub(crate) fn to(&self) -> &str {
        self.header("To")
    }

    /// The letter's kind and number, and what it is about, as its Message-ID has them: `REFERENCE.kind.number` for one about
    /// a case, and the parts of another thread's key with `=` between them for the rest.
    pub(crate) fn mark(&self) -> String {
        let parts: Vec<&str> = self.id().trim_start_matches('<').split('.').collect();
        parts[..3].join(".")
    }
}

/// Quoted-printable (RFC 2045, section 6.7) undone. Tests have ASCII only, but for `=`.
fn readable(body: &str) -> String {
    body.replace("=\n", "").replace("=3D", "=")
}

/// All letters in a folder, in the order of their arrival.
pub(crate) fn letters(folder: &Path) -> Vec<Letter> {
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut letters: Vec<Letter> = files.iter().filter_map(|file| Letter::read(file)).collect();
    letters.sort_by_key(|letter| letter.arrived);
    letters
}
