//! The forms of receivers that many have.

use super::{Notice, Template};
use crate::domain::notice::{Signal, Takes};
use crate::domain::watch::Secret;
use serde_json::{Map, Value, json};

/// Longest `payload.summary` of a PagerDuty event, in characters.
pub const MAX_SUMMARY: usize = 1024;

/// What a receiver wants a notice to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"text": …}`: Slack's incoming webhooks, and whoever takes the same (Mattermost, Rocket.Chat).
    Slack,
    /// An adaptive card: Microsoft Teams, by a workflow that takes webhooks.
    Teams,
    /// PagerDuty's Events API v2.
    PagerDuty {
        /// The key of the integration.
        routing_key: Secret,
    },
    /// Alertmanager's API v2.
    Alertmanager,
    /// A body of the operator's own.
    Template(Template),
}

impl Form {
    /// What of all notices such a receiver can take.
    #[must_use]
    pub const fn takes(&self) -> Takes {
        match self {
            Self::Slack | Self::Teams | Self::Template(_) => Takes::Everything,
            Self::PagerDuty { .. } => Takes::Incidents,
            Self::Alertmanager => Takes::Alerts,
        }
    }

    /// The body of a request, as JSON.
    ///
    /// # Errors
    /// If the operator's template can't do with the notice.
    pub fn body(&self, notice: &Notice) -> Result<String, String> {
        Ok(match self {
            Self::Slack => json!({ "text": slack(&notice.text) }).to_string(),
            Self::Teams => teams(notice).to_string(),
            Self::PagerDuty { routing_key } => pager_duty(notice, routing_key).to_string(),
            Self::Alertmanager => Alert::new(notice).at_its_stage(notice).to_string(),
            Self::Template(template) => template.fill(notice)?,
        })
    }
}

/// What Slack would take for a mention or a link is none: it wants just these three escaped.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Runs of text are shown as they are; a text block would read them as Markdown.
fn teams(notice: &Notice) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": notice.text,
                "body": [{ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": notice.text }] }],
            },
        }],
    })
}

fn pager_duty(notice: &Notice, routing_key: &Secret) -> Value {
    let action = match notice.signal() {
        Signal::Begins => "trigger",
        Signal::WorkedOn | Signal::Says => "acknowledge",
        Signal::Over => "resolve",
    };
    let mut event = json!({
        "routing_key": routing_key.expose(),
        "event_action": action,
        "dedup_key": notice.key,
    });
    if action == "trigger" {
        event["payload"] = json!({
            "summary": notice.text.chars().take(MAX_SUMMARY).collect::<String>(),
            "source": if notice.unit.is_empty() { "ntuwatch" } else { &notice.unit },
            "severity": severity(notice),
            "timestamp": notice.at,
            "component": notice.unit,
            "group": notice.customer,
            "class": notice.about,
            "custom_details": {
                "reference": notice.reference,
                "priority": notice.priority,
                "service": notice.service,
                "kind": notice.kind,
                "since": notice.since,
            },
        });
    }
    event
}

fn severity(notice: &Notice) -> &'static str {
    match notice.priority.as_str() {
        "P2" => "warning",
        "P1" => "critical",
        _ => "error",
    }
}

/// What is wrong, as Alertmanager knows it: its labels say which alert it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    labels: Value,
    annotations: Value,
    starts_at: String,
}

impl Alert {
    /// The alert that a notice is about.
    #[must_use]
    pub fn new(notice: &Notice) -> Self {
        let name = format!("ntuwatch_{}", notice.about);
        let labels = [
            ("alertname", name.as_str()),
            ("key", &notice.key),
            ("severity", severity(notice)),
            ("priority", &notice.priority),
            ("unit", &notice.unit),
            ("customer", &notice.customer),
            ("service", &notice.service),
        ];
        // A label without a value is none.
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
        let labels: Map<String, Value> = labels.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        Self {
            labels: Value::Object(labels),
            annotations: json!({ "summary": notice.text, "kind": notice.kind }),
            starts_at: notice.since.clone(),
        }
    }

    /// Whether it is the same alert for Alertmanager.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.labels == other.labels
    }

    /// As it is sent while it lasts.
    #[must_use]
    pub fn firing(&self) -> Value {
        json!({ "labels": self.labels, "annotations": self.annotations, "startsAt": self.starts_at })
    }

    /// As it is sent once it is over.
    #[must_use]
    pub fn over(&self, ends_at: &str) -> Value {
        let mut alert = self.firing();
        alert["endsAt"] = json!(ends_at);
        alert
    }

    fn at_its_stage(&self, notice: &Notice) -> Value {
        match notice.signal() {
            Signal::Begins | Signal::WorkedOn | Signal::Says => json!([self.firing()]),
            Signal::Over => json!([self.over(&notice.at)]),
        }
    }
}
