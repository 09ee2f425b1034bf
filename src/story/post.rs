//! Mail in a story: who writes, what it answers, and what comes back.

use super::disk::Disk;
use crate::domain::desk::{Case, Reference};
use crate::domain::letter::{LetterLabel, LetterState, Thread};
use crate::domain::mail::{Action, Authentic, Automatic, Fate, Incoming, KnownCase, Message, Nature};
use crate::domain::time::Time;

/// A message that somebody writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The sender's address.
    pub from: String,
    /// Whether his domain disowns it.
    pub forged: bool,
    /// Whether a program writes it.
    pub automatic: bool,
    /// What it is about.
    pub about: About,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// It answers the latest letter about this unit's latest case.
    Reply {
        /// The unit.
        unit: String,
        /// What it says.
        text: String,
    },
    /// It names this unit's latest case in its subject, and answers nothing.
    Claim {
        /// The unit.
        unit: String,
    },
    /// It answers nothing.
    Subject(String),
}

impl Post {
    /// Reads what follows `mail from`.
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        let usage = "write: mail from ADDRESS [forged] [automatic] reply UNIT [TEXT], claim UNIT, or subject TEXT";
        let [from, rest @ ..] = words else { return Err(usage.into()) };
        let (forged, rest) = rest.strip_prefix(&["forged"]).map_or((false, rest), |rest| (true, rest));
        let (automatic, rest) = rest.strip_prefix(&["automatic"]).map_or((false, rest), |rest| (true, rest));
        let about = match rest {
            ["reply", unit, text @ ..] => About::Reply { unit: (*unit).to_owned(), text: unquoted(text) },
            ["claim", unit] => About::Claim { unit: (*unit).to_owned() },
            ["subject", text @ ..] if !text.is_empty() => About::Subject(unquoted(text)),
            [..] => return Err(usage.into()),
        };
        Ok(Self { from: (*from).to_owned(), forged, automatic, about })
    }
}

fn unquoted(words: &[&str]) -> String {
    words.join(" ").trim_matches('"').to_owned()
}

impl Disk {
    /// The message as a reader hands it over.
    pub(super) fn incoming(&self, post: &Post) -> Result<Incoming, String> {
        let case = |unit: &str| {
            let latest = self.cases.values().rfind(|case| case.opening.unit == unit);
            latest.map(|case| &**case).ok_or_else(|| format!("{unit} has no case"))
        };
        let (letters, subject, text) = match &post.about {
            About::Reply { unit, text } => {
                let letter = self.letter_about(case(unit)?, &post.from);
                (vec![letter.ok_or_else(|| format!("there is no letter about {unit}"))?], String::new(), text.clone())
            }
            About::Claim { unit } => (Vec::new(), format!("Re: {}", case(unit)?.opening.reference), String::new()),
            About::Subject(subject) => (Vec::new(), subject.clone(), String::new()),
        };
        let nature = if post.automatic { Nature::Automatic(Automatic::Replied) } else { Nature::Person };
        let authentic = if post.forged { Authentic::Fail } else { Authentic::Pass };
        Ok(self.read(letters, Message { nature, authentic, ..message(&post.from, subject, text) }))
    }

    /// The mail server's report that the latest letter that it took for an address came back.
    pub(super) fn bounce(&self, address: &str) -> Result<Incoming, String> {
        let is_his = |label: &LetterLabel, state| label.to == address && state == LetterState::Sent;
        let sent = self.letters.values().rfind(|(letter, state)| is_his(&letter.label, *state));
        let label = sent.map(|(letter, _)| letter.label.clone());
        let label = label.ok_or_else(|| format!("the mail server has taken no letter to {address}"))?;
        let fate = Fate {
            recipient: address.to_owned(),
            action: Action::Failed,
            status: "5.1.1".to_owned(),
            why: "user unknown".to_owned(),
            letter: None,
        };
        let nature = Nature::Report(vec![fate]);
        let report = message("mailer-daemon@customer.example", "Undelivered".to_owned(), String::new());
        Ok(self.read(vec![label], Message { nature, ..report }))
    }

    fn read(&self, letters: Vec<LetterLabel>, message: Message) -> Incoming {
        let id = self.mails.keys().chain(self.unread.keys()).max().map_or(1, |last| last + 1);
        let known = |case: &Case| KnownCase {
            reference: case.opening.reference,
            unit: case.opening.unit.clone(),
            customer: case.opening.circuit.customer.to_string(),
            subject: case.opening.intake.subject,
        };
        let cases = self.cases.values().map(|case| known(case)).collect();
        let received_at = self.watched_until.unwrap_or(Time::from_millis(0));
        Incoming { id, received_at, message: Ok(Box::new(message)), head: None, letters, copy_of: None, cases }
    }

    /// The latest letter about a case to an address, or else to anybody.
    fn letter_about(&self, case: &Case, address: &str) -> Option<LetterLabel> {
        let about = |thread: &Thread, reference: Reference| match thread {
            Thread::Case { reference: about, .. } => *about == reference,
            Thread::Umbrella { reference: about, customer } => {
                case.umbrella == Some(*about) && customer.as_deref() == Some(case.opening.circuit.customer.as_str())
            }
            Thread::Maintenance { .. } | Thread::Alarm { .. } | Thread::Contract { .. } | Thread::Reach { .. } => false,
        };
        let all = || self.letters.values().map(|(letter, _)| &letter.label);
        let letters = || all().filter(|label| about(&label.thread, case.opening.reference));
        letters().rfind(|label| label.to == address).or_else(|| letters().next_back()).cloned()
    }
}

fn message(from: &str, subject: String, text: String) -> Message {
    Message {
        from: Some(from.to_owned()),
        message_id: None,
        answers: Vec::new(),
        recipients: Vec::new(),
        subject,
        text,
        nature: Nature::Person,
        authentic: Authentic::Pass,
        attachments: Vec::new(),
    }
}
