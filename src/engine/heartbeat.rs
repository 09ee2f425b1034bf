//! The heartbeat: asks for a page elsewhere as long as somebody watches, for a dead man's switch that raises the alarm
//! when nobody asks any more.
//!
//! What goes wrong here is never made up for: the next beat is the next attempt, and silence is what the alarm is for.

use crate::domain::watch::Secret;
use core::error::Error;
use core::fmt;
use core::time::Duration;
use metrics::Counter;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};
use std::io;
use std::thread::{self, JoinHandle};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

/// How long a beat may take, from the look-up of the name to the status of the answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Redirects that a beat follows.
pub const MAX_REDIRECTS: usize = 3;
/// The first beat comes this long after the start, or after one interval if that is shorter: a daemon that dies again
/// and again must not look alive because it is started again and again.
const FIRST_AFTER: Duration = Duration::from_secs(10);
/// Threads for looking up the server's name. A look-up may outlive its beat, but not by many beats.
const LOOKUPS: usize = 4;
/// Longest reason for a failure that is logged, in characters.
const MAX_WORDS: usize = 300;

/// Whether somebody watches. Asked before each beat; it must not wait.
pub type Healthy = Box<dyn Fn() -> bool + Send + Sync>;

/// What the engine needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is asked for, over HTTP or HTTPS. It mostly holds a key.
    pub url: Secret,
    /// From one beat to the next.
    pub every: Duration,
}

/// Why the engine could not start.
#[derive(Debug)]
pub enum StartError {
    /// What is to be asked for is no URL, for this reason.
    Url(String),
    /// TLS could not be set up.
    Tls(String),
    /// The engine's thread or its runtime could not be made.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "the heartbeat's URL is none: {why}"),
            Self::Tls(why) => write!(f, "cannot set up TLS for the heartbeat: {why}"),
            Self::Thread(error) => write!(f, "cannot start the heartbeat's thread: {error}"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url(_) | Self::Tls(_) => None,
            Self::Thread(error) => Some(error),
        }
    }
}

/// A running heartbeat. Dropping it ends it, in the midst of a beat if need be; none goes out after that.
#[derive(Debug)]
pub struct Heartbeat(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

/// Starts the heartbeat. A beat goes out only while `healthy` says so.
///
/// # Errors
/// When the URL is none, or TLS or the thread can't be set up.
pub fn start(settings: Settings, healthy: Healthy) -> Result<Heartbeat, StartError> {
    let Settings { url, every } = settings;
    let mut pulse = Pulse::new(&url, TIME_LIMIT, healthy)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(LOOKUPS)
        .build()
        .map_err(StartError::Thread)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let work = move || {
        runtime.block_on(async {
            tokio::select! {
                // Told, or left alone.
                _ = stopped => {}
                () = pulse.go_on(every) => {}
            }
        });
        // A look-up that hangs must not keep the daemon from stopping.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("heartbeat".to_owned()).spawn(work).map_err(StartError::Thread)?;
    Ok(Heartbeat(Some((stop, thread))))
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let Some((stop, thread)) = self.0.take() else { return };
        drop(stop);
        if thread.join().is_err() {
            tracing::error!("the heartbeat's thread has panicked");
        }
    }
}

/// Asks for one page and keeps nothing: a connection of its own for each beat, no proxy, no second attempt.
fn client(url: &Url, time_limit: Duration) -> Result<Client, reqwest::Error> {
    // TLS by the library that the mail engine uses; it may have been chosen before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder()
        .user_agent(concat!("ntuwatch/", env!("CARGO_PKG_VERSION")))
        .timeout(time_limit)
        .redirect(Policy::custom(redirect))
        // The URL is nobody else's business.
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(0);
    // In the open no certificate is asked for, and none has to be on this machine.
    if url.scheme() == "http" { client.tls_certs_only([]) } else { client }.build()
}

/// What must not be read on the way is not sent in the open, and nothing is followed for ever.
fn redirect(attempt: Attempt<'_>) -> Action {
    let same_scheme = attempt.previous().iter().all(|before| before.scheme() == attempt.url().scheme());
    if same_scheme && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// What became of a beat.
#[derive(Debug)]
enum Outcome {
    /// The server has taken it.
    Sent,
    /// It has not, for this reason.
    Failed(String),
    /// It was not sent: nobody watches.
    Withheld,
}

struct Pulse {
    client: Client,
    url: Url,
    /// As much of the URL as may be logged.
    server: String,
    healthy: Healthy,
    meters: Meters,
    /// What became of the beat before. The first is expected to go well.
    last: Outcome,
}

impl Pulse {
    fn new(url: &Secret, time_limit: Duration, healthy: Healthy) -> Result<Self, StartError> {
        let url = Url::parse(url.expose()).map_err(|error| StartError::Url(error.to_string()))?;
        Ok(Self {
            client: client(&url, time_limit).map_err(|error| StartError::Tls(words(&error)))?,
            server: format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
            url,
            healthy,
            meters: Meters::new(),
            last: Outcome::Sent,
        })
    }

    async fn go_on(&mut self, every: Duration) {
        let mut beats = interval(every);
        // A machine that was suspended owes nobody the beats of that time.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats.reset_after(every.min(FIRST_AFTER));
        loop {
            beats.tick().await;
            let outcome = self.beat().await;
            self.note(outcome);
        }
    }

    async fn beat(&self) -> Outcome {
        if !(self.healthy)() {
            return Outcome::Withheld;
        }
        match self.client.get(self.url.clone()).send().await {
            // The status says it all; what else there is is not read.
            Ok(answer) if answer.status().is_success() => Outcome::Sent,
            Ok(answer) => Outcome::Failed(format!("it answers {}", answer.status())),
            Err(error) => Outcome::Failed(words(&error)),
        }
    }

    /// Counts an outcome, and logs one of another kind than that before.
    fn note(&mut self, outcome: Outcome) {
        let server = &self.server;
        match (&outcome, &self.last) {
            (Outcome::Failed(why), Outcome::Sent | Outcome::Withheld) => {
                tracing::warn!(server, why, "no heartbeat gets through");
            }
            (Outcome::Withheld, Outcome::Sent | Outcome::Failed(_)) => {
                tracing::warn!(server, "nobody watches: the heartbeat is withheld");
            }
            (Outcome::Sent, Outcome::Failed(_) | Outcome::Withheld) => {
                tracing::info!(server, "heartbeats get through again");
            }
            (Outcome::Sent, Outcome::Sent)
            | (Outcome::Failed(_), Outcome::Failed(_))
            | (Outcome::Withheld, Outcome::Withheld) => {}
        }
        self.meters.count(&outcome);
        self.last = outcome;
    }
}

/// The innermost cause of an error. Those around it would show the whole URL.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(Error::source) {
        cause = Some(inner);
    }
    let words = cause.map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
}

