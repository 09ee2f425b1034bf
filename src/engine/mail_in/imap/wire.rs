//! The lines of an IMAP connection (RFC 3501): commands out, responses in.
//!
//! A server may say anything at any length. Whatever it says, no more is kept of a response than was allowed for.

use core::fmt::Display;
use core::time::Duration;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Longest response without its literals, in bytes.
const MAX_LINE: usize = 64 << 10;
/// Untagged responses to one command.
const MAX_RESPONSES: usize = 20_000;
/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;
/// Longest answer of a server that is kept, in characters.
const MAX_WORDS: usize = 300;

/// A stream of whatever protection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Why a conversation can't go on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server is away, silent, or says what is no IMAP.
    Broken(String),
    /// It does not let us in, or not do what we need: coming back soon changes nothing.
    Refused(String),
    /// It wants to send more than it was asked for.
    TooLarge,
}

impl Fault {
    /// What a server says that breaks off.
    pub(super) fn broken(words: impl Display) -> Self {
        Self::Broken(legible(&words))
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Broken(words) | Self::Refused(words) => words.clone(),
            Self::TooLarge => "it sends more than it was asked for".to_owned(),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::broken(error)
    }
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `OK`, with what comes after it.
    Done(String),
    /// `NO` or `BAD`, and why.
    Refused(String),
}

/// A piece of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word, a number, or a name such as `BODY[HEADER]<0>`.
    Atom(String),
    /// Quoted, or a literal.
    Text(Vec<u8>),
    /// `(` or `)`.
    Bracket,
}

/// A response, whole.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// The line as it stands, up to its first literal.
    pub(super) line: String,
    /// All of it.
    pub(super) tokens: Vec<Token>,
}

impl Response {
    /// The word in this place, in upper case.
    pub(super) fn word(&self, place: usize) -> String {
        match self.tokens.get(place) {
            Some(Token::Atom(word)) => word.to_ascii_uppercase(),
            Some(Token::Text(_) | Token::Bracket) | None => String::new(),
        }
    }

    /// What comes after the first `words` words of its line.
    fn after(&self, words: usize) -> String {
        legible(&self.line.splitn(words + 1, ' ').nth(words).unwrap_or_default())
    }

    /// What follows the name `name`, whatever follows that name's `<0>`.
    pub(super) fn following(&self, name: &str) -> Option<&Token> {
        let named = |token: &Token| match token {
            Token::Atom(word) => word.split('<').next().is_some_and(|word| word.eq_ignore_ascii_case(name)),
            Token::Text(_) | Token::Bracket => false,
        };
        self.tokens.iter().skip_while(|token| !named(token)).nth(1)
    }

    /// The number that follows the name `name`.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.following(name)? {
            Token::Atom(word) => word.parse().ok(),
            Token::Text(_) | Token::Bracket => None,
        }
    }
}

/// A connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// Read and not used yet.
    held: Vec<u8>,
    commands: u32,
}

