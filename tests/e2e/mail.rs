//! Mail servers that are away, put off, and come back; and names that would like to be headers.

use crate::daemon::until;
use crate::net::{Net, V4};
use crate::post::{Letter, Sink};
use crate::world::{Setup, World, unit};
use serde_json::Value;

/// What a letter's head may consist of; smtp-sink adds those with an X and `Received`.
const HEADERS: [&str; 19] = [
    "auto-submitted",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "subject",
    "to",
    "x-auto-response-suppress",
    "x-client-addr",
    "x-client-proto",
    "x-helo-args",
    "x-loop",
    "x-mail-args",
    "x-rcpt-args",
];
const ODD: &str =
    r#""Bcc: x@evil.example <y@evil.example>, =?utf-8?q?=0D=0ABcc:_z@evil.example?= \"'%n;\u2028Bcc: w@evil.example""#;

/// What the daemon says of a case's letters: kind, state, attempts and the server's last word.
fn fates(world: &World, reference: &str) -> Vec<(String, String, u64, String)> {
    let case = until("a case", || world.json(&format!("/api/cases/{reference}")));
    let word = |letter: &Value, key: &str| letter[key].as_str().unwrap_or_default().to_owned();
    let letters = case["letters"].as_array().unwrap().iter();
    letters
        .map(|letter| {
            let attempts = letter["attempts"].as_u64().unwrap();
            (word(letter, "kind"), word(letter, "state"), attempts, word(letter, "error"))
        })
        .collect()
}

#[test]
fn letters_wait_for_their_server_and_keep_their_order() {
    let Some(net) = Net::raise() else { return };
    let folder = tempfile::tempdir().unwrap();
    // The order's number stands in the subject.
    let odd = unit("odd", V4[0], "").replace("\"SO-odd\"", ODD);
    let setup = Setup { units: vec![odd], customer: ODD, rfo: "on_request", ..Setup::default() };
    let Some(mut world) = World::with(net, folder, None, &setup) else { return };
    world.wait_for_verdict("odd", "UP");
    world.net.kill(&V4[..1]);
    let reference = world.wait_for_case("odd", 1, "New")["reference"].as_str().unwrap().to_owned();
    until("a word on the server", || {
        let health = world.health();
        (health["status"] == "degraded" && health.to_string().contains("letters cannot be delivered")).then_some(())
    });
    assert_eq!(world.metric("ntuwatch_letters_queued"), 2.0);

    let letters = world.letters_folder();
    world.sink = Some(Sink::start(&world.net, &letters, &["-r", "RCPT"]));
    until("a server that puts both off", || {
        let fates = fates(&world, &reference);
        let put_off = |(_, state, attempts, error): &(String, String, u64, String)| {
            state == "queued" && *attempts >= 1 && error.contains("command failed")
        };
        fates.iter().filter(|fate| fate.0 == "opened").all(put_off).then_some(())
    });
    // Meanwhile the case goes on, and its next letters wait behind the first.
    world.net.revive(&V4[..1]);
    world.wait_for_case("odd", 1, "Closed");
    assert_eq!(world.metric("ntuwatch_letters_queued"), 6.0);
    assert!(world.letters().is_empty());

    drop(world.sink.take());
    // Slow enough to tell by the files which letter came first.
    world.sink = Some(Sink::start(&world.net, &letters, &["-w", "1"]));
    world.wait_for_empty_outbox();
    let came = world.letters();
    for to in ["it@acme.example", "noc@example.net"] {
        let marks: Vec<String> = came.iter().filter(|letter| letter.to() == to).map(Letter::mark).collect();
        assert_eq!(marks, ["opened.1", "solved.1", "closed.1"].map(|kind| format!("{reference}.{kind}")));
    }
    assert_eq!(came.len(), 6, "each came once");
    for letter in &came {
        let foreign: Vec<&str> = letter.names().filter(|name| !HEADERS.contains(name)).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert_eq!(letter.header("X-Rcpt-Args"), format!("<{}>", letter.to()));
    }
    assert_eq!(world.health()["status"], "ok");
    assert!(fates(&world, &reference).iter().all(|(_, state, _, _)| state == "sent"));
    assert!(world.daemon.stop().0.success());
}