/// The metrics, registered once.
struct Meters {
    sent: Counter,
    failed: Counter,
    withheld: Counter,
}

impl Meters {
    fn new() -> Self {
        let counter = |outcome| metrics::counter!("ntuwatch_heartbeats_total", "outcome" => outcome);
        Self { sent: counter("sent"), failed: counter("failed"), withheld: counter("withheld") }
    }

    fn count(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Sent => self.sent.increment(1),
            Outcome::Failed(_) => self.failed.increment(1),
            Outcome::Withheld => self.withheld.increment(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Mutex};

    const LONG: Duration = Duration::from_secs(60);
    const OFTEN: Duration = Duration::from_millis(20);
    const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

    /// A web server that answers as it is told, and shows every request before it answers. It closes no connection.
    struct Server {
        port: u16,
        requests: Receiver<String>,
    }

    impl Server {
        fn new(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let (sender, requests) = mpsc::channel();
            thread::spawn(move || {
                let mut open = Vec::new();
                for stream in listener.incoming().map_while(Result::ok) {
                    let request = read(&stream);
                    let answer = answer(&request);
                    if sender.send(request).is_err() {
                        return;
                    }
                    drop((&stream).write_all(answer.as_bytes()));
                    open.push(stream);
                }
            });
            Self { port, requests }
        }

        fn saying(answer: &str) -> Self {
            let answer = answer.to_owned();
            Self::new(move |_| answer.clone())
        }

        fn url(&self) -> Secret {
            Secret::new(format!("http://127.0.0.1:{}/ping/KEY?from=ntuwatch", self.port))
        }

        fn next(&self) -> String {
            self.requests.recv_timeout(LONG).unwrap()
        }
    }

    /// The head of a request.
    fn read(stream: &TcpStream) -> String {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.take_while(|line| !line.is_empty()).map(|line| line + "\n").collect()
    }

    fn pulse(url: &Secret, time_limit: Duration) -> Pulse {
        Pulse::new(url, time_limit, Box::new(|| true)).unwrap()
    }

    /// What becomes of a beat to a server that says `answer`.
    async fn beat_to(answer: &str) -> Outcome {
        pulse(&Server::saying(answer).url(), LONG).beat().await
    }

    #[test]
    fn beats_come_one_after_the_other_until_it_is_dropped() {
        let server = Server::saying(GOOD);
        let heartbeat = start(Settings { url: server.url(), every: OFTEN }, Box::new(|| true)).unwrap();
        for _ in 0..3 {
            let request = server.next();
            assert!(request.starts_with("GET /ping/KEY?from=ntuwatch HTTP/1.1\n"), "{request}");
            assert!(request.contains("user-agent: ntuwatch/"), "{request}");
        }
        drop(heartbeat);
        // The server may still be about to show the last.
        while server.requests.recv_timeout(10 * OFTEN).is_ok() {}
        assert!(server.requests.recv_timeout(10 * OFTEN).is_err());
    }

    #[test]
    fn nothing_goes_out_while_nobody_watches() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let until_withheld = |count| {
            let line = format!("ntuwatch_heartbeats_total{{outcome=\"withheld\"}} {count}\n");
            while !metrics.render().contains(&line) {
                thread::yield_now();
            }
        };
        let server = Server::saying(GOOD);
        let watched = Arc::new(AtomicBool::new(false));
        let settings = Settings { url: server.url(), every: OFTEN };
        let healthy = {
            let watched = Arc::clone(&watched);
            Box::new(move || watched.load(Ordering::SeqCst))
        };
        let _heartbeat = metrics::with_local_recorder(&recorder, || start(settings, healthy)).unwrap();
        until_withheld(3);
        assert!(server.requests.try_recv().is_err(), "a beat that goes out is seen before the next is due");
        watched.store(true, Ordering::SeqCst);
        server.next();
        server.next();
    }