impl Wire {
    /// Talks over `stream`.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, held: Vec::new(), commands: 0 }
    }

    /// The stream, to be wrapped. Fails when the server has said more than it was to: it could be somebody on the way, who wants
    /// his words taken for those of the protected connection.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Fault> {
        if self.held.is_empty() { Ok(self.stream) } else { Err(Fault::broken("words out of turn before TLS")) }
    }

    /// Sends a command and hears what comes of it, each untagged response of at most `allowed` bytes of literals.
    pub(super) async fn command(
        &mut self,
        limit: Duration,
        command: &str,
        allowed: usize,
        heed: impl FnMut(Response),
    ) -> Result<End, Fault> {
        within(limit, async {
            let tag = self.begin(command).await?;
            self.end(&tag, allowed, heed).await
        })
        .await
    }

    /// Sends a command; the tag of its end.
    pub(super) async fn begin(&mut self, command: &str) -> Result<String, Fault> {
        self.commands = self.commands.wrapping_add(1);
        let tag = format!("N{}", self.commands);
        self.say(&format!("{tag} {command}")).await?;
        Ok(tag)
    }

    /// Sends a line.
    pub(super) async fn say(&mut self, line: &str) -> Result<(), Fault> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    /// Hears on until the command with this tag ends.
    pub(super) async fn end(
        &mut self,
        tag: &str,
        allowed: usize,
        mut heed: impl FnMut(Response),
    ) -> Result<End, Fault> {
        for _ in 0..MAX_RESPONSES {
            let response = self.response(allowed).await?;
            if response.word(0) == tag {
                return match response.word(1).as_str() {
                    "OK" => Ok(End::Done(response.after(2))),
                    "NO" | "BAD" => Ok(End::Refused(response.after(2))),
                    _ => Err(nonsense(&response)),
                };
            }
            heed(self.untagged(response)?);
        }
        Err(Fault::broken("its answer has no end"))
    }

    /// Waits for the server to ask for more.
    pub(super) async fn invitation(&mut self, mut heed: impl FnMut(Response)) -> Result<Option<String>, Fault> {
        for _ in 0..MAX_RESPONSES {
            let response = self.response(0).await?;
            match response.word(0).as_str() {
                "+" => return Ok(None),
                "*" => heed(self.untagged(response)?),
                // The command has ended before it began.
                _ => return Ok(Some(response.after(2))),
            }
        }
        Err(Fault::broken("its answer has no end"))
    }

    /// Hears what nobody asked for, until there is `enough`.
    pub(super) async fn hear(
        &mut self,
        mut heed: impl FnMut(Response),
        enough: impl Fn() -> bool,
    ) -> Result<(), Fault> {
        for _ in 0..MAX_RESPONSES {
            if enough() {
                break;
            }
            let response = self.response(0).await?;
            heed(self.untagged(response)?);
        }
        Ok(())
    }

    fn untagged(&self, response: Response) -> Result<Response, Fault> {
        match (response.word(0).as_str(), response.word(1).as_str()) {
            ("*", "BYE") => Err(Fault::broken(format!("it says good-bye: {}", response.after(2)))),
            ("*", _) => Ok(response),
            _ => Err(nonsense(&response)),
        }
    }

    /// The next response.
    pub(super) async fn response(&mut self, allowed: usize) -> Result<Response, Fault> {
        let mut response = Response::default();
        let (mut line_room, mut literal_room) = (MAX_LINE, allowed);
        loop {
            let line = self.line(line_room).await?;
            line_room -= line.len();
            let (words, literal) = literal(&line);
            if response.tokens.is_empty() {
                response.line = String::from_utf8_lossy(words).into_owned();
            }
            tokens(words, &mut response.tokens);
            let Some(size) = literal else { return Ok(response) };
            if size > literal_room {
                return Err(Fault::TooLarge);
            }
            literal_room -= size;
            response.tokens.push(Token::Text(self.exactly(size).await?));
        }
    }

    /// The next line without its end, of at most `room` bytes.
    async fn line(&mut self, room: usize) -> Result<Vec<u8>, Fault> {
        let mut looked_at = 0;
        loop {
            if let Some(end) = self.held[looked_at..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.held.drain(..=looked_at + end).collect();
                return Ok(line.trim_ascii_end().to_vec());
            }
            looked_at = self.held.len();
            if looked_at >= room {
                return Err(Fault::broken("a line without an end"));
            }
            self.read().await?;
        }
    }

    async fn exactly(&mut self, size: usize) -> Result<Vec<u8>, Fault> {
        while self.held.len() < size {
            self.read().await?;
        }
        let rest = self.held.split_off(size);
        Ok(core::mem::replace(&mut self.held, rest))
    }

    /// Reads what there is.
    async fn read(&mut self) -> Result<(), Fault> {
        self.held.reserve(CHUNK);
        match self.stream.read_buf(&mut self.held).await? {
            0 => Err(Fault::broken("it hung up")),
            _ => Ok(()),
        }
    }
}

fn nonsense(response: &Response) -> Fault {
    Fault::broken(format!("{:?} is no answer to this", response.line.chars().take(80).collect::<String>()))
}

