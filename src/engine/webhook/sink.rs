//! One messenger: where it is asked, as whom, and what its answers mean.

use super::StartError;
use crate::clock;
use crate::domain::letter::Delivery;
use crate::domain::watch::Secret;
use crate::payload::{Auth, Form, SigningKey, webhook_id};
use core::error::Error as _;
use core::time::Duration;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

/// Bytes that are read of an answer, at the most: what is shown of a refusal is its beginning.
pub const MAX_ANSWER: usize = 4_096;
/// Longest reason that is kept, in characters.
const MAX_WORDS: usize = 300;
/// How long the words of a refusal may take to come in.
const WORDS_WITHIN: Duration = Duration::from_secs(2);

/// What the engine needs to know of a messenger.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// What is asked, by POST. It mostly holds a key.
    pub url: Secret,
    /// What it wants to hear.
    pub form: Form,
    /// As whom it is asked.
    pub auth: Auth,
    /// What requests are signed with, if they are.
    pub signing: Option<SigningKey>,
    /// How long a request may take, from the look-up of the name to the status of the answer.
    pub timeout: Duration,
}

pub(super) struct Sink {
    pub(super) settings: Settings,
    client: Client,
    url: Url,
}

impl Sink {
    pub(super) fn new(settings: Settings) -> Result<Self, StartError> {
        let url = Url::parse(settings.url.expose());
        let url = url.map_err(|error| StartError::Url(settings.name.clone(), error.to_string()))?;
        // TLS by the library that the mail engine uses; it may have been chosen before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .user_agent(concat!("ntuwatch/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy();
        // In the open no certificate is asked for, and none has to be on this machine.
        let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
        let client = client.build().map_err(|error| StartError::Tls(words(&error)))?;
        Ok(Self { settings, client, url })
    }

    /// Makes one attempt. `message_id`: of the letter, for all attempts the same; without one it is no letter.
    pub(super) async fn post(&self, message_id: Option<&str>, body: String) -> Delivery {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let request = self.authorised(request);
        let request = match message_id {
            Some(message_id) => self.signed(request, &webhook_id(message_id), &body),
            None => request,
        };
        match request.body(body).send().await {
            Ok(answer) => judge(answer).await,
            Err(error) if error.is_connect() => Delivery::Unreachable(words(&error)),
            Err(error) => Delivery::Deferred(words(&error)),
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.settings.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.header(AUTHORIZATION, format!("Bearer {}", token.expose())),
            Auth::Basic { user, password } => request.basic_auth(user, Some(password.expose())),
            Auth::Header { name, value } => request.header(name, value.expose()),
        }
    }

    /// What tells a receiver that it has seen this before, and, if there is a secret, that it is ours.
    fn signed(&self, request: RequestBuilder, id: &str, body: &str) -> RequestBuilder {
        let timestamp = clock::unix_millis().div_euclid(1_000);
        let request = request
            .header("Idempotency-Key", id)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string());
        match &self.settings.signing {
            Some(key) => request.header("webhook-signature", key.sign(id, timestamp, body)),
            None => request,
        }
    }

    /// Counts what became of a request; `good` is what one is called that was taken.
    pub(super) fn count(&self, delivery: &Delivery, good: &'static str) {
        let outcome = match delivery {
            Delivery::Sent => good,
            Delivery::Deferred(_) => "deferred",
            Delivery::Throttled { .. } => "throttled",
            Delivery::Unreachable(_) => "unreachable",
            Delivery::Refused(_) => "refused",
        };
        metrics::counter!("ntuwatch_notices_total", "sink" => self.settings.name.clone(), "outcome" => outcome)
            .increment(1);
    }
}

/// What an answer means.
async fn judge(answer: Response) -> Delivery {
    let status = answer.status();
    if status.is_success() {
        // The status says it all; what else there is is not read.
        return Delivery::Sent;
    }
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = wait.map(Duration::from_secs);
    let is_redirect = status.is_redirection();
    let may_change = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
    let said = tokio::time::timeout(WORDS_WITHIN, beginning(answer)).await.unwrap_or_default();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    let why = format!("it answers {status}{said}");
    match (may_change, wait) {
        (true, Some(wait)) => Delivery::Throttled { why, wait },
        (true, None) => Delivery::Deferred(why),
        (false, _) if is_redirect => Delivery::Refused(format!("{why} (redirects are not followed: correct the URL)")),
        (false, _) => Delivery::Refused(why),
    }
}

/// The beginning of what a server says, in one line.
async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - bytes.len())]);
    }
    one_line(&String::from_utf8_lossy(&bytes))
}

fn one_line(words: &str) -> String {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect();
    words.trim().to_owned()
}

/// The innermost cause of an error. Those around it would show the whole URL.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(core::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the request failed".to_owned(), |cause| one_line(&cause.to_string()))
}
