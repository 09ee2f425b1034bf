//! What is decided on each message of the corpus, by a watch over two lines of Acme's, one of which has a case.

use super::{corpus, us};
use ntuwatch::domain::desk::{Channel, LetterKind, LetterMark, MailOutcome, Reference, Report, Subject, Tenant};
use ntuwatch::domain::letter::{LetterLabel, Thread};
use ntuwatch::domain::mail::{Incoming, KnownCase, Message, Nature, Unreadable};
use ntuwatch::domain::time::Time;
use ntuwatch::domain::turn::{Input, Request, Turn, Wish};
use ntuwatch::domain::watch::{Saved, Watch};
use ntuwatch::engine::mail_in::read;
use ntuwatch::story::Story;
use std::fs;

/// Message-ID of our letter to Jane about the first line's case, in all messages that answer it.
const LETTER: &str = "ntu-0123456789abcdef@example.net";
const JANE: &str = "jane@acme.example";
const START: Time = Time::from_millis(1_700_000_000_000);

fn watch() -> Watch {
    let mut plan = Story::parse("unit acme-lon-1 customer=acme\nunit acme-lon-2 customer=acme\n").unwrap().plan;
    plan.customers[0].email = vec![JANE.to_owned(), "it@acme.example".to_owned()];
    let mut turn = Turn::new(START);
    let mut watch = Watch::start(Saved::default(), &plan, &mut turn);
    let report = Box::new(Report::new(Subject::ServiceDown, Channel::Phone));
    let wish = Wish::Open { unit: "acme-lon-1".to_owned(), report };
    watch.step(Input::Asked(Request { ticket: 1, by: "ann".to_owned(), wish }), &mut turn);
    watch
}

/// Our letters that a message answers or reports on, as the store knows them.
fn letters(message: &Message) -> Vec<LetterLabel> {
    let reported = match &message.nature {
        Nature::Report(fates) => fates.iter().filter_map(|fate| fate.letter.as_deref()).collect(),
        Nature::Person | Nature::Automatic(_) | Nature::Own => Vec::new(),
    };
    let thread = Thread::Case { reference: Reference::from_number(1), unit: "acme-lon-1".to_owned() };
    let mark = LetterMark { kind: LetterKind::Opened, number: 1 };
    let ours = reported.into_iter().chain(message.answers.iter().map(String::as_str)).filter(|id| *id == LETTER);
    ours.map(|_| LetterLabel { id: 1, thread: thread.clone(), mark, to: JANE.to_owned() }).collect()
}

#[test]
fn every_message_of_the_corpus_comes_to_what_it_should() {
    let watch = watch();
    let mut decisions = String::new();
    for file in corpus() {
        let message = read(&fs::read(&file).unwrap(), &us()).map(Box::new);
        let letters = message.as_ref().map(|message| letters(message)).unwrap_or_default();
        let (reference, customer) = (Reference::from_number(1), "acme".to_owned());
        let cases =
            vec![KnownCase { reference, unit: "acme-lon-1".to_owned(), customer, subject: Subject::ServiceDown }];
        let (mut watch, mut turn) = (watch.clone(), Turn::new(START));
        watch.step(
            Input::Mailed(Box::new(Incoming {
                id: 1,
                received_at: START,
                message,
                head: None,
                letters,
                copy_of: None,
                cases,
            })),
            &mut turn,
        );
        let [sorted] = turn.mails.as_slice() else { panic!("{}: {:?}", file.display(), turn.mails) };
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let why = sorted.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        decisions.push_str(&format!("{name:32} {}{why}\n", sorted.outcome.name()));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "." }, {
        insta::assert_snapshot!("decisions", decisions);
    });
}

#[test]
fn one_that_is_too_large_waits_for_people_who_see_whom_it_is_from() {
    let head = read(format!("From: {JANE}\r\nSubject: Re: line\r\nIn-Reply-To: <{LETTER}>\r\n\r\n").as_bytes(), &us());
    let head = Box::new(head.unwrap());
    let letters = letters(&head);
    let (mut watch, mut turn) = (watch(), Turn::new(START));
    let message = Err(Unreadable::TooLarge);
    let incoming =
        Incoming { id: 1, received_at: START, message, head: Some(head), letters, copy_of: None, cases: Vec::new() };
    watch.step(Input::Mailed(Box::new(incoming)), &mut turn);
    let [sorted] = turn.mails.as_slice() else { panic!("{:?}", turn.mails) };
    assert_eq!(sorted.outcome, MailOutcome::Quarantined);
    assert!(sorted.why.as_deref().is_some_and(|why| why.contains("too large")), "{:?}", sorted.why);
    let Some((message, witnesses)) = &sorted.read else { panic!("its head is kept") };
    assert_eq!((message.from.as_deref(), message.subject.as_str()), (Some(JANE), "Re: line"));
    assert_eq!(witnesses.tenant, Tenant::Customer("acme".to_owned()));
    assert!(witnesses.letter.is_some());
}
