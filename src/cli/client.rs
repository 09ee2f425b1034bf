//! A client of the daemon: one HTTP request at a time over its Unix socket.

use super::{Exit, Failure};
use core::time::Duration;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Longer than the daemon itself takes before it says that it cannot answer.
const PATIENCE: Duration = Duration::from_secs(40);

/// What mostly is sent.
const JSON: &str = "application/json";

/// Talks to the daemon.
pub(super) struct Client {
    socket: PathBuf,
    /// Where the socket's path is from.
    config: Option<PathBuf>,
    runtime: Runtime,
}

impl Client {
    /// A client of the daemon at `socket`, which the file `config` named.
    pub(super) fn new(socket: PathBuf, config: Option<PathBuf>) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Failure::new(Exit::Unavailable, format!("no event queue: {e}")))?;
        Ok(Self { socket, config, runtime })
    }

    /// What the daemon has at a path.
    pub(super) fn get(&self, path: &str) -> Result<Bytes, Failure> {
        self.exchange(Method::GET, path, (JSON, Bytes::new()))
    }

    /// What it answers to a request for a change.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Bytes, Failure> {
        self.exchange(Method::POST, path, (JSON, Bytes::from(body.to_string())))
    }

    /// What it answers to a message that is handed over.
    pub(super) fn post_message(&self, raw: Vec<u8>) -> Result<Bytes, Failure> {
        self.exchange(Method::POST, "/api/mail", ("message/rfc822", Bytes::from(raw)))
    }

    fn exchange(&self, method: Method, path: &str, (kind, body): (&str, Bytes)) -> Result<Bytes, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, kind)
            .body(Full::new(body))
            .map_err(|e| Failure::new(Exit::Usage, format!("cannot ask for {path}: {e}")))?;
        let (status, body) = self.runtime.block_on(async {
            let stream = UnixStream::connect(&self.socket).await.map_err(|e| self.no_daemon(&e))?;
            let talk = timeout(PATIENCE, talk(stream, request)).await;
            let late = || Failure::new(Exit::Unavailable, "the daemon does not answer in time");
            talk.map_err(|_| late())?.map_err(|e| {
                Failure::new(Exit::Unavailable, format!("the daemon at {} broke off: {e}", self.socket.display()))
            })
        })?;
        if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
    }

    fn no_daemon(&self, e: &io::Error) -> Failure {
        let socket = self.socket.display();
        if e.kind() == ErrorKind::PermissionDenied {
            let message = format!("you may not use {socket}: ask to be added to the group that owns it");
            return Failure::new(Exit::NoPermission, message);
        }
        let start = match &self.config {
            Some(config) => format!("ntuwatch run --config {}", config.display()),
            None => "ntuwatch run --config FILE".to_owned(),
        };
        let message = format!("no daemon answers on {socket} ({e}): is ntuwatch running? start it with `{start}`");
        Failure::new(Exit::Unavailable, message)
    }
}

async fn talk(stream: UnixStream, request: Request<Full<Bytes>>) -> hyper::Result<(StatusCode, Bytes)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors come out of the request as well.
    tokio::spawn(async move { connection.await.unwrap_or_default() });
    let response = sender.send_request(request).await?;
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// The daemon's "no", in its own words.
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let exit = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::NoPermission,
        status if status.is_client_error() => Exit::Data,
        _ => Exit::Unavailable,
    };
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let message = body.get("error").and_then(Value::as_str);
    Failure::new(exit, message.map_or_else(|| format!("the daemon answers {status}"), str::to_owned))
}

/// Text as a part of a path or a query.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
