//! Messages as they come, and what is read of them.
//!
//! Each `corpus/NAME.eml` was written for this and has its reading beside it, in `corpus/NAME.snap`.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod decisions;

use ntuwatch::domain::mail::{Attachment, Fate, MAX_MESSAGE, Message, Nature, Unreadable};
use ntuwatch::engine::mail_in::{Us, read};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Messages that there are at least.
const CORPUS: usize = 60;
/// Of a long text so many characters are shown.
const SHOWN: usize = 600;

fn us() -> Us {
    Us {
        addresses: vec!["noc@example.net".to_owned()],
        authserv_id: Some("mx.example.net".to_owned()),
        domain: "example.net".to_owned(),
    }
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/corpus");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "eml")).collect();
    files.sort();
    files
}

/// A reading, for people.
fn words(reading: &Result<Message, Unreadable>) -> String {
    let message = match reading {
        Ok(message) => message,
        Err(why) => return format!("unreadable: {}", why.name()),
    };
    let mut words = String::new();
    let mut line = |name: &str, value: &str| writeln!(words, "{name:<11} {value}").unwrap();
    line("from", message.from.as_deref().unwrap_or("(nobody for sure)"));
    line("message id", message.message_id.as_deref().unwrap_or("-"));
    message.answers.iter().take(3).for_each(|id| line("answers", id));
    if message.answers.len() > 3 {
        line("answers", &format!("{} in all", message.answers.len()));
    }
    message.recipients.iter().for_each(|recipient| line("to", recipient));
    line("subject", &message.subject);
    line("authentic", message.authentic.name());
    match &message.nature {
        Nature::Person => line("nature", "person"),
        Nature::Automatic(how) => line("nature", how.name()),
        Nature::Own => line("nature", "own"),
        Nature::Report(fates) => fates.iter().for_each(|fate| line("report", &fate_words(fate))),
    }
    message.attachments.iter().take(5).for_each(|one| line("attachment", &attachment_words(one)));
    if message.attachments.len() > 5 {
        line("attachment", &format!("{} in all", message.attachments.len()));
    }
    let shown: String = message.text.chars().take(SHOWN).collect();
    write!(words, "text, {} bytes:\n{shown}", message.text.len()).unwrap();
    words
}

fn fate_words(fate: &Fate) -> String {
    let letter = fate.letter.as_deref().unwrap_or("?");
    format!("{:?} for {} [{}] of {letter}: {}", fate.action, fate.recipient, fate.status, fate.why)
}

fn attachment_words(attachment: &Attachment) -> String {
    format!("{:?}, {}, {} bytes", attachment.name, attachment.media_type, attachment.size)
}

#[test]
fn every_message_of_the_corpus_is_read_as_it_is_meant() {
    let files = corpus();
    assert!(files.len() >= CORPUS, "{} messages", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("corpus");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            insta::assert_snapshot!(name, words(&read(&fs::read(file).unwrap(), &us())));
        }
    });
}

#[test]
fn the_largest_message_is_read_and_a_larger_one_refused() {
    let mut raw = b"From: jane@acme.example\r\nSubject: large\r\n\r\n".to_vec();
    raw.resize(MAX_MESSAGE, b'x');
    assert_eq!(read(&raw, &us()).unwrap().subject, "large");
    raw.push(b'x');
    assert_eq!(read(&raw, &us()), Err(Unreadable::TooLarge));
}

/// What would take for ever, or a stack without an end, if somebody counted on it to be small.
#[test]
fn bombs_of_the_largest_size_are_read() {
    let fill = |head: &str, again: &str| {
        let mut raw = format!("From: jane@acme.example\n{head}").into_bytes();
        raw.extend(again.as_bytes().iter().copied().cycle().take(MAX_MESSAGE - raw.len()));
        raw
    };
    let multipart = "Content-Type: multipart/mixed; boundary=b\n\n";
    for raw in [
        fill("", "Content-Type: message/rfc822\n\n"),
        fill("", "X: y\n"),
        fill(multipart, "--b\n\n"),
        fill(multipart, "--b\nContent-Type: multipart/mixed; boundary=b\n\n"),
        fill("Content-Type: text/html\n\n", "<script><!--<a b=\"<blockquote type=cite>"),
        fill("Content-Type: text/html\n\n", "<script"),
        fill("Content-Type: text/plain; format=flowed\n\n", "> >>> \n"),
        fill("\n", "From: x\n"),
        fill("\n", "x wrote:\n> y\n"),
        fill("To: ", "((((\"<a@b>,"),
        fill("Content-Type: ", "multipart/mixed; boundary=\"b\"; a*0*=b; "),
        fill("Subject: ", "=?utf-8?Q?=41?= "),
        fill(
            "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n",
            "Action: failed\nFinal-Recipient: x;y\n\n",
        ),
    ] {
        let message = read(&raw, &us()).unwrap();
        assert!(message.attachments.len() <= 64);
    }
}