/// A line without the announcement of a literal (`{123}`), and the size that is announced.
fn literal(line: &[u8]) -> (&[u8], Option<usize>) {
    let size = line.strip_suffix(b"}").and_then(|line| {
        let open = line.iter().rposition(|byte| *byte == b'{')?;
        let size = core::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()?;
        Some((&line[..open], size))
    });
    size.map_or((line, None), |(words, size)| (words, Some(size)))
}

fn tokens(words: &[u8], into: &mut Vec<Token>) {
    let mut at = 0;
    while let Some(byte) = words.get(at) {
        at += 1;
        match byte {
            b' ' => {}
            b'(' | b')' => into.push(Token::Bracket),
            b'"' => {
                let mut text = Vec::new();
                while let Some(byte) = words.get(at).filter(|byte| **byte != b'"') {
                    let escaped = usize::from(*byte == b'\\' && at + 1 < words.len());
                    text.push(words[at + escaped]);
                    at += 1 + escaped;
                }
                at += 1;
                into.push(Token::Text(text));
            }
            _ => {
                let rest = &words[at - 1..];
                // A section may hold brackets and spaces: `BODY[HEADER.FIELDS (SUBJECT)]`.
                let mut depth = 0_u32;
                let ends = |byte: &u8| {
                    match byte {
                        b'[' => depth += 1,
                        b']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    depth == 0 && matches!(byte, b' ' | b'(' | b')' | b'"')
                };
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                into.push(Token::Atom(String::from_utf8_lossy(&rest[..length]).into_owned()));
                at += length - 1;
            }
        }
    }
}

/// Servers may say anything at any length.
fn legible(words: &impl Display) -> String {
    words.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
}

/// The outcome of a step, if it comes in time.
pub(super) async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match timeout(limit, step).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Fault::broken(format!("no answer within {limit:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    const LONG: Duration = Duration::from_secs(60);

    async fn hear(said: &str, allowed: usize) -> Result<Response, Fault> {
        let (ours, mut theirs) = duplex(1 << 20);
        theirs.write_all(said.as_bytes()).await.unwrap();
        drop(theirs);
        Wire::new(Box::new(ours)).response(allowed).await
    }

    #[tokio::test]
    async fn a_response_is_read_with_its_literals() {
        let response = hear("* 3 FETCH (UID 7 BODY[] {5}\r\na)\r\nb RFC822.SIZE 5 BODY[HEADER]<0> \"q\\\"t\")\r\n", 5)
            .await
            .unwrap();
        assert_eq!((response.word(1).as_str(), response.word(2).as_str()), ("3", "FETCH"));
        assert_eq!((response.number("uid"), response.number("RFC822.SIZE")), (Some(7), Some(5)));
        assert_eq!(response.following("BODY[]"), Some(&Token::Text(b"a)\r\nb".to_vec())));
        assert_eq!(response.following("BODY[HEADER]"), Some(&Token::Text(b"q\"t".to_vec())));
    }

    #[tokio::test]
    async fn what_is_too_long_or_cut_off_is_a_fault() {
        assert!(matches!(hear("* 1 FETCH (BODY[] {6}\r\nabcdef)\r\n", 5).await, Err(Fault::TooLarge)));
        assert!(hear("* 1 FETCH (BODY[] {99999999999999999999}\r\n", 5).await.is_ok());
        assert!(matches!(hear("* 1 FETCH (BODY[] {5}\r\nab", 5).await, Err(Fault::Broken(_))));
        let endless = "x".repeat(MAX_LINE + 1);
        assert!(matches!(hear(&endless, 5).await, Err(Fault::Broken(words)) if words == "a line without an end"));
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_broken_off() {
        let (ours, mut theirs) = duplex(1 << 20);
        tokio::spawn(async move { while theirs.write_all(b"* 1 FETCH (UID 1)\r\n").await.is_ok() {} });
        let mut heard = 0;
        let outcome = Wire::new(Box::new(ours)).command(LONG, "NOOP", 0, |_| heard += 1).await;
        assert!(matches!(outcome, Err(Fault::Broken(words)) if words == "its answer has no end"));
        assert_eq!(heard, MAX_RESPONSES);
    }
}
