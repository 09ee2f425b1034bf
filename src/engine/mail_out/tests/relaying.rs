//! What the engine makes of a mail server's answers.

use super::server::{Answer, Server, polite};
use super::{Bench, LONG, PATIENT, SHORT, letter, why};
use crate::domain::desk::{LetterKind, LetterMark, Reference};
use crate::domain::letter::{Delivery, LetterLabel, SavedLetter, SavedLetters, Thread};
use crate::domain::outbox::{MAX_IN_FLIGHT, Outbox};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use crate::engine::mail_out::relay::Patience;
use crate::engine::mail_out::{MAX_CONNECTIONS, MAX_DIRECT, Route, Tls};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex};

fn deliver_to(server: &Server) -> Delivery {
    Bench::smtp(server.port, Tls::None, PATIENT).deliver(letter(1))
}

#[test]
fn a_letter_arrives_as_it_was_written() {
    let server = Server::start(Box::new(|_, command| polite(command)));
    assert_eq!(deliver_to(&server), Delivery::Sent);
    let [message] = &server.letters()[..] else { panic!("one letter") };
    let (headers, body) = message.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains("\r\nTo: it@acme.example\r\n"), "{headers}");
    assert!(body.contains("\r\n.\r\n.hidden\r\n"), "{body}");
    assert_eq!(server.whole(), 1, "the final dot waits for nothing");
    let commands = server.commands();
    assert!(commands[0].starts_with("EHLO [127.0.0.1]"), "{commands:?}");
    assert!(commands.contains(&"MAIL FROM:<noc@example.net>".to_owned()), "{commands:?}");
    assert!(commands.contains(&"RCPT TO:<it@acme.example>".to_owned()), "{commands:?}");
}

#[test]
fn what_is_about_a_letter_is_its_own_fate() {
    for command in ["RCPT", "DATA", "."] {
        let server = Server::answering(command, || Answer::Say("450 4.2.0 greylisted"));
        assert!(why!(deliver_to(&server), Deferred).contains("greylisted"), "{command}");
        let server = Server::answering(command, || Answer::Say("550 5.1.1 no such user"));
        assert!(why!(deliver_to(&server), Refused).contains("no such user"), "{command}");
        let server = Server::answering(command, || Answer::Drop);
        why!(deliver_to(&server), Deferred);
    }
}

#[test]
fn an_answer_to_another_question_is_no_receipt() {
    let server = Server::answering("DATA", || Answer::Say("250 ok"));
    assert_eq!(why!(deliver_to(&server), Deferred), "250 is no answer to this");
    let server = Server::answering(".", || Answer::Say("354 go on"));
    assert_eq!(why!(deliver_to(&server), Deferred), "354 is no answer to this");
}

#[test]
fn what_is_about_the_server_blames_no_letter() {
    for command in ["HI", "EHLO", "MAIL"] {
        for answer in [
            || Answer::Say("421 4.3.2 shutting down"),
            || Answer::Say("450 4.7.1 too much mail from you"),
            || Answer::Say("554 5.7.1 go away"),
            || Answer::Say("no SMTP at all"),
            || Answer::Drop,
        ] {
            let server = Server::answering(command, answer);
            why!(deliver_to(&server), Unreachable);
        }
    }
    for answer in [|| Answer::Say("421 4.3.2 shutting down"), || Answer::Say("530 5.7.0 authenticate first")] {
        why!(deliver_to(&Server::answering("RCPT", answer)), Unreachable);
        why!(deliver_to(&Server::answering("DATA", answer)), Unreachable);
    }
}

#[test]
fn a_server_that_does_not_listen_is_unreachable() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let bench = Bench::smtp(port, Tls::None, PATIENT);
    assert!(why!(bench.deliver(letter(1)), Unreachable).contains("127.0.0.1"));
    let route = Route::Smtp {
        host: "no such host".to_owned(),
        port,
        tls: Tls::None,
        credentials: None,
        connections: MAX_CONNECTIONS,
    };
    why!(Bench::new(route, PATIENT).deliver(letter(2)), Unreachable);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let hasty = Patience { connect: LONG, command: SHORT, data_end: LONG };
    for command in ["HI", "EHLO", "MAIL"] {
        let server = Server::answering(command, || Answer::Stall);
        why!(Bench::smtp(server.port, Tls::None, hasty).deliver(letter(1)), Unreachable);
    }
    let server = Server::answering("RCPT", || Answer::Stall);
    why!(Bench::smtp(server.port, Tls::None, hasty).deliver(letter(1)), Deferred);
    let hasty = Patience { connect: LONG, command: LONG, data_end: SHORT };
    let server = Server::answering(".", || Answer::Stall);
    why!(Bench::smtp(server.port, Tls::None, hasty).deliver(letter(1)), Deferred);
}

