//! Letters to a mail server, over SMTP (RFC 5321).
//!
//! Up to its answer to `MAIL` nothing the server says is about a letter: whatever fails there would fail for each.

use super::Tls;
use crate::domain::letter::Delivery;
use core::fmt::Display;
use core::time::Duration;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long a connection waits for another letter.
pub(super) const IDLE: Duration = Duration::from_secs(10);
/// How long a server may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(2);
/// Longest answer of a server that is kept, in characters.
const MAX_WORDS: usize = 300;

/// How long to wait for a server.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For a connection to one of its addresses.
    pub(super) connect: Duration,
    /// For an answer to a command.
    pub(super) command: Duration,
    /// For the word that it has taken a letter. Who gives up early sends a letter twice (RFC 5321, 4.5.3.2.6).
    pub(super) data_end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), command: Duration::from_secs(60), data_end: Duration::from_secs(600) }
    }
}

/// A mail server and how to talk to it.
pub(super) struct Relay {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    patience: Patience,
}

enum Protection {
    None,
    StartTls(TlsParameters),
    Wrapped(TlsParameters),
}

/// Why a step of the conversation failed.
struct Fault {
    /// The server's reply code, if it was the server that said no.
    code: Option<u16>,
    words: String,
}

impl Relay {
    /// Fails when TLS can't be set up.
    pub(super) fn new(
        host: String,
        port: u16,
        tls: Tls,
        credentials: Option<(String, String)>,
        patience: Patience,
    ) -> Result<Self, String> {
        let parameters = || TlsParameters::new(host.clone()).map_err(|error| error.to_string());
        let protection = match tls {
            Tls::None => Protection::None,
            Tls::StartTls => Protection::StartTls(parameters()?),
            Tls::Wrapped => Protection::Wrapped(parameters()?),
        };
        let credentials = credentials.map(|(user, password)| Credentials::new(user, password));
        Ok(Self { host, port, protection, credentials, patience })
    }

