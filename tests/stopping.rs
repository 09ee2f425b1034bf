//! A daemon that is told to stop in the midst of its mail sends no letter twice.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

/// The server takes its time to say that it has taken a letter.
const TAKES: Duration = Duration::from_millis(700);

/// Each has a letter for its customer and one for the operations centre: more than the daemon may wait for when it stops.
const UNITS: usize = 12;
/// Letters that are out before the daemon is told to stop. The engine has its hands full by then.
const BEFORE: usize = 6;

/// Nothing answers SNMP on port 9.
fn unit(number: usize) -> String {
    format!(
        r#"
        [[unit]]
        id = "acme-lon-{number}"
        customer = "acme"
        address = "127.0.0.1"
        order = "SO-{number}"
        service = "DIA"
        region = "EMEA"
        ttr = "4h"
        icmp = false
        snmp = {{ version = "2c", community = "public", port = 9 }}
        "#
    )
}

fn serve(stream: TcpStream, taken: &Sender<()>) {
    let mut answers = stream.try_clone().unwrap();
    let mut say = |line: &str| answers.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    say("220 slow.example");
    let mut in_data = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        match (in_data, line.as_str()) {
            (true, ".") => {
                taken.send(()).unwrap();
                thread::sleep(TAKES);
                in_data = false;
                say("250 ok");
            }
            (true, _) => {}
            (false, "DATA") => {
                in_data = true;
                say("354 go on");
            }
            (false, _) => say("250 ok"),
        }
    }
}

#[test]
fn letters_that_the_server_took_while_the_daemon_stops_are_not_sent_again() {
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, taken) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || serve(stream, &sender));
        }
    });
    let config = format!(
        r#"
        [store]
        path = "./ntuwatch.db"
        [http]
        listen = "off"
        socket = "./ntuwatch.sock"
        [detection]
        interval = "200ms"
        timeout = "50ms"
        down_after = "500ms"
        [mail]
        from = "NOC <noc@example.net>"
        noc = ["noc@example.net"]
        smtp = "smtp://127.0.0.1:{port}"
        [[customer]]
        id = "acme"
        name = "Acme"
        email = ["it@acme.example"]
        "#
    );
    let units: String = (1..=UNITS).map(unit).collect();
    let path = home.path().join("ntuwatch.toml");
    fs::write(&path, config + &units).unwrap();
    let program = env!("CARGO_BIN_EXE_ntuwatch");
    let daemon = Command::new(program).arg("run").arg("--config").arg(&path).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap());
    let waited = (0..BEFORE).take_while(|_| taken.recv_timeout(Duration::from_secs(20)).is_ok()).count();
    let started = waited == BEFORE;
    let signalled = kill(pid, Signal::SIGTERM);
    let output = daemon.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    if !started && words.contains("no right to open an ICMP socket") {
        return println!("skipped: no right to ICMP here");
    }
    assert!(started && signalled.is_ok() && output.status.success(), "{words}");
    let db = rusqlite::Connection::open(home.path().join("ntuwatch.db")).unwrap();
    let states: Vec<String> =
        db.prepare("SELECT state FROM letters").unwrap().query_map([], |row| row.get(0)).unwrap().flatten().collect();
    let sent = states.iter().filter(|state| *state == "sent").count();
    assert_eq!((states.len(), sent), (2 * UNITS, BEFORE + taken.try_iter().count()));
}