#[test]
fn no_letter_goes_out_in_the_open_where_tls_is_asked_for() {
    let server = Server::start(Box::new(|_, command| polite(command)));
    let why = why!(Bench::smtp(server.port, Tls::StartTls, PATIENT).deliver(letter(1)), Unreachable);
    assert!(why.contains("STARTTLS"), "{why}");
    why!(Bench::smtp(server.port, Tls::Wrapped, PATIENT).deliver(letter(1)), Unreachable);
    assert!(server.letters().is_empty());
    assert!(server.commands().iter().all(|command| !command.starts_with("MAIL")));
}

#[test]
fn a_server_that_only_pretends_to_start_tls_gets_nothing() {
    let server = Server::start(Box::new(|_, command| match command {
        "EHLO" => Answer::Say("250-mx.example\r\n250 STARTTLS"),
        other => polite(other),
    }));
    why!(Bench::smtp(server.port, Tls::StartTls, PATIENT).deliver(letter(1)), Unreachable);
    assert!(server.letters().is_empty());
}

#[test]
fn wrong_credentials_blame_no_letter() {
    let bench = |port| {
        let credentials = Some(("noc".to_owned(), "secret".to_owned()));
        Bench::new(
            Route::Smtp {
                host: "127.0.0.1".to_owned(),
                port,
                tls: Tls::None,
                credentials,
                connections: MAX_CONNECTIONS,
            },
            PATIENT,
        )
    };
    let server = |verdict: &'static str| {
        Server::start(Box::new(move |_, command| match command {
            "EHLO" => Answer::Say("250-mx.example\r\n250 AUTH PLAIN"),
            "AUTH" => Answer::Say(verdict),
            other => polite(other),
        }))
    };
    let refusing = server("535 5.7.8 wrong password");
    let why = why!(bench(refusing.port).deliver(letter(1)), Unreachable);
    assert!(why.contains("wrong password") && !why.contains("secret"), "{why}");
    let accepting = server("235 2.7.0 welcome");
    assert_eq!(bench(accepting.port).deliver(letter(1)), Delivery::Sent);
    let without = Server::start(Box::new(|_, command| polite(command)));
    why!(bench(without.port).deliver(letter(1)), Unreachable);
}

#[test]
fn several_letters_travel_at_once_and_connections_are_used_again() {
    let together = Barrier::new(MAX_CONNECTIONS);
    let server = Server::start(Box::new(move |_, command| {
        if command == "." {
            together.wait();
        }
        polite(command)
    }));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    let count = u64::try_from(MAX_CONNECTIONS).unwrap() * 3;
    (0..count).for_each(|id| bench.engine.send(letter(id)).unwrap());
    let mut reports = bench.finish();
    reports.sort_by_key(|(id, _)| *id);
    let all_sent: Vec<_> = (0..count).map(|id| (id, Delivery::Sent)).collect();
    assert_eq!(reports, all_sent);
    assert_eq!(server.connections(), MAX_CONNECTIONS);
}

#[test]
fn a_connection_the_server_closed_meanwhile_costs_no_letter() {
    // Each connection takes one letter and has then had enough, in one way or another.
    let server = Server::start(Box::new(|number, command| match (command, number % 2) {
        (".", 0) => Answer::Say("250 ok\r\n421 enough"),
        (".", _) => Answer::Say("250 ok"),
        (other, _) => polite(other),
    }));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    for id in 0..12 {
        assert_eq!(bench.deliver(letter(id)), Delivery::Sent);
    }
    assert_eq!(server.letters().len(), 12);
}

#[test]
fn an_address_that_is_none_is_refused_without_asking_the_server() {
    let server = Server::start(Box::new(|_, command| polite(command)));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    why!(bench.deliver(super::Mail { to: "nobody".to_owned(), ..letter(1) }), Refused);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_letter_too_many_is_put_off_at_once_and_the_others_are_reported() {
    let gate = Arc::new(Mutex::new(()));
    let theirs = Arc::clone(&gate);
    let server = Server::start(Box::new(move |_, command| {
        drop(theirs.lock().unwrap());
        polite(command)
    }));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    let room = MAX_IN_FLIGHT + MAX_DIRECT;
    let count = u64::try_from(2 * room).unwrap();
    let shut = gate.lock().unwrap();
    let refused: Vec<_> = (0..count).filter_map(|id| Some((id, bench.engine.send(letter(id)).err()?))).collect();
    drop(shut);
    let mut reports = bench.finish();
    reports.extend(refused);
    let sent = reports.iter().filter(|(_, delivery)| *delivery == Delivery::Sent).count();
    assert!((room..=room + MAX_CONNECTIONS).contains(&sent), "{sent}");
    let turned_away = Delivery::Deferred("the mail engine has its hands full".to_owned());
    assert!(reports.iter().all(|(_, delivery)| *delivery == Delivery::Sent || *delivery == turned_away));
    reports.sort_by_key(|(id, _)| *id);
    assert!(reports.iter().map(|(id, _)| *id).eq(0..count));
}

#[test]
fn a_direct_mail_goes_to_everybody_and_is_not_reported() {
    let server = Server::start(Box::new(|_, command| polite(command)));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    let readers = ["noc@example.net".to_owned(), "no address".to_owned(), "boss@example.net".to_owned()];
    bench.engine.direct(&readers, "The store is failing", "The disk is full.");
    assert_eq!(bench.finish(), []);
    let letters = server.letters();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter.contains("Subject: The store is failing\r\n")));
    assert_ne!(letters[0].lines().next(), letters[1].lines().next(), "they are two messages");
}

