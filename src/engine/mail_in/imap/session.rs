//! A conversation with an IMAP server (RFC 3501) about one mailbox.

use super::wire::{End, Fault, Response, Stream, Token, Wire, within};
use super::{Imap, Patience};
use crate::domain::mail::MAX_MESSAGE;
use crate::engine::mail_in::base64;
use crate::engine::tls::Tls;
use core::cell::Cell;
use socket2::{SockRef, TcpKeepalive};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// Messages that are asked for in one list.
pub(super) const MAX_LIST: u32 = 100;
/// Of a message that is too large, so much of its head is fetched, in bytes.
pub(super) const MAX_HEADER: usize = 256 << 10;
/// A server that has vanished is missed after about two minutes.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// A message as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) uid: u32,
    /// What the server says of its size, in bytes.
    pub(super) size: u64,
}

/// What comes of asking for a message.
pub(super) enum Got {
    Bytes(Vec<u8>),
    /// There is none any more.
    Gone,
    /// The server does not give it, for this reason.
    Refused(String),
}

/// A conversation, with the mailbox selected.
pub(super) struct Session {
    wire: Wire,
    patience: Patience,
    archive: String,
    capabilities: Vec<String>,
    /// Messages in the mailbox.
    exists: u32,
    /// What UIDs are good for: with another number they are others.
    pub(super) validity: u64,
}

impl Session {
    /// Connects, logs in and selects the mailbox.
    pub(super) async fn open(settings: &Imap, tls: &TlsConnector, patience: Patience) -> Result<Self, Fault> {
        let (wire, capabilities) = greet(settings, tls, patience).await?;
        let archive = mailbox_name(&settings.archive);
        let mut session = Self { wire, patience, archive, capabilities, exists: 0, validity: 0 };
        if !session.can("MOVE") && !session.can("UIDPLUS") {
            let words = "it can take no single message out of a mailbox (neither MOVE nor UIDPLUS)";
            return Err(Fault::Refused(words.to_owned()));
        }
        session.select(&mailbox_name(&settings.mailbox)).await?;
        Ok(session)
    }

    async fn select(&mut self, mailbox: &str) -> Result<(), Fault> {
        let (mut exists, mut validity) = (0, 0);
        let heed = |response: Response| {
            count(&response, &mut exists);
            if response.word(1) == "OK"
                && let Some((_, rest)) = response.line.to_ascii_uppercase().split_once("[UIDVALIDITY ")
            {
                validity = rest.split(']').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            }
        };
        let end = self.wire.command(self.patience.command, &format!("SELECT {mailbox}"), 0, heed).await?;
        (self.exists, self.validity) = (exists, validity);
        match end {
            End::Done(_) => Ok(()),
            End::Refused(why) => Err(Fault::Refused(format!("it does not open the mailbox: {why}"))),
        }
    }

    /// A command of which nothing but its end is wanted.
    async fn plain(&mut self, command: &str) -> Result<End, Fault> {
        let mut exists = self.exists;
        let end = self.wire.command(self.patience.command, command, 0, |response| count(&response, &mut exists)).await;
        self.exists = exists;
        end
    }

    /// Hears what is new.
    pub(super) async fn look(&mut self) -> Result<(), Fault> {
        self.plain("NOOP").await.map(drop)
    }

    /// Up to [`MAX_LIST`] messages, in the order of their UIDs, from the `skip`-th on.
    pub(super) async fn list(&mut self, skip: u32) -> Result<Vec<Listed>, Fault> {
        let (from, to) = (skip.saturating_add(1), skip.saturating_add(MAX_LIST).min(self.exists));
        if from > to {
            return Ok(Vec::new());
        }
        let (mut listed, mut exists) = (Vec::new(), self.exists);
        let heed = |response: Response| {
            count(&response, &mut exists);
            let uid = response.number("UID").and_then(|uid| u32::try_from(uid).ok());
            if let (Some(uid), Some(size)) = (uid, response.number("RFC822.SIZE")) {
                listed.push(Listed { uid, size });
            }
        };
        let command = format!("FETCH {from}:{to} (UID RFC822.SIZE)");
        let end = self.wire.command(self.patience.command, &command, 0, heed).await?;
        self.exists = exists;
        if let End::Refused(why) = end {
            return Err(Fault::broken(format!("it does not list the mailbox: {why}")));
        }
        listed.sort_unstable();
        listed.dedup_by_key(|message| message.uid);
        // Who lists what nobody asked for gets it listed again.
        listed.truncate(MAX_LIST as usize);
        Ok(listed)
    }