    /// A connection on which letters can be sent.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let mut connection = match &self.protection {
            Protection::None => self.greet().await?.0,
            Protection::StartTls(tls) => {
                let (mut connection, hello) = self.greet().await?;
                within(self.patience.command, connection.starttls(tls.clone(), &hello)).await?;
                connection
            }
            Protection::Wrapped(tls) => {
                let server = (self.host.as_str(), self.port);
                let (connect, hello) = (self.patience.connect, ClientId::default());
                let connection =
                    AsyncSmtpConnection::connect_tokio1(server, Some(connect), &hello, Some(tls.clone()), None);
                within(self.patience.command, connection).await?
            }
        };
        if let Some(credentials) = &self.credentials {
            within(self.patience.command, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(connection)
    }

    async fn greet(&self) -> Result<(AsyncSmtpConnection, ClientId), Fault> {
        let stream = self.dial().await?;
        let hello = stream.local_addr().map_or_else(
            |_| ClientId::default(),
            |local| match local.ip() {
                IpAddr::V4(ip) => ClientId::Ipv4(ip),
                IpAddr::V6(ip) => ClientId::Ipv6(ip),
            },
        );
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        Ok((within(self.patience.command, greeting).await?, hello))
    }

    /// Connects to the first of the server's addresses that answers.
    async fn dial(&self) -> Result<TcpStream, Fault> {
        let addresses = within(self.patience.connect, lookup_host((self.host.as_str(), self.port))).await?;
        let mut fault = Fault { code: None, words: format!("{} has no address", self.host) };
        for address in addresses {
            match within(self.patience.connect, TcpStream::connect(address)).await {
                Ok(stream) => {
                    // What is longer than a segment has a rest, which is not to wait for the peer's delayed ACK.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(refused) => fault = Fault { words: format!("{address}: {}", refused.words), ..refused },
            }
        }
        Err(fault)
    }
}

/// One conversation with a mail server after the other.
pub(super) struct Line {
    relay: Arc<Relay>,
    /// Open, and ready for the next letter.
    connection: Option<AsyncSmtpConnection>,
}

impl Line {
    /// A line that is not connected yet.
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        Self { relay, connection: None }
    }

    /// Makes one attempt to deliver a letter.
    pub(super) async fn deliver(&mut self, letter: &Message) -> Delivery {
        let mut connection = match self.begin(letter).await {
            Ok(connection) => connection,
            Err(fault) => return Delivery::Unreachable(fault.words),
        };
        let outcome = self.pass(&mut connection, letter).await;
        self.connection = Some(connection);
        match outcome {
            Ok(()) => Delivery::Sent,
            Err(fault) => {
                // Where the conversation broke off there is nobody to say good-bye to.
                if fault.code.is_some() {
                    self.hang_up().await;
                }
                self.connection = None;
                fault.about_letter()
            }
        }
    }

    /// Ends the conversation, if there is one.
    pub(super) async fn hang_up(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // Good manners; all letters are settled by now.
            drop(timeout(FAREWELL, connection.quit()).await);
        }
    }

    /// A connection whose server is willing to take a letter from us.
    async fn begin(&mut self, letter: &Message) -> Result<AsyncSmtpConnection, Fault> {
        let patience = self.relay.patience.command;
        let mail = || Mail::new(letter.envelope().from().cloned(), Vec::new());
        if let Some(mut connection) = self.connection.take()
            && within(patience, connection.command(mail())).await.is_ok()
        {
            return Ok(connection);
        }
        // There was none, or the server had meanwhile had enough of it.
        let mut connection = self.relay.connect().await?;
        within(patience, connection.command(mail())).await?;
        Ok(connection)
    }

    async fn pass(&self, connection: &mut AsyncSmtpConnection, letter: &Message) -> Result<(), Fault> {
        let patience = self.relay.patience;
        for to in letter.envelope().to() {
            within(patience.command, connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        within(patience.command, connection.command(Data)).await.and_then(is(Severity::PositiveIntermediate))?;
        // All at once, which `AsyncSmtpConnection::message` does not: its final dot would wait for the peer's delayed ACK.
        let taken = within(patience.data_end, connection.command(content(&letter.formatted()))).await;
        taken.and_then(is(Severity::PositiveCompletion))
    }
}

impl Fault {
    /// What a fault after `MAIL` means for the letter.
    fn about_letter(self) -> Delivery {
        match self.code {
            // The server closes, or wants to be talked to in another way: no letter would fare better.
            Some(421 | 530 | 535) => Delivery::Unreachable(self.words),
            Some(500..) => Delivery::Refused(self.words),
            // A server that breaks off over one letter may well take the next.
            Some(_) | None => Delivery::Deferred(self.words),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { code: error.status().map(u16::from), words: legible(&error) }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self { code: None, words: legible(&error) }
    }
}

/// A message, which the composer keeps to ASCII, as it travels: no line of its own is a lone dot (RFC 5321, 4.5.2), and the last is.
fn content(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let mut content = String::with_capacity(text.len() + text.len() / 32 + 5);
    for line in text.split_inclusive("\r\n") {
        if line.starts_with('.') {
            content.push('.');
        }
        content.push_str(line);
    }
    content.push_str("\r\n.\r\n");
    content
}

/// An answer of another kind answers something else: the two sides have lost each other.
fn is(severity: Severity) -> impl Fn(Response) -> Result<(), Fault> {
    move |answer| {
        if answer.code().severity == severity {
            return Ok(());
        }
        Err(Fault { code: None, words: format!("{} is no answer to this", answer.code()) })
    }
}

/// Servers may say anything at any length.
fn legible(error: &impl Display) -> String {
    error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
}

/// The outcome of a step, if it comes in time.
async fn within<T, E: Into<Fault>>(limit: Duration, step: impl Future<Output = Result<T, E>>) -> Result<T, Fault> {
    match timeout(limit, step).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_elapsed) => Err(Fault { code: None, words: format!("no answer within {limit:?}") }),
    }
}