#[test]
fn a_server_that_stalls_over_one_letter_holds_up_no_other() {
    // Of the connections that are open at once the first is stalled, before the letter and after it.
    for command in ["RCPT", "DATA", "."] {
        let server =
            Server::start(Box::new(
                move |connection, given| {
                    if connection == 1 && given == command { Answer::Stall } else { polite(given) }
                },
            ));
        let hasty = Patience { connect: LONG, command: SHORT, data_end: SHORT };
        let bench = Bench::smtp(server.port, Tls::None, hasty);
        (1..=8).for_each(|id| bench.engine.send(letter(id)).unwrap());
        let mut reports = bench.finish();
        reports.sort_by_key(|(id, _)| *id);
        let deferred: Vec<_> = reports.iter().filter(|(_, delivery)| *delivery != Delivery::Sent).collect();
        let [(_, Delivery::Deferred(why))] = deferred.as_slice() else { panic!("{command}: {reports:?}") };
        assert!(why.contains("no answer within"), "{why}");
        assert!(reports.iter().map(|(id, _)| *id).eq(1..=8), "each is reported once");
    }
}

#[test]
fn a_letter_whose_receipt_was_lost_comes_again_and_is_known_by_its_message_id() {
    for lost in [|| Answer::Drop, || Answer::Stall, || Answer::Say("451 4.3.0 try again")] {
        let answer: fn() -> Answer = lost;
        let server = Server::start(Box::new(
            move |connection, given| {
                if connection == 1 && given == "." { answer() } else { polite(given) }
            },
        ));
        let bench = Bench::smtp(server.port, Tls::None, Patience { data_end: SHORT, ..PATIENT });
        why!(bench.deliver(letter(1)), Deferred);
        assert_eq!(bench.deliver(letter(1)), Delivery::Sent);
        let letters = server.letters();
        let id = |letter: &String| letter.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned);
        assert_eq!(letters.len(), 2);
        assert!(id(&letters[0]).is_some() && id(&letters[0]) == id(&letters[1]), "{letters:?}");
    }
}

#[test]
fn a_greylisted_letter_is_tried_until_the_server_has_waited_enough() {
    // Seconds of simulated time: the server takes nothing within the first minute.
    let clock = Arc::new(AtomicI64::new(0));
    let theirs = Arc::clone(&clock);
    let server = Server::start(Box::new(move |_, given| {
        let greylists = given == "RCPT" && theirs.load(Ordering::SeqCst) < 60;
        if greylists { Answer::Say("451 4.7.1 greylisted, come back in a minute") } else { polite(given) }
    }));
    let bench = Bench::smtp(server.port, Tls::None, PATIENT);
    let label = LetterLabel {
        id: 1,
        thread: Thread::Case { reference: Reference::from_number(1), unit: "u".to_owned() },
        mark: LetterMark { kind: LetterKind::Opened, number: 1 },
        to: "it@acme.example".to_owned(),
    };
    let at = |second: i64| Time::from_millis(second * 1_000);
    let waiting = vec![SavedLetter { label, written_at: at(0), attempts: 0 }];
    let mut outbox = Outbox::new(SavedLetters { next_id: 2, waiting, ..SavedLetters::default() }, at(0));
    let mut tried = Vec::new();
    for second in 0..200 {
        clock.store(second, Ordering::SeqCst);
        let mut turn = Turn::new(at(second));
        outbox.hand_over(&mut turn);
        for id in core::mem::take(&mut turn.deliver) {
            tried.push(second);
            outbox.attempted(id, bench.deliver(letter(id)), &mut turn);
        }
    }
    assert_eq!(tried, [0, 15, 45, 105], "the wait doubles");
    assert!(outbox.is_empty());
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn words_without_an_end_are_cut_and_garbage_is_no_answer() {
    let refusal = |length: usize| -> Delivery {
        let long: &'static str = Box::leak(format!("550 5.1.1 {}", "x".repeat(length)).into_boxed_str());
        deliver_to(&Server::start(Box::new(
            move |_, given| if given == "RCPT" { Answer::Say(long) } else { polite(given) },
        )))
    };
    assert!(why!(refusal(400), Refused).chars().count() <= 300);
    assert!(why!(refusal(1_000_000), Deferred).contains("too long"));
    for command in ["RCPT", "DATA", "."] {
        for garbage in ["\0\u{1}\u{fffd}", "HTTP/1.1 200 OK", "999", "250-ok\r\n550 no"] {
            let server = Server::start(Box::new(
                move |_, given| {
                    if given == command { Answer::Say(garbage) } else { polite(given) }
                },
            ));
            assert!(!matches!(deliver_to(&server), Delivery::Sent), "{command}: {garbage:?}");
        }
    }
}
