//! The engine against servers that behave well, and badly.

use super::*;
use crate::domain::notice::{Signal, hook};
use crate::domain::watch::Secret;
use crate::payload::{Auth, SigningKey, webhook_id};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// What a server saw: the head in lower case and the body.
struct Seen {
    head: String,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A server that lets `answer` speak to each request, by its number from 0.
fn server(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (String, std_mpsc::Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/KEY", listener.local_addr().unwrap());
    let (tell, seen) = std_mpsc::channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().unwrap();
                }
                head += &format!("{}: {value}", name.to_lowercase());
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            if tell.send(Seen { head, body: String::from_utf8(body).unwrap() }).is_err() {
                return;
            }
            answer(number, &mut stream);
        }
    });
    (url, seen)
}

/// A server that always says this.
fn saying(words: &'static str) -> (String, std_mpsc::Receiver<Seen>) {
    server(move |_, stream| drop(stream.write_all(words.as_bytes())))
}

fn settings(url: &str) -> Settings {
    Settings {
        name: "chat".into(),
        url: Secret::new(url.to_owned()),
        form: Form::Slack,
        auth: Auth::None,
        signing: None,
        timeout: LONG,
    }
}

fn mail(id: LetterId, signal: Signal) -> Mail {
    let [sample, _] = Notice::samples();
    let notice = Notice { signal: signal.name().into(), ..sample };
    Mail {
        id,
        to: hook("chat"),
        message_id: "NTU-00000007-K.opened.1.token@example.net".into(),
        in_reply_to: None,
        references: Vec::new(),
        reply_to: None,
        subject: notice.text.clone(),
        body: notice.to_json(),
        written_unix_ms: 0,
    }
}

type Reports = std_mpsc::Receiver<(LetterId, Delivery)>;

fn engine(settings: Settings, alerts: Vec<Mail>) -> (WebhookEngine, Reports) {
    let (tell, reports) = std_mpsc::channel();
    let report = Box::new(move |id, delivery| drop(tell.send((id, delivery))));
    let alerts = BTreeMap::from([(settings.name.clone(), alerts)]);
    (start(vec![settings], &alerts, report).unwrap(), reports)
}

/// What becomes of one notice.
fn attempt(settings: Settings) -> Delivery {
    let (engine, reports) = engine(settings, Vec::new());
    engine.send(mail(7, Signal::Begins)).unwrap();
    let (id, delivery) = reports.recv_timeout(LONG).unwrap();
    assert_eq!(id, 7);
    delivery
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

#[test]
fn answers_mean_what_they_say() {
    let close = |status: &str, more: &str| -> &'static str {
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: 4\r\nConnection: close\r\n\r\nwhy?").leak()
    };
    let refused = |words: &str| Delivery::Refused(words.into());
    let cases = [
        (GOOD, Delivery::Sent),
        (close("202 Accepted", ""), Delivery::Sent),
        (
            close("429 Too Many Requests", "Retry-After: 7\r\n"),
            Delivery::Throttled { why: "it answers 429 Too Many Requests: why?".into(), wait: Duration::from_secs(7) },
        ),
        (
            close("503 Service Unavailable", "Retry-After: 90\r\n"),
            Delivery::Throttled {
                why: "it answers 503 Service Unavailable: why?".into(),
                wait: Duration::from_secs(90),
            },
        ),
        (
            close("429 Too Many Requests", "Retry-After: soon\r\n"),
            Delivery::Deferred("it answers 429 Too Many Requests: why?".into()),
        ),
        (
            close("500 Internal Server Error", ""),
            Delivery::Deferred("it answers 500 Internal Server Error: why?".into()),
        ),
        (close("404 Not Found", ""), refused("it answers 404 Not Found: why?")),
        (
            close("302 Found", "Location: http://127.0.0.1:9/\r\n"),
            refused("it answers 302 Found: why? (redirects are not followed: correct the URL)"),
        ),
    ];
    for (words, expected) in cases {
        let (url, seen) = saying(words);
        assert_eq!(attempt(settings(&url)), expected);
        assert_eq!(seen.try_iter().count(), 1, "one attempt");
    }
}

#[test]
fn nobody_there_is_unreachable_and_the_key_is_not_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let delivery = attempt(settings(&format!("http://{gone}/KEY")));
    assert!(matches!(&delivery, Delivery::Unreachable(why) if !why.contains("KEY")), "{delivery:?}");
    let (url, _seen) = saying(GOOD);
    let delivery = attempt(settings(&url.replace("http://", "https://")));
    assert!(matches!(&delivery, Delivery::Unreachable(_)), "{delivery:?}");
}

#[test]
fn who_never_answers_or_closes_in_the_middle_puts_off() {
    let (hold, held) = std_mpsc::channel::<()>();
    let (url, _seen) = server(move |_, _| held.recv().unwrap_or(()));
    let short = Settings { timeout: Duration::from_millis(200), ..settings(&url) };
    assert_eq!(attempt(short), Delivery::Deferred("no answer in time".into()));
    drop(hold);
    let (url, _seen) = saying("HTTP/1.1 20");
    let delivery = attempt(settings(&url));
    assert!(matches!(&delivery, Delivery::Deferred(_)), "{delivery:?}");
}