    /// A message, or only its head.
    pub(super) async fn fetch(&mut self, uid: u32, whole: bool) -> Result<Got, Fault> {
        let (name, asked, allowed) = match whole {
            true => ("BODY[]", "BODY.PEEK[]".to_owned(), MAX_MESSAGE),
            false => ("BODY[HEADER]", format!("BODY.PEEK[HEADER]<0.{MAX_HEADER}>"), MAX_HEADER),
        };
        let (mut found, mut exists) = (None, self.exists);
        let heed = |response: Response| {
            count(&response, &mut exists);
            if response.number("UID") == Some(u64::from(uid)) {
                found = found.take().or_else(|| bytes(response, name));
            }
        };
        let command = format!("UID FETCH {uid} (UID {asked})");
        let end = self.wire.command(self.patience.message, &command, allowed, heed).await?;
        self.exists = exists;
        Ok(match (end, found) {
            (End::Done(_), Some(bytes)) => Got::Bytes(bytes),
            (End::Done(_), None) => Got::Gone,
            (End::Refused(why), _) => Got::Refused(why),
        })
    }

    /// Moves messages to the archive, which is made if it is missing. Inside is why the server does not.
    pub(super) async fn archive(&mut self, uids: &[u32]) -> Result<Result<(), String>, Fault> {
        let verb = if self.can("MOVE") { "MOVE" } else { "COPY" };
        let uids = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let command = format!("UID {verb} {uids} {}", self.archive);
        let mut end = self.plain(&command).await?;
        if let End::Refused(why) = &end
            && why.to_ascii_uppercase().contains("[TRYCREATE]")
        {
            self.plain(&format!("CREATE {}", self.archive)).await?;
            end = self.plain(&command).await?;
        }
        if end_is_good(&end) && verb == "COPY" {
            end = self.plain(&format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)")).await?;
            if end_is_good(&end) {
                end = self.plain(&format!("UID EXPUNGE {uids}")).await?;
            }
        }
        match end {
            End::Done(_) => Ok(Ok(())),
            End::Refused(why) => Ok(Err(why)),
        }
    }

    /// Waits until something happens in the mailbox, for at most `limit`.
    pub(super) async fn wait(&mut self, limit: Duration) -> Result<(), Fault> {
        if !self.can("IDLE") {
            tokio::time::sleep(limit.min(self.patience.poll)).await;
            return self.look().await;
        }
        let patience = self.patience.command;
        let (mut exists, news) = (self.exists, Cell::new(false));
        let mut heed = |response: Response| {
            count(&response, &mut exists);
            news.set(news.get() || response.word(2) == "EXISTS");
        };
        let tag = within(patience, self.wire.begin("IDLE")).await?;
        if let Some(words) = within(patience, self.wire.invitation(&mut heed)).await? {
            return Err(Fault::broken(format!("it offers IDLE and refuses it: {words}")));
        }
        if let Ok(outcome) = timeout(limit, self.wire.hear(&mut heed, || news.get())).await {
            outcome?;
        }
        let done = async {
            self.wire.say("DONE").await?;
            self.wire.end(&tag, 0, &mut heed).await
        };
        within(patience, done).await?;
        self.exists = exists;
        Ok(())
    }

    fn can(&self, name: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == name)
    }
}

const fn end_is_good(end: &End) -> bool {
    matches!(end, End::Done(_))
}

/// Keeps up the number of messages.
fn count(response: &Response, exists: &mut u32) {
    match (response.word(2).as_str(), response.word(1).parse()) {
        ("EXISTS", Ok(number)) => *exists = number,
        ("EXPUNGE", Ok(_)) => *exists = exists.saturating_sub(1),
        _ => {}
    }
}

fn bytes(mut response: Response, name: &str) -> Option<Vec<u8>> {
    match response.following(name)? {
        Token::Text(_) => {}
        // NIL: there is nothing to give.
        Token::Atom(_) | Token::Bracket => return Some(Vec::new()),
    }
    let name_at = response.tokens.iter().position(|token| match token {
        Token::Atom(word) => word.split('<').next().is_some_and(|word| word.eq_ignore_ascii_case(name)),
        Token::Text(_) | Token::Bracket => false,
    })?;
    match response.tokens.swap_remove(name_at + 1) {
        Token::Text(bytes) => Some(bytes),
        Token::Atom(_) | Token::Bracket => None,
    }
}

/// A connection that has let us in, and what its server can do.
async fn greet(settings: &Imap, tls: &TlsConnector, patience: Patience) -> Result<(Wire, Vec<String>), Fault> {
    let stream = dial(settings, patience).await?;
    let mut wire = match settings.tls {
        Tls::Wrapped => Wire::new(protect(Box::new(stream), settings, tls, patience).await?),
        Tls::None | Tls::StartTls => Wire::new(Box::new(stream)),
    };
    let greeting = within(patience.command, wire.response(0)).await?;
    let welcome = greeting.word(1);
    if greeting.word(0) != "*" || !matches!(welcome.as_str(), "OK" | "PREAUTH") {
        return Err(Fault::broken(format!("it greets with {:?}", greeting.line.chars().take(80).collect::<String>())));
    }
    if settings.tls == Tls::StartTls {
        // Who is let in already can't be asked for TLS any more (RFC 3501, 6.2.1).
        if welcome == "PREAUTH" || !end_is_good(&wire.command(patience.command, "STARTTLS", 0, drop).await?) {
            return Err(Fault::Refused("it does not go over to TLS".to_owned()));
        }
        wire = Wire::new(protect(wire.into_stream()?, settings, tls, patience).await?);
    }
    let before = capabilities(&mut wire, patience).await?;
    if welcome != "PREAUTH" {
        log_in(&mut wire, settings, &before, patience).await?;
    }
    // It may offer more to those whom it knows.
    let capabilities = capabilities(&mut wire, patience).await?;
    Ok((wire, capabilities))
}