    #[tokio::test]
    async fn only_a_status_of_success_is_a_success() {
        for good in [GOOD, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nO"]
        {
            let outcome = beat_to(good).await;
            assert!(matches!(outcome, Outcome::Sent), "{good}: {outcome:?}");
        }
        for (bad, wanted) in [
            ("HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n", "it answers 500 Internal Server Error"),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "it answers 404 Not Found"),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", "it answers 304 Not Modified"),
            ("SSH-2.0-OpenSSH_9.9\r\n", "invalid HTTP version parsed"),
        ] {
            let outcome = beat_to(bad).await;
            assert!(matches!(&outcome, Outcome::Failed(why) if why == wanted), "{bad}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_or_is_not_there_is_a_failure() {
        let silent = Server::saying("");
        let outcome = pulse(&silent.url(), Duration::from_millis(200)).beat().await;
        assert!(matches!(&outcome, Outcome::Failed(why) if why == "no answer in time"), "{outcome:?}");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let nobody = Secret::new(format!("http://127.0.0.1:{port}/KEY"));
        let outcome = pulse(&nobody, LONG).beat().await;
        assert!(matches!(&outcome, Outcome::Failed(why) if why.starts_with("Connection refused")), "{outcome:?}");
        let nowhere = Secret::new("http://name.invalid/KEY".to_owned());
        let outcome = pulse(&nowhere, LONG).beat().await;
        assert!(matches!(&outcome, Outcome::Failed(why) if !why.contains("KEY")), "{outcome:?}");
    }

    #[tokio::test]
    async fn redirects_are_followed_a_few_times_and_never_to_another_scheme() {
        let there = |steps: usize| {
            Server::new(move |request| {
                let at = request.split([' ', '/']).filter_map(|word| word.parse::<usize>().ok()).next().unwrap_or(0);
                if at == steps {
                    return GOOD.to_owned();
                }
                format!("HTTP/1.1 302 Found\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n", at + 1)
            })
        };
        let near = there(MAX_REDIRECTS);
        let outcome = pulse(&near.url(), LONG).beat().await;
        assert!(matches!(outcome, Outcome::Sent), "{outcome:?}");
        let requests: Vec<String> = near.requests.try_iter().collect();
        assert_eq!(requests.len(), MAX_REDIRECTS + 1);
        assert!(requests.iter().skip(1).all(|request| !request.contains("KEY")), "{requests:?}");
        let far = there(MAX_REDIRECTS + 1);
        let outcome = pulse(&far.url(), LONG).beat().await;
        assert!(matches!(&outcome, Outcome::Failed(why) if why == "it answers 302 Found"), "{outcome:?}");
        assert_eq!(far.requests.try_iter().count(), MAX_REDIRECTS + 1);

        let other = Server::saying(GOOD);
        let location = format!("https://127.0.0.1:{}/", other.port);
        let outcome =
            beat_to(&format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")).await;
        assert!(matches!(&outcome, Outcome::Failed(why) if why == "it answers 301 Moved Permanently"), "{outcome:?}");
        assert!(other.requests.try_recv().is_err());
    }

    /// What is logged, for all to read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, words: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(words)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn changes_are_logged_once_and_the_key_never() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let mut pulse = pulse(&Secret::new("http://me:KEY@hc.example/KEY".to_owned()), LONG);
            let failed = || Outcome::Failed("no answer in time".to_owned());
            let outcomes = [Outcome::Sent, failed(), failed(), Outcome::Withheld, Outcome::Withheld, Outcome::Sent];
            outcomes.into_iter().for_each(|outcome| pulse.note(outcome));
        });
        let words = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines = [
            " WARN no heartbeat gets through server=\"http://hc.example\" why=\"no answer in time\"",
            " WARN nobody watches: the heartbeat is withheld server=\"http://hc.example\"",
            " INFO heartbeats get through again server=\"http://hc.example\"",
        ];
        assert_eq!(words.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_it() {
        let started = start(Settings { url: Secret::new("KEY".to_owned()), every: OFTEN }, Box::new(|| true));
        let why = started.unwrap_err().to_string();
        assert!(why.contains("relative URL without a base") && !why.contains("KEY"), "{why}");
    }
}