#[test]
fn of_long_and_slow_answers_only_the_beginning_is_read() {
    let (url, _seen) = server(|_, stream| {
        let head = b"HTTP/1.1 500 Oh\r\nContent-Length: 100000000\r\n\r\n";
        let sent = stream.write_all(head);
        // Until whoever reads has enough.
        if sent.is_ok() {
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    });
    let Delivery::Deferred(why) = attempt(settings(&url)) else { panic!("a 500 puts off") };
    assert!(why.len() < 400 && why.contains("xxx"), "{why}");
    let (hold, held) = std_mpsc::channel::<()>();
    let (url, _seen) = server(move |_, stream| {
        let sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nd");
        sent.and_then(|()| held.recv().map_err(std::io::Error::other)).unwrap_or(());
    });
    assert_eq!(attempt(settings(&url)), Delivery::Sent, "the status says it all");
    drop(hold);
}

#[test]
fn each_attempt_has_the_same_id_and_a_signature_over_what_is_sent() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let (url, seen) = server(|number, stream| {
        let answer =
            if number == 0 { "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" } else { GOOD };
        drop(stream.write_all(answer.as_bytes()));
    });
    let signed = Settings { signing: Some(SigningKey::new(secret).unwrap()), ..settings(&url) };
    let (engine, reports) = engine(signed, Vec::new());
    for _ in 0..2 {
        engine.send(mail(1, Signal::Begins)).unwrap();
        reports.recv_timeout(LONG).unwrap();
    }
    let seen: Vec<Seen> = seen.try_iter().collect();
    let id = webhook_id(&mail(1, Signal::Begins).message_id);
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert_eq!(request.header("idempotency-key"), Some(id.as_str()));
        assert_eq!(request.header("webhook-id"), Some(id.as_str()));
        let timestamp: i64 = request.header("webhook-timestamp").unwrap().parse().unwrap();
        let expected = SigningKey::new(secret).unwrap().sign(&id, timestamp, &request.body);
        assert_eq!(request.header("webhook-signature"), Some(expected.as_str()));
        assert!(request.body.starts_with("{\"text\":\"P1 opened"), "{}", request.body);
    }
}

#[test]
fn messengers_are_asked_as_whom_they_want() {
    let header = |name: &str| Auth::Header { name: name.into(), value: Secret::new("V".into()) };
    let basic = Auth::Basic { user: "ann".into(), password: Secret::new("pw".into()) };
    let cases = [
        (Auth::Bearer(Secret::new("T".into())), "authorization", Some("Bearer T")),
        (basic, "authorization", Some("Basic YW5uOnB3")),
        (header("X-Api-Key"), "x-api-key", Some("V")),
        (Auth::None, "authorization", None),
    ];
    for (auth, name, value) in cases {
        let (url, seen) = saying(GOOD);
        assert_eq!(attempt(Settings { auth, ..settings(&url) }), Delivery::Sent);
        assert_eq!(seen.recv_timeout(LONG).unwrap().header(name), value);
    }
}

#[test]
fn what_nobody_has_room_for_or_knows_is_told_at_once() {
    let (hold, held) = std_mpsc::channel::<()>();
    let (url, _seen) = server(move |_, _| held.recv().unwrap_or(()));
    let (engine, _reports) = engine(settings(&url), Vec::new());
    let stranger = Mail { to: hook("other"), ..mail(1, Signal::Begins) };
    assert!(matches!(engine.send(stranger), Err(Delivery::Refused(_))));
    // So many are under way, and so many wait.
    let taken = (0..=MAX_IN_FLIGHT + MAX_REQUESTS).take_while(|_| engine.send(mail(1, Signal::Begins)).is_ok()).count();
    assert!((MAX_IN_FLIGHT..=MAX_IN_FLIGHT + MAX_REQUESTS).contains(&taken), "{taken}");
    drop(hold);
}

#[test]
fn alertmanager_hears_at_the_start_what_fires_and_then_its_end() {
    let (url, seen) = saying(GOOD);
    let alerts = Settings { form: Form::Alertmanager, ..settings(&url) };
    let (engine, reports) = engine(alerts, vec![mail(3, Signal::Begins)]);
    let again = seen.recv_timeout(LONG).unwrap();
    assert!(again.body.contains("startsAt") && !again.body.contains("endsAt"), "{}", again.body);
    assert_eq!(again.header("idempotency-key"), None, "it is no notice");
    engine.send(mail(4, Signal::Over)).unwrap();
    assert_eq!(reports.recv_timeout(LONG).unwrap(), (4, Delivery::Sent));
    let over = seen.recv_timeout(LONG).unwrap();
    assert!(over.body.contains("endsAt"), "{}", over.body);
}

#[test]
fn a_daemon_that_stops_begins_nothing() {
    let (url, seen) = saying(GOOD);
    let (engine, reports) = engine(settings(&url), Vec::new());
    engine.wind_up();
    engine.send(mail(1, Signal::Begins)).unwrap();
    assert!(matches!(reports.recv_timeout(LONG).unwrap().1, Delivery::Deferred(_)));
    assert_eq!(seen.try_iter().count(), 0);
}