/// Connects to the first of the server's addresses that answers.
async fn dial(settings: &Imap, patience: Patience) -> Result<TcpStream, Fault> {
    let look_up = async { Ok(lookup_host((settings.host.as_str(), settings.port)).await?.collect::<Vec<_>>()) };
    let mut fault = Fault::broken(format!("{} has no address", settings.host));
    for address in within(patience.connect, look_up).await? {
        match within(patience.connect, async { Ok(TcpStream::connect(address).await?) }).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE)?;
                return Ok(stream);
            }
            Err(refused) => fault = Fault::broken(format!("{address}: {}", refused.words())),
        }
    }
    Err(fault)
}

async fn protect(
    stream: Box<dyn Stream>,
    settings: &Imap,
    tls: &TlsConnector,
    patience: Patience,
) -> Result<Box<dyn Stream>, Fault> {
    let name = ServerName::try_from(settings.host.clone()).map_err(|error| Fault::Refused(error.to_string()))?;
    let handshake = async { Ok(tls.connect(name, stream).await?) };
    Ok(Box::new(within(patience.command, handshake).await?))
}

async fn capabilities(wire: &mut Wire, patience: Patience) -> Result<Vec<String>, Fault> {
    let mut all = Vec::new();
    let heed = |response: Response| {
        if response.word(1) == "CAPABILITY" {
            all = (2..response.tokens.len()).map(|place| response.word(place)).collect();
        }
    };
    match wire.command(patience.command, "CAPABILITY", 0, heed).await? {
        End::Done(_) => Ok(all),
        End::Refused(why) => Err(Fault::broken(format!("it does not say what it can do: {why}"))),
    }
}

async fn log_in(wire: &mut Wire, settings: &Imap, can: &[String], patience: Patience) -> Result<(), Fault> {
    let has = |name: &str| can.iter().any(|capability| capability == name);
    let (user, password) = (settings.user.as_str(), settings.password.expose());
    let end = if has("AUTH=PLAIN") {
        // RFC 4616; with padding, which servers insist on.
        let mut words = base64::encode(format!("\0{user}\0{password}").as_bytes());
        words.extend(core::iter::repeat_n('=', (4 - words.len() % 4) % 4));
        within(patience.command, async {
            let tag = wire.begin("AUTHENTICATE PLAIN").await?;
            if let Some(why) = wire.invitation(drop).await? {
                return Ok(End::Refused(why));
            }
            wire.say(&words).await?;
            wire.end(&tag, 0, drop).await
        })
        .await?
    } else if has("LOGINDISABLED") {
        End::Refused("no way to log in is offered; it may want TLS".to_owned())
    } else {
        let (Some(user), Some(password)) = (quoted(user), quoted(password)) else {
            return Err(Fault::Refused("user or password has signs that its LOGIN can't take".to_owned()));
        };
        wire.command(patience.command, &format!("LOGIN {user} {password}"), 0, drop).await?
    };
    match end {
        End::Done(_) => Ok(()),
        End::Refused(why) => Err(Fault::Refused(format!("it does not let us in: {why}"))),
    }
}

/// A quoted string, of what can be in one.
fn quoted(text: &str) -> Option<String> {
    let fits = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A mailbox's name as IMAP writes it (RFC 3501, 5.1.3), quoted.
fn mailbox_name(name: &str) -> String {
    let mut written = String::new();
    let mut foreign: Vec<u8> = Vec::new();
    let flush = |foreign: &mut Vec<u8>, written: &mut String| {
        if !foreign.is_empty() {
            written.push_str(&format!("&{}-", base64::encode(foreign).replace('/', ",")));
            foreign.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut foreign, &mut written);
            match c {
                '&' => written.push_str("&-"),
                '\\' | '"' => written.extend(['\\', c]),
                other => written.push(other),
            }
        } else {
            let mut units = [0; 2];
            foreign.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut foreign, &mut written);
    format!("\"{written}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_mailboxes_are_written_in_seven_bits() {
        for (name, wanted) in [
            ("INBOX", "\"INBOX\""),
            ("Störungen", "\"St&APY-rungen\""),
            ("R&D/\"old\"", "\"R&-D/\\\"old\\\"\""),
            ("台北", "\"&U,BTFw-\""),
        ] {
            assert_eq!(mailbox_name(name), wanted, "{name}");
        }
        assert_eq!(quoted("a\"b\\c"), Some("\"a\\\"b\\\\c\"".to_owned()));
        assert_eq!(quoted("a\r\nb"), None);
    }
}
